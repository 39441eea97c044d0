import { inStableOrder, type Category } from "../categories.ts";
import { readData } from "../read-data.ts";
import type { CategoryFeatures, ClueHit } from "./category-features.ts";
import { isStatedFault } from "./stated-faults.ts";
import type { Token } from "./tokenizer.ts";
import type { CategoryBounds } from "./trained-weights.ts";

/** How likely one clue is right, if clues were independent of each other: a strong one decides, a weak one does not. */
const WEIGHTS: Record<ClueHit["kind"], number> = { strong: 0.7, fault: 0.7, weak: 0.35 };
export const EVIDENCE_THRESHOLD = 0.5;

/** Levels of evidence: what a strong clue gives by itself, what two give, and more. */
const LEVELS = [0.72, 0.92] as const;
export const LEVEL_COUNT = LEVELS.length + 1;

/**
 * How often a category was right on labelled texts, by the level of its evidence. `evaluation/scripts/fit-category-scores.ts` makes
 * it. No labelled texts stand behind `legal`: it has the lowest figures of the others, which is caution and no measurement. A category
 * that is missing counts the same.
 */
export type CategorySureness = Partial<Record<Exclude<Category, "general">, number[]>>;

/** Tokens. A longer text speaks of many things in passing. */
const LONG_TEXT = 100;
/** In a long text, clues farther apart than this many tokens are about different things. */
const REACH = 40;

/** The evidence that such clues give together, 0 to 1. */
export function likelihoodOf(kinds: readonly ClueHit["kind"][]): number {
  let doubt = 1;
  for (const kind of kinds) doubt *= 1 - WEIGHTS[kind];
  return 1 - doubt;
}

const likelihood = (hits: readonly ClueHit[]): number => likelihoodOf(hits.map(({ kind }) => kind));

/**
 * In a long text a single word is a mention, which does no more than a weak clue, and clues support each other only where
 * they are close: its likeliest passage counts. A phrase of several words is a statement wherever it stands, and so is a
 * fault of what the text is about: one sentence in a long and friendly letter may be all that says that something is wrong.
 */
function likelihoodInLongText(hits: readonly ClueHit[], tokens: readonly Token[]): number {
  const isStatement = ({ from, to, kind }: ClueHit): boolean =>
    to - from > 1 || (kind === "fault" && isStatedFault(tokens, from, to));
  const mentions = hits.map((hit): ClueHit => (isStatement(hit) ? hit : { ...hit, kind: "weak" }));
  let most = 0;
  let first = 0;
  for (let last = 0; last < mentions.length; last++) {
    while (mentions[last]!.from - mentions[first]!.from > REACH) first++;
    most = Math.max(most, likelihood(mentions.slice(first, last + 1)));
  }
  return most;
}

/** How strong the evidence for each category is, 0 to 1. */
export const evidenceFor = ({ hits, tokens }: CategoryFeatures): Map<Category, number> =>
  new Map(
    [...hits].map(([category, found]) => [
      category,
      tokens.length > LONG_TEXT ? likelihoodInLongText(found, tokens) : likelihood(found),
    ]),
  );

/**
 * The categories that the clues suffice for, with the level of their evidence, an index into `CategorySureness`.
 * @param bounds what suffices, where that is not `EVIDENCE_THRESHOLD`
 */
export function findCategories(features: CategoryFeatures, bounds: CategoryBounds = {}): Map<Category, number> {
  const levels = new Map<Category, number>();
  for (const [category, value] of evidenceFor(features)) {
    const enough = category === "general" ? EVIDENCE_THRESHOLD : (bounds[category] ?? EVIDENCE_THRESHOLD);
    if (value >= enough) levels.set(category, LEVELS.filter((least) => value > least).length);
  }
  return levels;
}

/** How often evidence of this level was right. */
export function surenessOf(category: Category, level: number, table: CategorySureness): number {
  if (category === "general") return 0;
  const known = table[category] ? [table[category]] : Object.values(table);
  return Math.min(...known.map((levels) => levels[level] ?? 0));
}

let sureness: CategorySureness | undefined;

/** @returns the categories that the clues suffice for, in stable order; `score` is how often such evidence was right */
export function decideCategories(
  features: CategoryFeatures,
  bounds?: CategoryBounds,
): { category: Category; score: number }[] {
  const table = (sureness ??= readData("./category-sureness.json", import.meta.url) as CategorySureness);
  const levels = findCategories(features, bounds);
  return inStableOrder(levels.keys()).map((category) => ({
    category,
    score: surenessOf(category, levels.get(category) ?? 0, table),
  }));
}
