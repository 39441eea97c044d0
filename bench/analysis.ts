// What the embedded text analysis costs:   node bench/analysis.ts [folder of labelled texts]
// Without a folder a few made-up texts are used, which are shorter than real ones. Start-up is that of the compiled package
// where it has been built (npm run build), for the sources cost more to load.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readLabelledSets } from "../src/analysis/evaluation/labelled-sets.ts";
import { EmbeddedFeedbackCategorizer, EmbeddedSentimentAnalyzer } from "../src/index.ts";
import { HOSTILE_TEXTS } from "../test/analysis/hostile-texts.ts";
import { median, report } from "./measure.ts";

const LONGEST_TEXT = 20_000;
const STARTS = 7;
const FEW = [
  "The product is great and I love the new design!",
  "I was charged twice this month and nobody answers my mails.",
  "It crashes every time I open the settings. Not good at all, but support was friendly.",
  "Is there a way to export my data as a spreadsheet?",
];

const [folder] = process.argv.slice(2);
const sets = folder === undefined ? undefined : await readLabelledSets(folder);
const labelled = sets && [...sets.sentiment, ...sets.categories].flatMap(({ rows }) => rows.map(({ text }) => text));
const texts = labelled ?? Array.from({ length: 4000 }, (_, n) => `${FEW[n % FEW.length]} (${n})`);

const analyzer = new EmbeddedSentimentAnalyzer();
const categorizer = new EmbeddedFeedbackCategorizer();
const judge = (text: string): void => {
  analyzer.analyze(text);
  categorizer.categorize(text);
};

// Processor time, so that what else runs on the machine counts for nothing.
const all = Array.from({ length: 5 }, () => {
  const before = process.cpuUsage();
  texts.forEach(judge);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}).sort((one, other) => one - other)[2]!;

let slowest = { ms: 0, what: "" };
for (const [what, text] of Object.entries(HOSTILE_TEXTS)) {
  const long = text.slice(0, LONGEST_TEXT);
  // Another text each time: the last one is remembered.
  const ms = await median(5, (round) => judge(`${round} ${long}`.slice(0, LONGEST_TEXT)));
  if (ms > slowest.ms) slowest = { ms, what };
}

report([
  [
    "sentiment and categories",
    `${Math.round((texts.length / all) * 1000)} texts a second of processor time (${texts.length} texts)`,
  ],
  [`slowest hostile text of ${LONGEST_TEXT} characters`, `${slowest.ms.toFixed(1)} ms (${slowest.what})`],
  ["start-up: both imported, first text judged", `${startUp().toFixed(1)} ms`],
]);

/** Median over processes of their own, without the start of Node.js itself. Milliseconds. */
function startUp(): number {
  const compiled = new URL("../dist/src/analysis/embedded/", import.meta.url);
  const [rooms, ending] = existsSync(compiled)
    ? [compiled, "js"]
    : [new URL("../src/analysis/embedded/", import.meta.url), "ts"];
  const script = `
    const start = performance.now();
    const { EmbeddedSentimentAnalyzer } = await import("${rooms.href}embedded-sentiment-analyzer.${ending}");
    const { EmbeddedFeedbackCategorizer } = await import("${rooms.href}embedded-feedback-categorizer.${ending}");
    new EmbeddedSentimentAnalyzer().analyze(${JSON.stringify(FEW[1])});
    new EmbeddedFeedbackCategorizer().categorize(${JSON.stringify(FEW[1])});
    console.log(performance.now() - start);`;
  const times = Array.from({ length: STARTS }, () =>
    Number(execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" })),
  );
  return times.sort((one, other) => one - other)[Math.floor(STARTS / 2)]!;
}
