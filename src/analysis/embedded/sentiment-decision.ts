import type { Sentiment } from "../sentiment-analyzer.ts";
import type { SentimentFeatures } from "./sentiment-features.ts";

// Tuned on review sentences, tweets and whole reviews of seven sources, for the mean of their macro-F1.
const LOOSE_NEGATION = 1.2;
const MOST_LOOSE_NEGATIONS = 2;
const POSITIVE_FROM = 0.8;
const NEGATIVE_FROM = -0.2;

/**
 * The balance of a text's opinions: sums of valence, so that one great word is worth two good ones, damped by the root
 * of their number, so that a long text isn't sure just because it is long.
 */
export const balance = ({ positive, negative, looseNegations, hits }: SentimentFeatures): number =>
  (positive - negative - LOOSE_NEGATION * Math.min(MOST_LOOSE_NEGATIONS, looseNegations)) /
  Math.sqrt(Math.max(1, hits.length));

/** How sure at a distance from the nearest threshold: grows from 0.5 towards 1. */
const sureness = (distance: number): number => 1 - 0.5 * Math.exp(-distance / 2);

/** @returns label and score, 0.4 to 1: how far the balance is beyond, or for `neutral` within, the thresholds */
export function decideSentiment(features: SentimentFeatures): { sentiment: Sentiment; score: number } {
  const sum = balance(features);
  if (sum > POSITIVE_FROM) return { sentiment: "positive", score: sureness(sum - POSITIVE_FROM) };
  if (sum < NEGATIVE_FROM) return { sentiment: "negative", score: sureness(NEGATIVE_FROM - sum) };
  return { sentiment: "neutral", score: 0.4 + Math.min(POSITIVE_FROM - sum, sum - NEGATIVE_FROM) / 5 };
}
