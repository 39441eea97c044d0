import type { Category } from "../categories.ts";
import type { Sentiment } from "../sentiment-analyzer.ts";

/** Adjustments of the shipped sentiment model. */
export interface SentimentAdjustment {
  /**
   * For each bucket of words, by its number: what is added to its weights for `OUTCOMES` (see
   * `sentiment-model.ts`), at most `MAX_WORD_WEIGHT` in either direction.
   */
  words: Record<string, [negative: number, positive: number]>;
  /** Added to the logit of the score, from `MIN_SHIFT` to `MAX_SHIFT`. */
  sureness: Record<Sentiment, number>;
}

/**
 * Training never reaches this bound. What it adds is the difference of two weights, and the decay
 * of 0.1 keeps a weight below 3, so the difference stays below 6.
 */
export const MAX_WORD_WEIGHT = 10;

/**
 * How far the logit of a score may move. That of praise may only fall: if it were too high, an
 * unhappy customer would be thanked.
 */
export const MIN_SHIFT = -1.5;
export const MAX_SHIFT: Record<Sentiment, number> = { positive: 0, negative: 1.5, neutral: 1.5 };

/**
 * How much evidence a category needs, 0 to 1. Only categories whose bound has changed are listed.
 */
export type CategoryBounds = Partial<Record<Exclude<Category, "general">, number>>;

/**
 * What was fitted to your own labels. A part is absent if the shipped one could not be improved.
 */
export interface Fits {
  sentiment?: SentimentAdjustment;
  categories?: CategoryBounds;
}

/** Fits as stored in the data directory. */
export interface TrainedWeights extends Fits {
  /**
   * Identifies the fits in provenance: the first twelve hexadecimal digits of the SHA-256 of the
   * fits and `base`.
   */
  version: string;
  /** Versions of the shipped analysers that the fits belong to. */
  base: { sentiment: string; categories: string };
  /** ISO 8601, UTC. */
  trained_at: string;
  /** The number of labelled texts that they were fitted to. */
  texts: { sentiment: number; categories: number };
}

/**
 * The current versions of the shipped analysers. Fits that belong to another version don't suit
 * these, and are ignored.
 */
export const BASE_VERSIONS = { sentiment: "9", categories: "8" } as const;

/** Whether the fits belong to the analysers of this version of the package. */
export const isForThisVersion = ({ base }: TrainedWeights): boolean =>
  base.sentiment === BASE_VERSIONS.sentiment && base.categories === BASE_VERSIONS.categories;

/** The version of an analyser, plus that of the fits if it uses any. */
export const versionWith = (part: keyof typeof BASE_VERSIONS, trained: TrainedWeights | undefined): string =>
  trained?.[part] === undefined ? BASE_VERSIONS[part] : `${BASE_VERSIONS[part]}+${trained.version}`;
