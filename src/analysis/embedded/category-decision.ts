import { inStableOrder, type Category } from "../categories.ts";
import type { CategoryFeatures, ClueHit } from "./category-features.ts";

/** How likely one clue is right, if clues were independent of each other: a strong one decides, a weak one does not. */
const WEIGHTS: Record<ClueHit["kind"], number> = { strong: 0.7, weak: 0.35 };
const ENOUGH = 0.5;

function likelihood(hits: readonly ClueHit[]): number {
  let doubt = 1;
  for (const { kind } of hits) doubt *= 1 - WEIGHTS[kind];
  return 1 - doubt;
}

/** @returns the categories that the clues suffice for, in stable order, with scores 0.5 to 1; none where there are none */
export function decideCategories({ hits }: CategoryFeatures): { category: Category; score: number }[] {
  const scores = new Map<Category, number>();
  for (const [category, found] of hits) {
    const score = likelihood(found);
    if (score >= ENOUGH) scores.set(category, score);
  }
  return inStableOrder(scores.keys()).map((category) => ({ category, score: scores.get(category) ?? 0 }));
}
