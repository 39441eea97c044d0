import { SENTIMENTS, type Sentiment } from "../sentiment-analyzer.ts";
import { balance } from "./sentiment-balance.ts";
import type { SentimentFeatures } from "./sentiment-features.ts";
import type { SentimentModel } from "./sentiment-model/sentiment-model.ts";

/** From so many opinions on their balance decides; below, the words around them have a say. */
export const ENOUGH_OPINIONS = 3;

const POSITIVE_FROM = 0.8;
const NEGATIVE_FROM = -0.2;

export interface SentimentDecision {
  sentiment: Sentiment;
  /** Estimated probability that it is right, 0 to 1. */
  score: number;
}

/** What the balance of the opinions says, and how far it is from saying something else. */
export function readBalance(features: SentimentFeatures): { sentiment: Sentiment; distance: number } {
  const sum = balance(features);
  if (sum > POSITIVE_FROM) return { sentiment: "positive", distance: sum - POSITIVE_FROM };
  if (sum < NEGATIVE_FROM) return { sentiment: "negative", distance: NEGATIVE_FROM - sum };
  return { sentiment: "neutral", distance: Math.min(POSITIVE_FROM - sum, sum - NEGATIVE_FROM) };
}

/**
 * Many opinions are counted, which holds for texts of any kind. One or two, or none at all, say too little: there a model
 * decides that was trained on the words as well.
 */
export function decideSentiment(features: SentimentFeatures, model: SentimentModel): SentimentDecision {
  if (features.hits.length >= ENOUGH_OPINIONS) {
    const { sentiment, distance } = readBalance(features);
    return { sentiment, score: model.sureness(sentiment, distance) };
  }
  const probabilities = model.probabilities(features);
  const sentiment = SENTIMENTS.reduce((best, one) => (probabilities[one] > probabilities[best] ? one : best));
  return { sentiment, score: probabilities[sentiment] };
}
