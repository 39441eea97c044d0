import {
  differences,
  isClean,
  runUndisturbed,
  runWithKills,
  tally,
  tallyTable,
  type Kill,
  type ReachedPoints,
  type Tally,
} from "../../testing/index.ts";
import { editedText, feedbackItem, verdictOn } from "./items.ts";
import type { PlaceName } from "./place.ts";
import { trial, type Trace } from "./trial.ts";

export interface CrashRunOptions {
  on: PlaceName;
  feedback: number;
  kills: number;
  seed: number;
  say: (line: string) => void;
}

/** After this many killed processes, the server is killed as well, if the test has its own. */
const KILLS_A_RESTART = 10;

/**
 * Runs once without kills as the reference and once with kills; reports the outcome, and returns
 * whether it is correct.
 */
export async function crashRun({ on, feedback, kills: wanted, seed, say }: CrashRunOptions): Promise<boolean> {
  say(`${on}: ${wanted} kills over ${feedback} pieces of feedback, seed ${seed}`);
  let undisturbed: ReachedPoints = new Map();
  const model = await trial(on, feedback, async (script) => {
    undisturbed = await runUndisturbed(script);
  });
  let kills: Kill[] = [];
  const begin = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - begin) / 1000)} s`;
  const restarts: Promise<void>[] = [];
  const result = await trial(on, feedback, async ({ restart, ...script }) => {
    const onKill = (_: Kill, count: number): void => {
      if (count % 50 === 0) say(`  ${count} kills, ${seconds()}`);
      if (restart && count % KILLS_A_RESTART === 0) restarts.push((restarts.at(-1) ?? Promise.resolve()).then(restart));
    };
    kills = await runWithKills({ ...script, undisturbed, kills: wanted, seed, onKill });
    await Promise.all(restarts);
  });

  const tallies = talliesOf(model, result, feedback);
  const strange = differences(model.graph, result.graph);
  const named = new Set(kills.filter(({ how }) => how === "point").map(({ point }) => point));
  // Points that a process reaches only by chance, when it ends while another's runs are in
  // progress, can't be aimed at.
  const isByChance = (point: string): boolean => (undisturbed.get(point) ?? 0) < feedback / 20;
  const points = [...undisturbed.keys()];
  const spared = points.filter((point) => !named.has(point) && !isByChance(point));

  say(tallyTable(tallies));
  say(`graph: ${result.graph.length} triples, ${strange.length} differ from those of the undisturbed run`);
  say(`tickets asked for again with the same key, and given once: ${result.ticketRepetitions}`);
  say(
    `kills: ${kills.length}, ${kills.filter(({ how }) => how === "point").length} at ${named.size} named points, the rest at random`,
  );
  if (restarts.length > 0) say(`kills of the server that has the runs: ${restarts.length}`);
  const chances = points.filter(isByChance);
  if (chances.length > 0) say(`reached by chance, and not demanded: ${chances.join(", ")}`);
  const faults = [
    ...tallies.filter((one) => !isClean(one)).map((one) => JSON.stringify(one)),
    ...strange.slice(0, 10).map((line) => `differs: ${line}`),
    ...spared.map((point) => `never killed at ${point}`),
    ...(kills.length < wanted ? [`the work was done after ${kills.length} kills`] : []),
    ...decisionFaults(result),
    ...(model.mails.length * model.tickets.length === 0 ? ["the undisturbed run sent no email or made no ticket"] : []),
  ];
  for (const fault of faults) say(fault);
  say(`${faults.length === 0 ? "clean" : "NOT CLEAN"} after ${seconds()}`);
  return faults.length === 0;
}

function talliesOf(model: Trace, result: Trace, feedback: number): Tally[] {
  const keys = (receipts: readonly { key: string }[]): string[] => receipts.map(({ key }) => key);
  const all = Array.from({ length: feedback }, (_, n) => feedbackItem(n).feedback_id);
  const completed = result.completed.map((key) => ({ key, identity: key }));
  // Compared by rendering: the email for such feedback must be the one that a person approved.
  const approved = result.mails.filter(({ key }) => verdictOn(key) !== undefined);
  const approvedWindows = new Map(approved.map(({ key, rendering }) => [rendering, result.windows.get(key) ?? 0]));
  return [
    tally({ name: "runs completed", expected: all, received: completed }),
    tally({ name: "emails", expected: keys(model.mails), received: result.mails, windows: result.windows }),
    tally({
      name: "emails agreed to",
      expected: result.decisions.flatMap(({ agreed }) => agreed ?? []),
      received: approved.map(({ rendering, identity }) => ({ key: rendering, identity })),
      windows: approvedWindows,
    }),
    tally({ name: "tickets", expected: keys(model.tickets), received: result.tickets }),
  ];
}

/** What the tallies do not show: that people decided as planned, and that their edits were sent. */
function decisionFaults({ decisions, mails }: Trace): string[] {
  const kinds = new Set(decisions.map(({ decision }) => decision));
  return [
    ...["approve", "edit", "reject"].filter((kind) => !kinds.has(kind)).map((kind) => `nobody decided to ${kind}`),
    ...decisions
      .filter(({ key, decision }) => decision !== verdictOn(key))
      .map(({ key }) => `decided otherwise: ${key}`),
    ...mails
      .filter(({ key, text }) => (verdictOn(key) === "edit") !== (text === editedText(key)))
      .map(({ key }) => `other words: ${key}`),
  ];
}
