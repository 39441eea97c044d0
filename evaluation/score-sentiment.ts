import type { Sentiment } from "../src/analysis/sentiment-analyzer.ts";
import type { SentimentRow } from "./labelled-sets.ts";
import { calibrationError, Counts, mean, type ClassScores } from "./scores.ts";

export interface SentimentAnswer {
  sentiment: Sentiment;
  /** Absent if an analyser doesn't say how sure it is. */
  score?: number;
}

export interface SentimentScores {
  texts: number;
  accuracy: number;
  /** Mean F1 of the classes in the set. */
  macroF1: number;
  perClass: Partial<Record<Sentiment, ClassScores>>;
  /** `confusion.negative.neutral`: negative texts that were classified as neutral. */
  confusion: Partial<Record<Sentiment, Partial<Record<Sentiment, number>>>>;
  /** See `calibrationError`; absent if the analyser gives no scores. */
  calibrationError?: number;
}

/**
 * Compares answers with labels, row by row. Only classes that occur in the set count toward
 * `macroF1`. So in a set without neutral texts, the answer "neutral" only lowers the recall of the
 * other classes.
 */
export function scoreSentiment(rows: readonly SentimentRow[], answers: readonly SentimentAnswer[]): SentimentScores {
  const counts = new Map([...new Set(rows.map(({ label }) => label))].toSorted().map((label) => [label, new Counts()]));
  const confusion: SentimentScores["confusion"] = {};
  const sure: { confidence: number; right: boolean }[] = [];
  let right = 0;
  rows.forEach(({ label }, at) => {
    const answer = answers[at];
    if (answer === undefined) throw new RangeError("there are fewer answers than rows");
    const { sentiment, score } = answer;
    const given = (confusion[label] ??= {});
    given[sentiment] = (given[sentiment] ?? 0) + 1;
    if (score !== undefined) sure.push({ confidence: score, right: sentiment === label });
    const own = counts.get(label);
    if (sentiment === label) {
      right += 1;
      if (own) own.hits += 1;
      return;
    }
    if (own) own.misses += 1;
    const other = counts.get(sentiment);
    if (other) other.falseAlarms += 1;
  });
  const perClass = Object.fromEntries([...counts].map(([label, count]) => [label, count.scores()]));
  return {
    texts: rows.length,
    accuracy: rows.length === 0 ? 0 : right / rows.length,
    macroF1: mean(Object.values(perClass).map(({ f1 }) => f1)),
    perClass,
    confusion,
    ...(sure.length > 0 && sure.length === rows.length && { calibrationError: calibrationError(sure) }),
  };
}
