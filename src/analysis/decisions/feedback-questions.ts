import type { Noul } from "@langchain/core/decisions";
import { CATEGORIES, CATEGORY_MEANINGS, type Category } from "../categories.ts";
import { SENTIMENT_MEANINGS } from "../sentiment-analyzer.ts";

/** The categories that can be asked about; `general` means none of them. */
export type NamedCategory = Exclude<Category, "general">;

const aboutCategory = (category: NamedCategory): Noul => ({
  type: "noul",
  instructions: `Is the feedback about ${category} (${CATEGORY_MEANINGS[category]})?`,
});

const categoryQuestions = Object.fromEntries(
  CATEGORIES.filter((category) => category !== "general").map((category) => [category, aboutCategory(category)]),
) as Record<NamedCategory, Noul>;

/** The questions for a `FeedbackDecisionModel`: about the sentiment, and about each category. */
export const FEEDBACK_QUESTIONS = {
  sentiment: {
    type: "choice",
    instructions: "How does the customer feel about what they describe?",
    criteria: SENTIMENT_MEANINGS,
  },
  ...categoryQuestions,
} as const;
