// One piece of feedback through five durable steps: our whole workflow against peers that do the
// minimum.
import { contest, type Entry } from "./contest/contest.ts";
import type { Bench } from "./support/bench.ts";

export const about = "one piece of feedback through five durable steps, against peers and a floor written by hand";

const ENTRIES: readonly Entry[] = [
  { name: "abi-workflows", store: "SQLite", kind: "ours", module: "contest/feedback-workflow.ts" },
  { name: "LangGraph, graph API", store: "SQLite", kind: "peer", module: "peers/langgraph-graph.ts" },
  { name: "LangGraph, functional API", store: "SQLite", kind: "peer", module: "peers/langgraph-functional.ts" },
  { name: "Mastra", store: "SQLite", kind: "peer", module: "peers/mastra.ts" },
  { name: "OpenWorkflow", store: "SQLite", kind: "peer", module: "peers/openworkflow.ts" },
  { name: "by hand, a commit a step", store: "SQLite", kind: "floor", module: "contest/floor.ts", open: "openSingle" },
  { name: "by hand, group commit", store: "SQLite", kind: "floor", module: "contest/floor.ts", open: "openGrouped" },
  { name: "abi-workflows", store: "PostgreSQL", kind: "ours", module: "contest/feedback-workflow.ts" },
  { name: "OpenWorkflow", store: "PostgreSQL", kind: "peer", module: "peers/openworkflow.ts" },
  { name: "DBOS", store: "PostgreSQL", kind: "peer", module: "peers/dbos.ts" },
];

export const run = (bench: Bench): Promise<void> => contest(bench, "feedback", ENTRIES);
