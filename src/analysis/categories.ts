/** What feedback can be about, in the stable order in which results list them. */
export const CATEGORIES = [
  "product",
  "service",
  "pricing",
  "usability",
  "performance",
  "bug",
  "security",
  "billing",
  "legal",
  "general",
] as const;

/** One of `CATEGORIES`. */
export type Category = (typeof CATEGORIES)[number];

/** What each category means, in the words that a model gets. */
export const CATEGORY_MEANINGS: Record<Category, string> = {
  product: "what is sold, its features, quality, design",
  service: "people, support, delivery, waiting",
  pricing: "whether it is worth its price",
  usability: "how easy it is to use",
  performance: "speed, stability, endurance",
  bug: "something does not work as it should",
  security: "fraud, theft, break-ins, lost or leaked data, unknown payments",
  billing: "charges, fees, invoices, refunds",
  legal: "lawyers, courts, regulators, or threats to involve them",
  general: "none of the above",
};

/** Known categories without repetition, in the order of `CATEGORIES`. */
export const inStableOrder = (categories: Iterable<Category>): Category[] => {
  const wanted = new Set(categories);
  return CATEGORIES.filter((category) => wanted.has(category));
};
