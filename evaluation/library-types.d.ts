// Types for libraries that have none of their own, limited to the parts that we use.

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
