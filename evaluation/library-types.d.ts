// The part of libraries without types of their own that is used for comparison.

declare module "vader-sentiment" {
  export const SentimentIntensityAnalyzer: { polarity_scores(text: string): { compound: number } };
}

declare module "sentiment" {
  export default class Sentiment {
    analyze(text: string): { score: number };
  }
}

declare module "wink-sentiment" {
  export default function sentiment(text: string): { normalizedScore: number };
}
