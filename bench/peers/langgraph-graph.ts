/** LangGraph.js, graph API: a node for each step. */
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import type { Open } from "../contest/contestant.ts";
import { openCheckpointer } from "./checkpointer.ts";

export const open: Open = async ({ folder, steps }) => {
  const checkpointer = openCheckpointer(folder);
  const State = Annotation.Root({
    n: Annotation<number>,
    results: Annotation<Record<string, unknown>>({ reducer: (all, one) => ({ ...all, ...one }), default: () => ({}) }),
  });
  // Its types depend on the names of the nodes, which are not known here.
  const graph = new StateGraph(State) as any;
  for (const [name, work] of steps) {
    graph.addNode(name, async ({ n }: { n: number }) => ({ results: { [name]: await work(n) } }));
  }
  const names = [START, ...steps.map(([name]) => name), END];
  for (const [at, name] of names.slice(1).entries()) graph.addEdge(names[at], name);
  const app = graph.compile({ checkpointer });
  return {
    run: (n) => app.invoke({ n }, { configurable: { thread_id: String(n) }, durability: "sync" }),
    close: async () => void checkpointer.db.close(),
  };
};
