import { join } from "node:path";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

/** In WAL mode, which it sets itself, with a flush for every commit. */
export function openCheckpointer(folder: string): SqliteSaver {
  const saver = SqliteSaver.fromConnString(join(folder, "langgraph.sqlite"));
  saver.db.pragma("synchronous = FULL");
  return saver;
}
