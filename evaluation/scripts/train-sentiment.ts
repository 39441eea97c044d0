// Trains the sentiment model on a folder of labelled texts. Prints how good it is on texts that it
// has not seen, how good other analysers are, the figures for categories, and whether the shipped
// weights can be reproduced. With --write, writes
// src/analysis/embedded/sentiment-model/weights.json:
//   node evaluation/scripts/train-sentiment.ts <folder> [--write]
// The same texts give the same bytes. The folder has the format of `abi-workflows eval`;
// docs/text-analysis.md names the sets.
import { readFileSync, writeFileSync } from "node:fs";
import { readLabelledSets } from "../labelled-sets.ts";
import { mean } from "../scores.ts";
import { scoreSentiment, type SentimentScores } from "../score-sentiment.ts";
import { compare } from "./comparison.ts";
import { labelledTexts, textsOfSharedOpinions } from "../training/examples.ts";
import { FOLDS, foldOf } from "../training/folds.ts";
import { decide, predict, scoresBySource, trainWeights } from "../training/fit.ts";
import { answerLeftOut, fit, predictLeftOut, type LeftOutAnswer } from "../training/left-out.ts";

const WEIGHTS = new URL("../../src/analysis/embedded/sentiment-model/weights.json", import.meta.url);

const [folder, option] = process.argv.slice(2);
if (folder === undefined || folder.startsWith("-") || (option !== undefined && option !== "--write")) {
  console.error("usage: node evaluation/scripts/train-sentiment.ts <folder> [--write]");
  process.exit(2);
}
const labelled = await readLabelledSets(folder);
const { sentiment: sets } = labelled;
const texts = labelledTexts(sets);

const ofSource = (answers: readonly LeftOutAnswer[], source: number): LeftOutAnswer[] =>
  answers.filter(({ text }) => text.source === source);

const scoresOf = (answers: readonly LeftOutAnswer[]): SentimentScores[] =>
  sets.map(({ rows }, source) => scoreSentiment(rows, ofSource(answers, source)));

const folded = Array.from({ length: FOLDS }, (_, fold) =>
  predict(
    trainWeights(texts.filter(({ text }) => foldOf(text) !== fold)),
    texts.filter(({ text }) => foldOf(text) === fold),
  ),
).flat();

const fitted = fit(predictLeftOut(texts));
report("each set by weights that never saw it (leave one set out)", scoresOf(answerLeftOut(texts)));
report(
  "the same without opinions that occur in only one set (a lower bound for new texts)",
  scoresOf(answerLeftOut(textsOfSharedOpinions(sets))),
);
report(
  `in-domain (${FOLDS}-fold)`,
  scoresBySource(folded, (prediction) => decide(prediction, fitted)),
);

console.log((await compare(labelled)).join("\n"));

const content = `${JSON.stringify({ ...trainWeights(texts), ...fitted }, null, 1)}\n`;
if (option === "--write") writeFileSync(WEIGHTS, content);
else
  console.log(
    content === readFileSync(WEIGHTS, "utf8")
      ? "the shipped weights can be reproduced, byte for byte"
      : "the shipped weights are different",
  );
console.log(`${Math.ceil(content.length / 1000)} kB, bias ${fitted.bias.join(" ")}`);

function report(title: string, scores: readonly SentimentScores[]): void {
  console.log(`\n${title}`);
  let missed = 0;
  let negatives = 0;
  sets.forEach(({ name }, at) => {
    const { macroF1, accuracy, perClass, calibrationError } = scores[at]!;
    const { recall = 0, support = 0 } = perClass.negative ?? {};
    missed += (1 - recall) * support;
    negatives += support;
    const classes = Object.entries(perClass).map(([name, { f1 }]) => `${name} ${f1.toFixed(2)}`);
    console.log(
      `  ${name.padEnd(20)} macro-F1 ${macroF1.toFixed(3)}  accuracy ${accuracy.toFixed(3)}  ECE ${calibrationError?.toFixed(3)}  ${classes.join("  ")}`,
    );
  });
  console.log(
    `  mean macro-F1 ${mean(scores.map(({ macroF1 }) => macroF1)).toFixed(4)}, recall of all negatives ${(1 - missed / negatives).toFixed(3)}`,
  );
}
