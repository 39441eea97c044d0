import type { Category } from "../../src/analysis/categories.ts";
import { findCategories } from "../../src/analysis/embedded/category-decision.ts";
import { categoryFeatures, visitClues, type Span } from "../../src/analysis/embedded/category-features.ts";
import { read } from "../../src/analysis/embedded/reading.ts";
import type { Token } from "../../src/analysis/embedded/tokenizer.ts";
import type { LabelledSet } from "../labelled-sets.ts";

const wordingOf = (tokens: readonly Token[], category: Category, { from, to }: Pick<Span, "from" | "to">): string =>
  `${category}: ${tokens
    .slice(from, to)
    .map(({ norm }) => norm)
    .join(" ")}`;

type Find = (text: string) => Category[];

/**
 * Two ways to find categories without the clues whose wording occurs in only one set. Such clues
 * may be in the lexicon only because of that set.
 */
export interface SharedClues {
  /**
   * As if the lexicon lacked these clues: in "hidden fee", the "fee" still counts if it occurs in
   * another set.
   */
  withoutThem: Find;
  /** Stricter: clues inside such a clue don't count either. Gives a lower bound for new texts. */
  withoutWhatTheyCover: Find;
}

/** @param sets all sets that a wording may come from, with labels of either kind */
export function sharedClues(sets: readonly LabelledSet<{ text: string }>[]): SharedClues {
  const counts = new Map<string, number>();
  for (const { rows } of sets) {
    const wordings = new Set<string>();
    for (const { text } of rows) {
      const { tokens } = read(text);
      visitClues(tokens, (category, span) => wordings.add(wordingOf(tokens, category, span)));
    }
    for (const wording of wordings) counts.set(wording, (counts.get(wording) ?? 0) + 1);
  }
  const isShared = (tokens: readonly Token[], category: Category, span: { from: number; to: number }): boolean =>
    (counts.get(wordingOf(tokens, category, span)) ?? 0) > 1;
  return {
    withoutThem: (text) => {
      const { tokens } = read(text);
      const counts = (category: Category, span: Span) => span.kind === "not" || isShared(tokens, category, span);
      return [...findCategories(categoryFeatures(tokens, counts)).keys()];
    },
    withoutWhatTheyCover: (text) => {
      const features = categoryFeatures(read(text).tokens);
      const hits = new Map(
        [...features.hits].map(([category, own]) => [
          category,
          own.filter((hit) => isShared(features.tokens, category, hit)),
        ]),
      );
      return [...findCategories({ ...features, hits }).keys()];
    },
  };
}
