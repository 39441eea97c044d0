/** LangGraph.js, functional API: a task for each step. */
import { entrypoint, task } from "@langchain/langgraph";
import type { Open } from "../contest/contestant.ts";
import { openCheckpointer } from "./checkpointer.ts";

export const open: Open = async ({ folder, steps }) => {
  const checkpointer = openCheckpointer(folder);
  const tasks = steps.map(([name, work]) => task(name, work));
  const app = entrypoint({ name: "bench", checkpointer }, async (n: number) => {
    for (const run of tasks) await run(n);
    return null;
  });
  return {
    run: async (n) => void (await app.invoke(n, { configurable: { thread_id: String(n) }, durability: "sync" })),
    close: async () => void checkpointer.db.close(),
  };
};
