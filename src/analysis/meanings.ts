import type { Category } from "./categories.ts";
import type { Sentiment } from "./sentiment-analyzer.ts";

/** What the answers mean, in the words that a model is told. */
export const SENTIMENT_MEANINGS: Record<Sentiment, string> = {
  positive: "praise prevails",
  negative: 'blame prevails, or facts that only an unhappy customer reports ("still waiting", "charged twice")',
  neutral: "questions, plain facts, wishes without blame, praise and blame in balance",
};

export const CATEGORY_MEANINGS: Record<Category, string> = {
  product: "what is sold, its features, quality, design",
  service: "people, support, delivery, waiting",
  pricing: "whether it is worth its price",
  usability: "how easy it is to use",
  performance: "speed, stability, endurance",
  bug: "something does not work as it should",
  security: "fraud, theft, break-ins, lost or leaked data, unknown payments",
  billing: "charges, fees, invoices, refunds",
  legal: "lawyers, courts, regulators, threats with them",
  general: "nothing of the above",
};
