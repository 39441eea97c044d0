import type { SentimentFeatures } from "./sentiment-features.ts";

const LOOSE_NEGATION = 1.2;
const MAX_LOOSE_NEGATIONS = 2;

/**
 * The balance of a text's opinions: praise minus blame, less something for loose negations. It is
 * divided by the root of the number of opinions, so that a long text isn't certain just because it
 * is long.
 */
export const balance = ({ positive, negative, looseNegations, hits }: SentimentFeatures): number =>
  (positive - negative - LOOSE_NEGATION * Math.min(MAX_LOOSE_NEGATIONS, looseNegations)) /
  Math.sqrt(Math.max(1, hits.length));
