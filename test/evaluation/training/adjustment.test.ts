import { describe, expect, it } from "vitest";
import { yarnShop } from "../../../evaluation/scripts/yarn-shop.ts";
import { answersOf, fitAdjustment, fitShift } from "../../../evaluation/training/adjustment.ts";
import { labelledTexts, type LabelledText } from "../../../evaluation/training/examples.ts";
import { foldOf } from "../../../evaluation/training/folds.ts";
import type { LeftOutAnswer } from "../../../evaluation/training/left-out.ts";
import {
  SentimentModel,
  type SentimentWeights,
} from "../../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import { MAX_SHIFT, MIN_SHIFT } from "../../../src/analysis/embedded/trained-weights.ts";
import { readData } from "../../../src/analysis/read-data.ts";
import type { Sentiment } from "../../../src/analysis/sentiment-analyzer.ts";

const FLIPPED: Record<Sentiment, Sentiment> = { positive: "negative", neutral: "positive", negative: "neutral" };
const WEIGHTS = readData(
  "../../../src/analysis/embedded/sentiment-model/weights.json",
  import.meta.url,
) as SentimentWeights;

const ROWS = yarnShop(300);
const textsWith = (rows: typeof ROWS): LabelledText[] => labelledTexts([{ name: "own", rows }]);

it("judges held-out texts without having seen their labels", () => {
  const flipped = ROWS.map(({ text, label }) => ({ text, label: foldOf(text) === 0 ? FLIPPED[label] : label }));
  const judged = (rows: typeof ROWS): object[] =>
    fitAdjustment(textsWith(rows), WEIGHTS)
      .after.filter(({ text }) => foldOf(text.text) === 0)
      .map(({ text, sentiment, score }) => ({ text: text.text, sentiment, score }));
  expect(judged(ROWS).length).toBeGreaterThan(30);
  expect(judged(flipped)).toEqual(judged(ROWS));
});

it("answers with the words of other folds, and with a shift", () => {
  const { before, after, adjustment } = fitAdjustment(textsWith(ROWS), WEIGHTS);
  const right = (answers: readonly LeftOutAnswer[]): number =>
    answers.filter(({ text, sentiment }) => text.sentiment === sentiment).length;
  expect(right(after)).toBeGreaterThan(right(before) + 100);
  const unshifted = { ...adjustment, sureness: { positive: 0, negative: 0, neutral: 0 } };
  const scores = (answers: readonly LeftOutAnswer[]): number[] => answers.map(({ score }) => score);
  const texts = textsWith(ROWS);
  expect(scores(answersOf(new SentimentModel(WEIGHTS, adjustment), texts))).not.toEqual(
    scores(answersOf(new SentimentModel(WEIGHTS, unshifted), texts)),
  );
});

describe("fitShift", () => {
  /** This many answers with a score, of which this many are right. */
  const answers = (sentiment: Sentiment, { score, right }: { score: number; right: number }): LeftOutAnswer[] =>
    Array.from({ length: 200 }, (_, at) => ({
      text: { sentiment: at < right ? sentiment : FLIPPED[sentiment] } as LabelledText,
      sentiment,
      score,
    }));

  it("moves scores towards the share of right answers, less so if there are few", () => {
    const { negative, neutral } = fitShift([
      ...answers("negative", { score: 0.8, right: 120 }),
      ...answers("neutral", { score: 0.5, right: 150 }).slice(0, 4),
    ]);
    const shifted = 1 / (1 + Math.exp(-(Math.log(0.8 / 0.2) + negative)));
    expect(shifted).toBeCloseTo(0.6, 1);
    expect(neutral).toBeGreaterThan(0);
    expect(neutral).toBeLessThan(0.4);
  });

  it("never makes praise more certain, and stays within its bounds", () => {
    expect(fitShift(answers("positive", { score: 0.5, right: 200 })).positive).toBe(MAX_SHIFT.positive);
    expect(fitShift(answers("negative", { score: 0.1, right: 200 })).negative).toBe(MAX_SHIFT.negative);
    expect(fitShift(answers("positive", { score: 0.95, right: 0 })).positive).toBe(MIN_SHIFT);
    expect(fitShift([])).toEqual({ positive: 0, negative: 0, neutral: 0 });
  });
});
