/** Learns from the user's own labels how much evidence each category needs. */
import { CATEGORIES, type Category } from "../../src/analysis/categories.ts";
import { EVIDENCE_THRESHOLD, evidenceFor, likelihoodOf } from "../../src/analysis/embedded/category-decision.ts";
import { categoryFeatures } from "../../src/analysis/embedded/category-features.ts";
import { read } from "../../src/analysis/embedded/reading.ts";
import type { CategoryBounds } from "../../src/analysis/embedded/trained-weights.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../src/workflows/customer-feedback/policy.ts";
import { labelOf, type ScopedRow } from "../labelled-sets.ts";
import { Counts, isBeyondChance, type ClassScores } from "../scores.ts";
import { FOLDS, foldOf } from "./folds.ts";

type Named = Exclude<Category, "general">;

/** A bound is this much lower than the evidence of the clues that just reach it. */
const MARGIN = 0.02;

/** The bound that these clues just reach. */
const atLeast = (...kinds: ("strong" | "weak")[]): number => Number((likelihoodOf(kinds) - MARGIN).toFixed(3));

/**
 * The bounds to choose from. The lowest takes one weak clue, the shipped one takes two weak clues
 * or a strong one, and the highest takes two strong clues.
 */
const BOUNDS = [
  atLeast("weak"),
  EVIDENCE_THRESHOLD,
  atLeast("strong"),
  atLeast("strong", "weak"),
  atLeast("strong", "strong"),
];

/**
 * The minimum number of texts with a category, and without it. With fewer of either, its bound is
 * not fitted. Each sentiment needs as many texts.
 */
export const MIN_TEXTS_EACH = 15;

interface Case {
  fold: number;
  evidence: number;
  isLabelled: boolean;
}

/** The scores of one category on texts that were not used to choose its bound. */
export interface BoundReport {
  category: Named;
  bound: number;
  /** With the shipped bound. */
  before: ClassScores;
  /** With the bound from an earlier training; absent if the shipped one is in use. */
  inUse?: ClassScores;
  after: ClassScores;
  /**
   * Whether the new bound is accepted: it must be better than the one in use, by more than may be
   * chance. If the category is critical, it must not find fewer texts.
   */
  isTaken: boolean;
}

export interface FittedBounds {
  /** The bounds to use: the accepted ones, and otherwise those of the earlier training. */
  bounds: CategoryBounds;
  reports: BoundReport[];
  /** Categories that too few texts have, or too few lack, with both numbers. */
  skipped: { category: Named; labelled: number; others: number }[];
}

interface ReadRow {
  fold: number;
  evidence: Map<Category, number>;
  row: ScopedRow;
}

/** A label `a|b` counts neither for `a` nor for `b`. */
const casesOf = (category: Named, rows: readonly ReadRow[]): Case[] =>
  rows.flatMap(({ fold, evidence, row }) => {
    const label = labelOf(row, category);
    if (label === undefined || label === "maybe") return [];
    return [{ fold, evidence: evidence.get(category) ?? 0, isLabelled: label === "yes" }];
  });

function scoresOf(cases: readonly Case[], boundOf: (one: Case) => number): ClassScores {
  const counts = new Counts();
  for (const one of cases) {
    const isFound = one.evidence >= boundOf(one);
    if (isFound && one.isLabelled) counts.hits += 1;
    else if (isFound) counts.falseAlarms += 1;
    else if (one.isLabelled) counts.misses += 1;
  }
  return counts.scores();
}

const distance = (bound: number): number => Math.abs(bound - EVIDENCE_THRESHOLD);

/** Whether the bound gives the right answer: found and labelled, or neither. */
const isRight = ({ evidence, isLabelled }: Case, bound: number): boolean => evidence >= bound === isLabelled;

/** The bound with the best F1; if there are several, the one that changes least. */
function bestBound(cases: readonly Case[]): number {
  const candidates = BOUNDS.map((bound) => ({ bound, f1: scoresOf(cases, () => bound).f1 }));
  return candidates.reduce((best, one) =>
    one.f1 > best.f1 || (one.f1 === best.f1 && distance(one.bound) < distance(best.bound)) ? one : best,
  ).bound;
}

/**
 * By the default policy: `train` runs without a workflow, and settings can't name other categories.
 */
const isCritical = (category: Named): boolean =>
  DEFAULT_ESCALATION_POLICY.criticalCategories.some((one) => one === category);

function fitBound(category: Named, cases: readonly Case[], current: number): BoundReport {
  const boundsWithout = Array.from({ length: FOLDS }, (_, fold) => bestBound(cases.filter((one) => one.fold !== fold)));
  const before = scoresOf(cases, () => EVIDENCE_THRESHOLD);
  const inUse = scoresOf(cases, () => current);
  const heldOut = ({ fold }: Case): number => boundsWithout[fold]!;
  const after = scoresOf(cases, heldOut);
  const fixed = cases.filter((one) => isRight(one, heldOut(one)) && !isRight(one, current)).length;
  const broken = cases.filter((one) => !isRight(one, heldOut(one)) && isRight(one, current)).length;
  const bound = bestBound(cases);
  // A bound must not lose escalations to avoid false alarms. The final bound is checked too,
  // because the folds may have chosen others.
  const kept = scoresOf(cases, () => bound);
  const isSafe = !isCritical(category) || Math.min(after.recall, kept.recall) >= inUse.recall;
  const isTaken = bound !== current && after.f1 > inUse.f1 && isBeyondChance(fixed, broken) && isSafe;
  return { category, bound, before, ...(current !== EVIDENCE_THRESHOLD && { inUse }), after, isTaken };
}

function evidenceIn(text: string): Map<Category, number> {
  const { tokens, readable } = read(text);
  return readable ? evidenceFor(categoryFeatures(tokens)) : new Map();
}

/**
 * Fits the bound of each category that has enough labels, and tests it on fifths of the texts that
 * were not used to choose it.
 * @param inUse the bounds of an earlier training, which stay unless a new one is better
 */
export function fitBounds(rows: readonly ScopedRow[], inUse: CategoryBounds = {}): FittedBounds {
  const readRows = rows.map((row) => ({ fold: foldOf(row.text), evidence: evidenceIn(row.text), row }));
  const fitted: FittedBounds = { bounds: { ...inUse }, reports: [], skipped: [] };
  for (const category of CATEGORIES) {
    if (category === "general") continue;
    const cases = casesOf(category, readRows);
    const labelled = cases.filter(({ isLabelled }) => isLabelled).length;
    const others = cases.length - labelled;
    if (labelled < MIN_TEXTS_EACH || others < MIN_TEXTS_EACH) {
      fitted.skipped.push({ category, labelled, others });
      continue;
    }
    const report = fitBound(category, cases, inUse[category] ?? EVIDENCE_THRESHOLD);
    fitted.reports.push(report);
    if (!report.isTaken) continue;
    if (report.bound === EVIDENCE_THRESHOLD) delete fitted.bounds[category];
    else fitted.bounds[category] = report.bound;
  }
  return fitted;
}
