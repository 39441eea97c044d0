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

/** Known categories without repetition, in the order of `CATEGORIES`. */
export const inStableOrder = (categories: Iterable<Category>): Category[] => {
  const wanted = new Set(categories);
  return CATEGORIES.filter((category) => wanted.has(category));
};
