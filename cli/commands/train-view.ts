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

const KEPT = "What was trained before stays in use.";
const MAY_HAVE_SEEN = 'The figures "in use" may be too good, because the earlier training may have seen these texts.';

/**
 * What was learned, from how many labels, and how well it works on texts that were not used for
 * training.
 */
export const trainingText = (training: Omit<OwnTraining, "fits" | "isTaken">): string =>
  [
    ...sentimentText(training.sentiment),
    ...(training.kept.sentiment ? [KEPT] : []),
    "",
    ...categoriesText(training.categories),
    ...(training.kept.categories ? [KEPT] : []),
    ...(training.unreadable > 0
      ? ["", `${plural(training.unreadable, "text")} left out: the analysers only read English.`]
      : []),
  ].join("\n");

function sentimentText(sentiment: OwnTraining["sentiment"]): string[] {
  const labels = SENTIMENTS.map((label) => `${count(sentiment.texts[label])} ${label}`).join(", ");
  return [
    bold(`Sentiment: ${labels}`),
    ...("before" in sentiment ? [figuresTable(sentiment)] : []),
    ...("before" in sentiment ? [`${count(sentiment.fixed)} corrected, ${count(sentiment.broken)} newly wrong.`] : []),
    ...("inUse" in sentiment ? [MAY_HAVE_SEEN] : []),
    sentiment.refusal === undefined ? "Accepted." : `Not accepted: ${sentiment.refusal}.`,
  ];
}

function figuresTable({ before, inUse, after }: SentimentTraining): string {
  const columns = [
    { title: "as shipped", figures: before },
    ...(inUse ? [{ title: "in use", figures: inUse }] : []),
    { title: "trained", figures: after },
  ];
  return table(
    [{ title: "on held-out texts" }, ...columns.map(({ title }) => ({ title }))],
    LINES.map(([name, figure]) => [name].concat(columns.map(({ figures }) => figures[figure].toFixed(3)))),
  );
}

function categoriesText({ reports, skipped }: OwnTraining["categories"]): string[] {
  if (reports.length === 0) return [bold("Categories: too few labels for any category")];
  const few = skipped.map(({ category, labelled, others }) => `${category} (${labelled} with it, ${others} without)`);
  const isCompared = reports.some(({ inUse }) => inUse !== undefined);
  return [
    bold("Categories, F1 on held-out texts"),
    table(
      [
        { title: "" },
        { title: "labelled" },
        { title: "as shipped" },
        ...(isCompared ? [{ title: "in use" }] : []),
        { title: "trained" },
        { title: "" },
      ],
      reports.map(({ category, before, inUse, after, isTaken }) => [
        category,
        count(before.support),
        before.f1.toFixed(3),
        ...(isCompared ? [(inUse ?? before).f1.toFixed(3)] : []),
        after.f1.toFixed(3),
        isTaken ? "accepted" : "unchanged",
      ]),
    ),
    ...(few.length > 0 ? [`Too few labels: ${few.join(", ")}.`] : []),
  ];
}
