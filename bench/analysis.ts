// The cost of the embedded text analysis:
//   node bench/analysis.ts [folder of labelled texts]
// Without a folder, a few made-up texts are used, which are shorter than real ones. Start-up is
// measured with the compiled package if it was built (npm run build), because the sources take
// longer to load.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLabelledSets } from "../evaluation/labelled-sets.ts";
import { EmbeddedFeedbackCategorizer, EmbeddedSentimentAnalyzer } from "../src/analysis.ts";
import { HOSTILE_TEXTS } from "../test/analysis/hostile-texts.ts";
import { median, report } from "./support/measure.ts";

const MAX_TEXT_LENGTH = 20_000;
const STARTS = 21;
const FIRST_TEXTS = 3;
const GERMAN = "Das Produkt ist leider kaputt angekommen und niemand antwortet.";
const MADE_UP_TEXTS = [
  "The product is great and I love the new design!",
  "I was charged twice this month and nobody answers my emails.",
  "It crashes every time I open the settings. Not good at all, but support was friendly.",
  "Is there a way to export my data as a spreadsheet?",
];

const [folder] = process.argv.slice(2);
const sets = folder === undefined ? undefined : await readLabelledSets(folder);
const labelled = sets && [...sets.sentiment, ...sets.categories].flatMap(({ rows }) => rows.map(({ text }) => text));
const texts = labelled ?? Array.from({ length: 4000 }, (_, n) => `${MADE_UP_TEXTS[n % MADE_UP_TEXTS.length]} (${n})`);

const analyzer = new EmbeddedSentimentAnalyzer();
const categorizer = new EmbeddedFeedbackCategorizer();
const judge = (text: string): void => {
  analyzer.analyze(text);
  categorizer.categorize(text);
};

// Processor time, so that other programs on the machine don't matter.
const msForAll = Array.from({ length: 5 }, () => {
  const before = process.cpuUsage();
  texts.forEach(judge);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}).sort((one, other) => one - other)[2]!;

let slowest = { ms: 0, what: "" };
for (const [what, text] of Object.entries(HOSTILE_TEXTS)) {
  const long = text.slice(0, MAX_TEXT_LENGTH);
  // A different text each time, because the last one is cached.
  const ms = await median(5, (round) => judge(`${round} ${long}`.slice(0, MAX_TEXT_LENGTH)));
  if (ms > slowest.ms) slowest = { ms, what };
}

report([
  [
    "sentiment and categories",
    `${Math.round((texts.length / msForAll) * 1000)} texts a second of processor time (${texts.length} texts)`,
  ],
  [`slowest hostile text of ${MAX_TEXT_LENGTH} characters`, `${slowest.ms.toFixed(1)} ms (${slowest.what})`],
  ...starts(),
  ...[MAX_TEXT_LENGTH, HOSTILE_TEXTS["one word"]!.length].map((length) => slowestFirst(length)),
]);

/** The folder of the package, compiled if possible, and the ending of its files. */
function builtPackage(): [root: URL, ending: string] {
  const compiled = new URL("../dist/", import.meta.url);
  return existsSync(compiled) ? [compiled, "js"] : [new URL("../", import.meta.url), "ts"];
}

/**
 * The hostile text that takes longest as the first text that a process judges, once the analysers
 * are imported.
 */
function slowestFirst(length: number): [what: string, figure: string] {
  const [root, ending] = builtPackage();
  const script = `
    const { HOSTILE_TEXTS } = await import(${JSON.stringify(new URL("../test/analysis/hostile-texts.ts", import.meta.url))});
    const analysis = await import("${root.href}src/analysis.${ending}");
    const text = HOSTILE_TEXTS[process.argv[1]].slice(0, ${length});
    const begin = performance.now();
    new analysis.EmbeddedSentimentAnalyzer().analyze(text);
    new analysis.EmbeddedFeedbackCategorizer().categorize(text);
    console.log(performance.now() - begin);`;
  const msOfFirstText = (what: string): number =>
    Number(execFileSync(process.execPath, ["--input-type=module", "-e", script, what], { encoding: "utf8" }));
  const times = Object.keys(HOSTILE_TEXTS).map((what) => ({
    what,
    ms: middle(Array.from({ length: FIRST_TEXTS }, () => msOfFirstText(what))),
  }));
  const slowest = times.reduce((worst, one) => (one.ms > worst.ms ? one : worst));
  return [
    `the slowest of ${length} characters as a process's first text`,
    `${slowest.ms.toFixed(1)} ms (${slowest.what})`,
  ];
}

/**
 * How much longer new processes take than one that does nothing, with and without the compile cache
 * of Node.js.
 */
function starts(): [what: string, figure: string][] {
  const [root, ending] = builtPackage();
  const analysis = `import * as analysis from "${root.href}src/analysis.${ending}";`;
  const judge = (text: string): string => `
    new analysis.EmbeddedSentimentAnalyzer().analyze(${JSON.stringify(text)});
    new analysis.EmbeddedFeedbackCategorizer().categorize(${JSON.stringify(text)});`;
  const scripts = {
    "start-up: both imported, made, first text judged": analysis + judge(MADE_UP_TEXTS[1]!),
    "the same with a first text in German": analysis + judge(GERMAN),
    "for comparison: the whole package imported": `import "${root.href}src/index.${ending}";`,
  };
  const folder = mkdtempSync(join(tmpdir(), "abi-workflows-bench-"));
  const fileOf = (script: string, name: string): string => {
    writeFileSync(join(folder, name), script);
    return join(folder, name);
  };
  try {
    const nothing = fileOf("", "nothing.mjs");
    return Object.entries(scripts).map(([what, script], at) => {
      const file = fileOf(script, `${at}.mjs`);
      const [plain, cached] = [undefined, join(folder, "cache")].map((cache) => beyond(nothing, file, cache));
      return [what, `${plain}, with the compile cache ${cached}`];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function middle(values: number[]): number {
  return values.sort((one, other) => one - other)[Math.floor(values.length / 2)]!;
}

/**
 * How much longer the script in `file` takes than one that does nothing: the difference of their
 * medians, in milliseconds, and as a multiple of an empty script's time. That multiple can be
 * compared between machines.
 */
function beyond(nothing: string, file: string, cache: string | undefined): string {
  const times: Record<string, number[]> = { [nothing]: [], [file]: [] };
  const env = { ...process.env, ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }) };
  for (let start = -1; start < STARTS; start++) {
    for (const script of [nothing, file]) {
      const begin = performance.now();
      execFileSync(process.execPath, [script], { env });
      // The first start fills caches.
      if (start >= 0) times[script]!.push(performance.now() - begin);
    }
  }
  const alone = middle(times[nothing]!);
  const more = middle(times[file]!) - alone;
  return `${more.toFixed(1)} ms = ${(more / alone).toFixed(2)} starts of Node.js`;
}
