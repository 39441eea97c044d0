import { join } from "node:path";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

/** LangGraph's checkpointer, with a flush for every commit. It sets WAL mode itself. */
export function openCheckpointer(folder: string): SqliteSaver {
  const saver = SqliteSaver.fromConnString(join(folder, "langgraph.sqlite"));
  saver.db.pragma("synchronous = FULL");
  return saver;
}
