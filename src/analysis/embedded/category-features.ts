import type { Category } from "../categories.ts";
import { clues, type ClueKind } from "./categories/index.ts";
import { negationBefore, isNegatedWith } from "./category-negation.ts";
import { isSettledAfter } from "./settled-faults.ts";
import type { Token } from "./tokenizer.ts";

/** One clue in a text: tokens `from` to `to` (exclusive). */
export interface ClueHit {
  from: number;
  to: number;
  kind: Exclude<ClueKind, "not">;
}

/** The basis for deciding on categories: each category's clues, in the order of the text. */
export interface CategoryFeatures {
  tokens: readonly Token[];
  hits: ReadonlyMap<Category, readonly ClueHit[]>;
}

/** A clue and its place in the text: tokens `from` to `to` (exclusive). */
export interface Span {
  from: number;
  to: number;
  kind: ClueKind;
}

/**
 * Determines which spans an exception ("not") hides: those that begin or end inside it, except
 * longer phrases that contain it. "Credit card" alone says nothing about billing; "charge my credit
 * card" does.
 */
function hiding(spans: readonly Span[]): (span: Span) => boolean {
  // For each token inside an exception, where the exception begins and ends.
  const reach = new Map<number, { from: number; to: number }>();
  for (const { kind, from, to } of spans) {
    if (kind !== "not") continue;
    for (let at = from; at < to; at++) {
      const known = reach.get(at);
      reach.set(at, { from: Math.min(from, known?.from ?? from), to: Math.max(to, known?.to ?? to) });
    }
  }
  const isHiddenAt = (at: number, { from, to }: Span): boolean => {
    const not = reach.get(at);
    if (not === undefined) return false;
    return not.from < from || not.to > to || not.to - not.from === to - from;
  };
  return (span) => isHiddenAt(span.from, span) || isHiddenAt(span.to - 1, span);
}

/**
 * Of overlapping spans, keeps the first, or the longest if several begin together. A span of
 * another kind is preferred to a weak one. Spans that an exception ("not") hides are dropped.
 */
function withoutOverlaps(spans: readonly Span[]): Span[] {
  const isHidden = hiding(spans);
  const kept: Span[] = [];
  for (const span of spans) {
    const { kind, from, to } = span;
    if (kind === "not" || isHidden(span)) continue;
    const last = kept.at(-1);
    if (last === undefined || from >= last.to) kept.push(span);
    else if (last.from === from) kept[kept.length - 1] = { from, to, kind: kind === "weak" ? last.kind : kind };
    // "app can not" says less than the "can not even open" that begins inside it.
    else if (last.kind === "weak" && kind !== "weak") kept[kept.length - 1] = span;
  }
  return kept;
}

/**
 * Finds the denied faults of one category. For the token at which a fault begins, `denials` gets
 * the token at which its denial begins.
 */
function addDenials(denials: Map<number, number>, spans: readonly Span[], tokens: readonly Token[]): void {
  let deniedTo = -1;
  for (const { from, to, kind } of spans) {
    if (kind !== "fault") continue;
    const isOver = isNegatedWith(tokens, deniedTo, from, to) || isSettledAfter(tokens, from, to);
    const denial = negationBefore(tokens, from) ?? (isOver ? from : undefined);
    if (denial === undefined) continue;
    denials.set(from, denial);
    deniedTo = Math.max(deniedTo, to);
  }
}

/** Drops denied faults, and clues inside their denial. */
function withoutDenied(spans: readonly Span[], denials: ReadonlyMap<number, number>): ClueHit[] {
  const kept: ClueHit[] = [];
  for (const { from, to, kind } of spans) {
    const denial = kind === "fault" ? denials.get(from) : undefined;
    if (denial !== undefined) {
      // The "fixed" of "fixed the bug" is a clue of its own.
      while ((kept.at(-1)?.from ?? -1) >= denial) kept.pop();
    } else if (kind !== "not") kept.push({ from, to, kind });
  }
  return kept;
}

/** Visits every clue in a text, even those inside other clues, in the order of their beginnings. */
export function visitClues(tokens: readonly Token[], visit: (category: Category, span: Span) => void): void {
  for (let at = 0; at < tokens.length; at++) {
    for (const { value, from, to } of clues().matchesAt(tokens, at)) {
      visit(value.category, { from, to, kind: value.kind });
    }
  }
}

/**
 * Finds what a text says about each category, in linear time.
 * @param counts which clues to use, as if the lexicon had no others; default: all
 */
export function categoryFeatures(
  tokens: readonly Token[],
  counts: (category: Category, span: Span) => boolean = () => true,
): CategoryFeatures {
  const spans = new Map<Category, Span[]>();
  visitClues(tokens, (category, span) => {
    if (!counts(category, span)) return;
    const known = spans.get(category);
    if (known) known.push(span);
    else spans.set(category, [span]);
  });
  // In "no bugs or crashes", the crashes are denied as bugs, and therefore as bad performance, too.
  const denials = new Map<number, number>();
  for (const found of spans.values()) addDenials(denials, found, tokens);
  const hits = new Map<Category, ClueHit[]>();
  for (const [category, found] of spans) {
    const kept = withoutDenied(withoutOverlaps(found), denials);
    if (kept.length > 0) hits.set(category, kept);
  }
  return { tokens, hits: withoutMentions(hits) };
}

const isPhrase = ({ from, to }: ClueHit): boolean => to - from > 1;

/**
 * In "the sound cuts out", "sound" says nothing about the product: inside a phrase about something
 * else, a thing is only mentioned.
 */
function withoutMentions(hits: ReadonlyMap<Category, ClueHit[]>): ReadonlyMap<Category, ClueHit[]> {
  const things = hits.get("product");
  if (things === undefined) return hits;
  const phrases = [...hits].flatMap(([category, own]) => (category === "product" ? [] : own.filter(isPhrase)));
  const covered = new Set(phrases.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at)));
  const said = things.filter((hit) => isPhrase(hit) || !covered.has(hit.from));
  const others = [...hits].filter(([category]) => category !== "product");
  return new Map(said.length > 0 ? [...others, ["product", said] as const] : others);
}
