import type { SentimentFeatures } from "./sentiment-features.ts";

const LOOSE_NEGATION = 1.2;
const MAX_LOOSE_NEGATIONS = 2;

/**
 * The balance of a text's opinions: sums of valence, so that one "great" is worth two "good",
 * divided by the root of their number, so that a long text isn't certain just because it is long.
 */
export const balance = ({ positive, negative, looseNegations, hits }: SentimentFeatures): number =>
  (positive - negative - LOOSE_NEGATION * Math.min(MAX_LOOSE_NEGATIONS, looseNegations)) /
  Math.sqrt(Math.max(1, hits.length));
