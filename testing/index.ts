import "../src/node-version.ts";
export { toolConformance, type ConformanceCheck, type ToolUnderTest } from "./conformance/tool-conformance.ts";
export { CrashPoints } from "./crash/crash-points.ts";
export { differences, graphLines } from "./crash/graph-lines.ts";
export { runUndisturbed, type ReachedPoints } from "./crash/run-undisturbed.ts";
export { runWithKills, type Kill, type KillOptions } from "./crash/run-with-kills.ts";
export { isClean, tally, tallyTable, type Deliveries, type Tally } from "./crash/tally.ts";
