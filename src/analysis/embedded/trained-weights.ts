import type { Category } from "../categories.ts";
import type { Sentiment } from "../sentiment-analyzer.ts";

/** What is added to the shipped sentiment model. */
export interface SentimentAdjustment {
  /** To the weights of `OUTCOMES` of buckets of words, by the number of the bucket. At most `MAX_WORD_WEIGHT` either way. */
  words: Record<string, [negative: number, positive: number]>;
  /** To the logit of a judgement's being right, from `MIN_SHIFT` to `MAX_SHIFT`. */
  sureness: Record<Sentiment, number>;
}

/** Training stays below 6: its decay of 0.1 stops each of the two weights whose difference this is before 3. */
export const MAX_WORD_WEIGHT = 10;

/** How far the logit of a score may move. That of praise may only fall: too high, an unhappy customer is thanked. */
export const MIN_SHIFT = -1.5;
export const MAX_SHIFT: Record<Sentiment, number> = { positive: 0, negative: 1.5, neutral: 1.5 };

/** For each category whose bound is another one: the evidence that it takes, 0 to 1. */
export type CategoryBounds = Partial<Record<Exclude<Category, "general">, number>>;

/** What was fitted to labels of one's own. Either part is absent where nothing better than what ships was found. */
export interface Fits {
  sentiment?: SentimentAdjustment;
  categories?: CategoryBounds;
}

/** Fits as they are kept in the data directory. */
export interface TrainedWeights extends Fits {
  /** Names the fits in provenance: the first twelve digits of their SHA-256. */
  version: string;
  /** Versions of the analysers that ship, which the fits belong to. */
  base: { sentiment: string; categories: string };
  /** ISO 8601, UTC. */
  trained_at: string;
  /** How many labelled texts stand behind them. */
  texts: { sentiment: number; categories: number };
}

/** The shipped analysers that fits of today belong to: fits of others are about other inputs. */
export const BASE_VERSIONS = { sentiment: "9", categories: "8" } as const;

/** Whether the fits belong to the analysers of this version of the package. */
export const isForThisVersion = ({ base }: TrainedWeights): boolean =>
  base.sentiment === BASE_VERSIONS.sentiment && base.categories === BASE_VERSIONS.categories;

/** The version of an analyser, with that of the fits where it uses some. */
export const versionWith = (part: keyof typeof BASE_VERSIONS, trained: TrainedWeights | undefined): string =>
  trained?.[part] === undefined ? BASE_VERSIONS[part] : `${BASE_VERSIONS[part]}+${trained.version}`;
