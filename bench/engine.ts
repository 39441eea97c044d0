// Nothing but durability: five steps that return 200 bytes each.
import { contest, type Entry } from "./contest/contest.ts";
import type { Bench } from "./support/bench.ts";

export const about = "five bare steps: our engine against OpenWorkflow, DBOS and the floor";

const ENTRIES: readonly Entry[] = [
  { name: "abi-workflows", store: "SQLite", kind: "ours", module: "contest/bare-engine.ts" },
  { name: "OpenWorkflow", store: "SQLite", kind: "peer", module: "peers/openworkflow.ts" },
  { name: "by hand, a commit a step", store: "SQLite", kind: "floor", module: "contest/floor.ts", open: "openSingle" },
  { name: "by hand, group commit", store: "SQLite", kind: "floor", module: "contest/floor.ts", open: "openGrouped" },
  { name: "abi-workflows", store: "PostgreSQL", kind: "ours", module: "contest/bare-engine.ts" },
  { name: "OpenWorkflow", store: "PostgreSQL", kind: "peer", module: "peers/openworkflow.ts" },
  { name: "DBOS", store: "PostgreSQL", kind: "peer", module: "peers/dbos.ts" },
];

export const run = (bench: Bench): Promise<void> => contest(bench, "bare", ENTRIES);
