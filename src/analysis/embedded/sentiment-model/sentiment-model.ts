import type { Sentiment } from "../../sentiment-analyzer.ts";
import type { SentimentFeatures } from "../sentiment-features.ts";
import type { SentimentAdjustment } from "../trained-weights.ts";
import { opinionInputs, visitWords, wordBuckets } from "./inputs.ts";
import { NEUTRAL_INTERCEPTS, sureness } from "./sureness.ts";

/** The outcomes that have logits. `neutral` is the third; its logit is always 0. */
export const OUTCOMES = ["negative", "positive"] as const;

/**
 * A multinomial logistic regression as stored in a file, which
 * `evaluation/scripts/train-sentiment.ts` generates.
 */
export interface SentimentWeights {
  /** For each opinion input, the weights of `OUTCOMES`. */
  opinions: number[][];
  /** Base64 of signed bytes: for each bucket of words, the weights of `OUTCOMES`. */
  words: string;
  /** The value of one step of such a byte. */
  wordScale: number;
  /** Added to the logits of `OUTCOMES`; expresses how common they are assumed to be. */
  bias: number[];
  /** The weights of `surenessInputs`, for the probability that a judgement is right. */
  sureness: Record<Sentiment, number[]>;
}

/** Tokens `from` to `to` (exclusive), and their weight. */
export interface Reason {
  from: number;
  to: number;
  weight: number;
}

export type Probabilities = Record<Sentiment, number>;

/**
 * The sum over a text's words is divided by the root of their number, and at least by the root of
 * this, because few words say little.
 */
const MIN_WORDS = 12;

export const wordFactor = (words: number): number => 1 / Math.sqrt(Math.max(MIN_WORDS, words));

export class SentimentModel {
  readonly #weights: SentimentWeights;
  /** For each bucket, the weights of `OUTCOMES`, in steps of `wordScale`. */
  readonly #words: Int8Array | Float32Array;

  /** @param adjustment what was fitted to your own labels */
  constructor(weights: SentimentWeights, adjustment?: SentimentAdjustment) {
    const words = new Int8Array(Buffer.from(weights.words, "base64"));
    this.#weights = adjustment ? adjusted(weights, adjustment) : weights;
    this.#words = adjustment ? adjustedWords(words, weights.wordScale, adjustment) : words;
  }

  /** Logits of `OUTCOMES` before the bias. */
  logits(opinions: readonly number[], buckets: readonly number[]): number[] {
    const factor = wordFactor(buckets.length) * this.#weights.wordScale;
    return OUTCOMES.map((_, outcome) => {
      let words = 0;
      for (const bucket of buckets) words += this.#words[bucket * OUTCOMES.length + outcome] ?? 0;
      let logit = words * factor;
      for (let at = 0; at < opinions.length; at++) {
        logit += (opinions[at] ?? 0) * (this.#weights.opinions[at]?.[outcome] ?? 0);
      }
      return logit;
    });
  }

  /** Logits of `OUTCOMES` for a text, bias included. */
  logitsOf(features: SentimentFeatures): number[] {
    const { bias } = this.#weights;
    return this.logits(opinionInputs(features), wordBuckets(features.tokens)).map(
      (logit, outcome) => logit + (bias[outcome] ?? 0),
    );
  }

  /** The probability that a judgement is right, 0 to 1, from its `surenessInputs`. */
  sureness(sentiment: Sentiment, inputs: readonly number[]): number {
    return sureness(sentiment, inputs, this.#weights.sureness[sentiment]);
  }

  /**
   * The words and pairs of words that contributed most to an outcome, strongest first and not
   * overlapping.
   */
  reasons({ tokens }: SentimentFeatures, outcome: (typeof OUTCOMES)[number], most: number): Reason[] {
    const offset = OUTCOMES.indexOf(outcome);
    const found: Reason[] = [];
    visitWords(tokens, (bucket, from, to) => {
      const weight = this.#words[bucket * OUTCOMES.length + offset] ?? 0;
      if (weight > 0) found.push({ from, to, weight });
    });
    const strongest: Reason[] = [];
    for (const reason of found.sort((one, other) => other.weight - one.weight)) {
      if (strongest.length === most) break;
      if (strongest.every(({ from, to }) => reason.to <= from || reason.from >= to)) strongest.push(reason);
    }
    return strongest;
  }
}

const adjusted = ({ sureness, ...weights }: SentimentWeights, by: SentimentAdjustment): SentimentWeights => ({
  ...weights,
  sureness: {
    positive: shifted(sureness.positive, by.sureness.positive, [0]),
    negative: shifted(sureness.negative, by.sureness.negative, [0]),
    neutral: shifted(sureness.neutral, by.sureness.neutral, NEUTRAL_INTERCEPTS),
  },
});

const shifted = (weights: readonly number[], by: number, intercepts: readonly number[]): number[] =>
  weights.map((weight, at) => (intercepts.includes(at) ? weight + by : weight));

function adjustedWords(words: Int8Array, scale: number, { words: by }: SentimentAdjustment): Float32Array {
  const sums = Float32Array.from(words);
  for (const [bucket, weights] of Object.entries(by)) {
    weights.forEach((weight, outcome) => (sums[Number(bucket) * OUTCOMES.length + outcome]! += weight / scale));
  }
  return sums;
}

/** Softmax over the outcomes and `neutral`. */
export function probabilities(logits: readonly number[]): Probabilities {
  const [negative = 0, positive = 0] = logits.map(Math.exp);
  const sum = negative + positive + 1;
  return { negative: negative / sum, positive: positive / sum, neutral: 1 / sum };
}
