// Prints how the embedded analysers judge each set if it is left out, and whether that meets our
// goals:
//   npm run eval:leave-one-out -- <folder>
// Sentiment is judged by weights that have not seen the set, and then also without the opinion
// words of our own lexicon that occur in no other set. For both, the script prints the calibration
// errors and the effect of `THANK_ABOVE`.
//
// Categories are found with all phrases, which were chosen with these sets at hand, and then
// without the phrases that occur in no other set.
//
// docs/text-analysis.md has these figures, among others, and names the sets. The folder has the
// format of `abi-workflows eval`.
import { EmbeddedFeedbackCategorizer } from "../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { SENTIMENTS } from "../../src/analysis/sentiment-analyzer.ts";
import { DEFAULT_THANK_ABOVE } from "../../src/workflows/customer-feedback/policy.ts";
import { readLabelledSets } from "../labelled-sets.ts";
import { scoreCategories } from "../score-categories.ts";
import { calibrationError, mean } from "../scores.ts";
import { scoreSentiment } from "../score-sentiment.ts";
import { labelledTexts, textsOfSharedOpinions } from "../training/examples.ts";
import { answerLeftOut, type LeftOutAnswer } from "../training/left-out.ts";
import { sharedClues } from "../training/shared-clues.ts";
import { thanksAt } from "../training/thanks.ts";

const BOUNDS = [0, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9];

const [folder, ...rest] = process.argv.slice(2);
if (folder === undefined || folder.startsWith("-") || rest.length > 0) {
  console.error("usage: npm run eval:leave-one-out -- <folder>");
  process.exit(2);
}
const { sentiment: sets, categories } = await readLabelledSets(folder);
const targets: { target: string; wanted: string; measured: string; met: boolean }[] = [];

const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;

function atMost(target: string, value: number, most: number, show = percent): void {
  targets.push({ target, wanted: `at most ${show(most)}`, measured: show(value), met: value <= most });
}

function atLeast(target: string, value: number, least: number, show = percent): void {
  targets.push({ target, wanted: `at least ${show(least)}`, measured: show(value), met: value >= least });
}

const figure = (value: number): string => value.toFixed(3);

function reportSentiment(title: string, answers: readonly LeftOutAnswer[]): void {
  console.log(`\n${title}`);
  const scores = sets.map(({ name, rows }, source) => {
    const { macroF1, accuracy } = scoreSentiment(
      rows,
      answers.filter(({ text }) => text.source === source),
    );
    console.log(`  ${name.padEnd(20)} macro-F1 ${figure(macroF1)}  right ${figure(accuracy)}`);
    return macroF1;
  });
  const unhappy = answers.filter(({ text }) => text.sentiment === "negative");
  const found = unhappy.filter(({ sentiment }) => sentiment === "negative").length / Math.max(1, unhappy.length);
  console.log(`  mean macro-F1 ${figure(mean(scores))}, recall of all negatives ${figure(found)}`);
  for (const sentiment of SENTIMENTS) {
    const own = answers.filter((answer) => answer.sentiment === sentiment);
    const error = calibrationError(
      own.map(({ score, text }) => ({ confidence: score, right: text.sentiment === sentiment })),
    );
    console.log(`  calibration error of ${sentiment} ${figure(error)}, of ${own.length} answers`);
    atMost(`${title}: calibration error of ${sentiment}`, error, 0.05, (value) => value.toFixed(4));
  }
  console.log("\n  bound  unhappy and thanked  pleased and thanked  of those found  held back  thanks to unhappy");
  for (const bound of BOUNDS) {
    const { angryThanked, pleasedThanked, foundThanked, heldBack, wrongThanks } = thanksAt(answers, bound);
    const cells = [angryThanked, pleasedThanked, foundThanked, heldBack, wrongThanks].map((one) => percent(one));
    const [angry = "", pleased = "", found = "", held = "", wrong = ""] = cells;
    console.log(
      `  ${bound.toFixed(2)}   ${angry.padStart(19)}  ${pleased.padStart(19)}  ${found.padStart(14)}  ${held.padStart(9)}  ${wrong.padStart(17)}`,
    );
  }
  const shares = thanksAt(answers, DEFAULT_THANK_ABOVE);
  atMost(`${title}: unhappy and thanked at ${DEFAULT_THANK_ABOVE}`, shares.angryThanked, 0.05);
  atLeast(`${title}: pleased and found, thanked at ${DEFAULT_THANK_ABOVE}`, shares.foundThanked, 0.6);
}

function reportFoundCategories(title: string, find: (text: string) => readonly string[]): number {
  console.log(`\n${title}`);
  const scores = categories.map(({ name, rows }) => {
    const { macroF1, perClass } = scoreCategories(
      rows,
      rows.map(({ text }) => ({ categories: find(text) })),
    );
    const classes = Object.entries(perClass).map(
      ([category, { precision, recall }]) => `${category} ${precision.toFixed(2)}/${recall.toFixed(2)}`,
    );
    console.log(`  ${name.padEnd(20)} macro-F1 ${figure(macroF1)}  precision/recall ${classes.join("  ")}`);
    return macroF1;
  });
  console.log(`  mean macro-F1 ${figure(mean(scores))}`);
  return mean(scores);
}

function reportCategories(): void {
  const categorizer = new EmbeddedFeedbackCategorizer();
  const known = reportFoundCategories(
    "categories, by phrases that were chosen with knowledge of these texts",
    (text) => categorizer.categorize(text).categories,
  );
  atLeast("categories, sets that the phrases know: mean macro-F1", known, 0.76, figure);
  const shared = sharedClues([...sets, ...categories]);
  const lowerBound = reportFoundCategories(
    "categories without clues that occur in only one set (a lower bound for new texts)",
    shared.withoutWhatTheyCover,
  );
  reportFoundCategories(
    "categories as if the lexicon lacked those clues, but not the shorter ones inside them",
    shared.withoutThem,
  );
  atLeast("categories, clues that occur in no other set left out: mean macro-F1", lowerBound, 0.68, figure);
  const texts = [...sets, ...categories].flatMap(({ rows }) => rows.map(({ text }) => text));
  const legal = texts.filter((text) => categorizer.categorize(text).categories.includes("legal")).length;
  console.log(`  legal in ${legal} of ${texts.length} texts about other things`);
  atMost("categories: legal in texts about other things", legal / texts.length, 0.0005, (share) => percent(share, 3));
}

if (sets.length > 0) {
  reportSentiment("each set left out", answerLeftOut(labelledTexts(sets)));
  reportSentiment(
    "each set left out, and opinions that occur in no other set",
    answerLeftOut(textsOfSharedOpinions(sets)),
  );
}
if (categories.length > 0) reportCategories();

console.log("\ntargets");
for (const { target, wanted, measured, met } of targets) {
  console.log(`  ${met ? "met   " : "MISSED"}  ${target}: ${measured} (${wanted})`);
}
