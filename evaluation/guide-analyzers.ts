import type { CategoriesAnswer } from "./score-categories.ts";
import type { SentimentAnswer } from "./score-sentiment.ts";

/** A minimal baseline: counts how many of a few words occur anywhere in the text. */
const POSITIVE = ["great", "excellent", "good", "love", "best", "amazing"];
const NEGATIVE = ["bad", "terrible", "poor", "awful", "worst", "horrible"];

const CATEGORY_WORDS: Record<string, string[]> = {
  product: ["product", "feature", "functionality", "design"],
  service: ["service", "support", "help", "assistance"],
  pricing: ["price", "cost", "expensive", "cheap", "affordable"],
  usability: ["usability", "user-friendly", "interface", "difficult", "easy"],
  performance: ["performance", "speed", "slow", "fast", "crash"],
};

export function guideSentiment(text: string): SentimentAnswer {
  const lower = text.toLowerCase();
  const found = (words: readonly string[]): number => words.filter((word) => lower.includes(word)).length;
  return { sentiment: bySign(found(POSITIVE) - found(NEGATIVE)) };
}

export function guideCategories(text: string): CategoriesAnswer {
  const lower = text.toLowerCase();
  const categories = Object.entries(CATEGORY_WORDS)
    .filter(([, words]) => words.some((word) => lower.includes(word)))
    .map(([category]) => category);
  return { categories: categories.length > 0 ? categories : ["general"] };
}

/** @param border values closer to 0 than this are neutral, and so is 0 itself */
export function bySign(value: number, border = 0): SentimentAnswer["sentiment"] {
  if (value === 0 || Math.abs(value) < border) return "neutral";
  return value > 0 ? "positive" : "negative";
}
