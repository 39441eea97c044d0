import { SENTIMENTS } from "../../src/analysis/sentiment-analyzer.ts";
import { bold, count, plural } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import type { OwnTraining, SentimentFigures, SentimentTraining } from "../../evaluation/training/train-own.ts";

const LINES: readonly [name: string, figure: keyof SentimentFigures][] = [
  ["macro-F1", "macroF1"],
  ["right", "accuracy"],
  ["negatives found", "negativesFound"],
  ["unhappy customers thanked", "unhappyThanked"],
  ["calibration error", "calibrationError"],
];

/** What was learned from how many labels, and how it fares on texts that it has not seen. */
export const trainingText = (training: Omit<OwnTraining, "fits">): string =>
  [
    ...sentimentText(training.sentiment),
    "",
    ...categoriesText(training.categories),
    ...(training.unreadable > 0 ? ["", `${plural(training.unreadable, "text")} in other languages left out.`] : []),
  ].join("\n");

function sentimentText(sentiment: OwnTraining["sentiment"]): string[] {
  const labels = SENTIMENTS.map((label) => `${count(sentiment.texts[label])} ${label}`).join(", ");
  return [
    bold(`Sentiment: ${labels}`),
    ...("before" in sentiment ? [figuresTable(sentiment)] : []),
    ...("before" in sentiment ? [`${count(sentiment.fixed)} put right, ${count(sentiment.broken)} got wrong.`] : []),
    sentiment.refusal === undefined ? "Taken." : `Not taken: ${sentiment.refusal}.`,
  ];
}

const figuresTable = ({ before, after }: SentimentTraining): string =>
  table(
    [{ title: "on held-out texts" }, { title: "as shipped" }, { title: "trained" }],
    LINES.map(([name, figure]) => [name, before[figure].toFixed(3), after[figure].toFixed(3)]),
  );

function categoriesText({ reports, skipped }: OwnTraining["categories"]): string[] {
  if (reports.length === 0) return [bold("Categories: too few labels of any")];
  const few = skipped.map(({ category, labelled, others }) => `${category} (${labelled} with it, ${others} without)`);
  return [
    bold("Categories, F1 on held-out texts"),
    table(
      [{ title: "" }, { title: "labelled" }, { title: "as shipped" }, { title: "trained" }, { title: "" }],
      reports.map(({ category, before, after, isTaken }) => [
        category,
        count(before.support),
        before.f1.toFixed(3),
        after.f1.toFixed(3),
        isTaken ? "taken" : "stays as it is",
      ]),
    ),
    ...(few.length > 0 ? [`Too few labels: ${few.join(", ")}.`] : []),
  ];
}
