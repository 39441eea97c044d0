// Kills customer feedback with -9, over and over, and counts on the receiving side what became of it.
// npm run test:crash                40 kills over 200 pieces of feedback
// npm run test:crash -- --long      300 kills over 2000
// npm run test:crash -- --seed 7    other points and moments
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  differences,
  isClean,
  runUndisturbed,
  runWithKills,
  tally,
  tallyTable,
  type Kill,
  type ReachedPoints,
} from "../../testing/index.ts";
import { feedbackItem } from "./items.ts";
import { trial } from "./trial.ts";

const { values } = parseArgs({ options: { long: { type: "boolean" }, seed: { type: "string", default: "1" } } });
const { feedback, kills: wanted } = values.long ? { feedback: 2000, kills: 300 } : { feedback: 200, kills: 40 };
const seed = Number(values.seed);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), "abi-workflows-crash-"));
// Most of a short life is spent on loading the same modules again. Written by the processes that end well.
process.env["NODE_COMPILE_CACHE"] = join(folder, "compiled");
try {
  say(`${wanted} kills over ${feedback} pieces of feedback, seed ${seed}`);
  let undisturbed: ReachedPoints = new Map();
  const model = await trial(join(folder, "undisturbed"), feedback, async (script) => {
    undisturbed = await runUndisturbed(script);
  });
  let kills: Kill[] = [];
  const begin = Date.now();
  const result = await trial(join(folder, "killed"), feedback, async (script) => {
    const onKill = (_: Kill, count: number): void => {
      if (count % 50 === 0) say(`  ${count} kills, ${Math.round((Date.now() - begin) / 1000)} s`);
    };
    kills = await runWithKills({ ...script, undisturbed, kills: wanted, seed, onKill });
  });

  const keys = (receipts: readonly { key: string }[]): string[] => receipts.map(({ key }) => key);
  const all = Array.from({ length: feedback }, (_, n) => feedbackItem(n).feedback_id);
  const tallies = [
    tally({
      name: "runs completed",
      expected: all,
      received: result.completed.map((key) => ({ key, identity: key })),
    }),
    tally({ name: "mails", expected: keys(model.mails), received: result.mails, windows: result.windows }),
    tally({ name: "tickets", expected: keys(model.tickets), received: result.tickets }),
  ];
  const strange = differences(model.graph, result.graph);
  const spared = [...undisturbed.keys()].filter(
    (point) => !kills.some((kill) => kill.how === "point" && kill.point === point),
  );
  const named = kills.filter(({ how }) => how === "point").length;

  say(tallyTable(tallies));
  say(`graph: ${result.graph.length} triples, ${strange.length} differ from those of the undisturbed run`);
  say(`tickets asked for again with the same key, and given once: ${result.ticketRepetitions}`);
  say(`kills: ${kills.length}, ${named} at ${undisturbed.size - spared.length} named points, the rest at random`);
  const faults = [
    ...tallies.filter((one) => !isClean(one)).map((one) => JSON.stringify(one)),
    ...strange.slice(0, 10).map((line) => `differs: ${line}`),
    ...spared.map((point) => `never killed at ${point}`),
    ...(kills.length < wanted ? [`the work was done after ${kills.length} kills`] : []),
    ...(model.mails.length * model.tickets.length === 0 ? ["the undisturbed run sent no mail or made no ticket"] : []),
  ];
  for (const fault of faults) say(fault);
  say(`${faults.length === 0 ? "clean" : "NOT CLEAN"} after ${Math.round((Date.now() - begin) / 1000)} s`);
  if (faults.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
