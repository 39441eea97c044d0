// Types for the parts that we use of libraries without their own types.

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
