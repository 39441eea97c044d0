/**
 * For tests: kill processes at named points, check tools, try hostile texts.
 * @module abi-workflows/testing
 */
import "../src/runtime/node-version.ts";
export { toolConformance, type ConformanceCheck, type ToolUnderTest } from "./conformance/tool-conformance.ts";
export { CrashPoints } from "./crash/crash-points.ts";
export { differences, graphLines } from "./crash/graph-lines.ts";
export { runUndisturbed, type ReachedPoints } from "./crash/run-undisturbed.ts";
export { runWithKills, type Kill, type KillOptions } from "./crash/run-with-kills.ts";
export { isClean, tally, tallyTable, type Deliveries, type Tally } from "./crash/tally.ts";
export { askAgent, promptFor, type AskableAgent, type AskOptions } from "./hostile/ask-agent.ts";
export { hostileTexts } from "./hostile/hostile-texts.ts";
export type { HostileNames, HostilePlace, HostileText, HostileWishes } from "./hostile/hostile-text.ts";
export {
  obedientModel,
  type MadeCall,
  type ObedientModel,
  type ObedientModelOptions,
} from "./hostile/obedient-model.ts";
export type { PlannedCall } from "./hostile/obey.ts";
export {
  hostileTable,
  isHarmless,
  runHostileTexts,
  type HostileFinding,
  type HostileOutcome,
  type HostileReport,
  type HostileTrial,
} from "./hostile/run-hostile-texts.ts";
export { mailsIn, readSentMail, type SentMail } from "./hostile/sent-mail.ts";
