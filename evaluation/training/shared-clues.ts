import type { Category } from "../../src/analysis/categories.ts";
import { findCategories } from "../../src/analysis/embedded/category-decision.ts";
import {
  categoryFeatures,
  type CategoryFeatures,
  type ClueHit,
} from "../../src/analysis/embedded/category-features.ts";
import { read } from "../../src/analysis/embedded/reading.ts";
import type { LabelledSet } from "../labelled-sets.ts";

const wordingOf = ({ tokens }: CategoryFeatures, category: Category, { from, to }: ClueHit): string =>
  `${category}: ${tokens
    .slice(from, to)
    .map(({ norm }) => norm)
    .join(" ")}`;

const featuresOf = (text: string): CategoryFeatures => categoryFeatures(read(text).tokens);

/**
 * Finds categories without the clues whose wording occurs in one set alone: those could be in the lexicon because of that set. What is
 * right of these is a lower bound for texts that nobody has looked at.
 */
export function sharedClues(sets: readonly LabelledSet<{ text: string }>[]): (text: string) => Category[] {
  const counts = new Map<string, number>();
  for (const { rows } of sets) {
    const wordings = new Set(
      rows.flatMap(({ text }) => {
        const features = featuresOf(text);
        return [...features.hits].flatMap(([category, hits]) => hits.map((hit) => wordingOf(features, category, hit)));
      }),
    );
    for (const wording of wordings) counts.set(wording, (counts.get(wording) ?? 0) + 1);
  }
  return (text) => {
    const features = featuresOf(text);
    const isShared = (category: Category) => (hit: ClueHit) =>
      (counts.get(wordingOf(features, category, hit)) ?? 0) > 1;
    const hits = new Map(
      [...features.hits].map(([category, own]): [Category, ClueHit[]] => [category, own.filter(isShared(category))]),
    );
    return [...findCategories({ ...features, hits }).keys()];
  };
}
