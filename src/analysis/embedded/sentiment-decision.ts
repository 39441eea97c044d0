import { SENTIMENTS, type Sentiment } from "../sentiment-analyzer.ts";
import { praiseDoubts, type DoubtHit } from "./praise-doubts.ts";
import { balance } from "./sentiment-balance.ts";
import type { SentimentFeatures } from "./sentiment-features.ts";
import { probabilities, type SentimentModel } from "./sentiment-model/sentiment-model.ts";
import { surenessInputs, type Judgement } from "./sentiment-model/sureness.ts";

/** See `judge`. */
export const MIN_OPINIONS = 3;

const POSITIVE_FROM = 0.8;
const NEGATIVE_FROM = -0.2;

export interface SentimentDecision {
  sentiment: Sentiment;
  /** Estimated probability that the sentiment is right, 0 to 1. */
  score: number;
  /** What makes praise less certain; empty for anything else. */
  doubts: readonly DoubtHit[];
}

/** The sentiment by the balance of the opinions, and how far the balance is from another result. */
export function readBalance(features: SentimentFeatures): { sentiment: Sentiment; distance: number } {
  const sum = balance(features);
  if (sum > POSITIVE_FROM) return { sentiment: "positive", distance: sum - POSITIVE_FROM };
  if (sum < NEGATIVE_FROM) return { sentiment: "negative", distance: NEGATIVE_FROM - sum };
  return { sentiment: "neutral", distance: Math.min(POSITIVE_FROM - sum, sum - NEGATIVE_FROM) };
}

/**
 * Judges a text. With at least `MIN_OPINIONS` opinions, their balance decides, which works for
 * texts of any kind. With fewer, there is too little to add up, so a model decides, which was
 * trained on the words as well.
 * @param logits those of the model, bias included
 */
export function judge(features: SentimentFeatures, logits: readonly number[]): Judgement {
  if (features.hits.length >= MIN_OPINIONS) return { ...readBalance(features), logits };
  const shares = probabilities(logits);
  const sentiment = SENTIMENTS.reduce((best, one) => (shares[one] > shares[best] ? one : best));
  return { sentiment, distance: undefined, logits };
}

export function decideSentiment(features: SentimentFeatures, model: SentimentModel): SentimentDecision {
  const judgement = judge(features, model.logitsOf(features));
  const { sentiment } = judgement;
  const doubts = sentiment === "positive" ? praiseDoubts(features.tokens) : [];
  return { sentiment, score: model.sureness(sentiment, surenessInputs(judgement, features, doubts)), doubts };
}
