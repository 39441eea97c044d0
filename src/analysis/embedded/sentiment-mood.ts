import { COMPARATIVES } from "./lexicon/lexicon.ts";
import type { Token } from "./tokenizer.ts";

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

/** Two words that turn around what follows, as a negation does: "far from perfect". */
const REVERSING_PAIRS = words("used-to far-from anything-but less-than nowhere-near free-of free-from");
/** Before "used to" they make it a habit that lasts: "I am used to good service". */
const HABITS = words("am is are was were be been being get gets got getting gotten");

const POSSIBILITY = words("can could");
const ANY = words("a an any anyone anybody anything anywhere");
const NEEDS = words("should could must ought need needs needed");
const BETWEEN_NEED = words("be been have has to get made a bit little lot much far way even slightly somewhat more");

const WISHED_REACH = 12;
const WISHES = words("wish wishes wished wishing");
/** "I wish you all the best" is no complaint. */
const WELL_WISHED = words("you him her them everyone everybody all u");
const UNREAL = words("had would could were was did");

const normAt = (tokens: readonly Token[], at: number): string => tokens[at]?.norm ?? "";

/** Where words stand at token `i` that reverse the opinion at `at` without a negation: "less helpful", "used to love". */
export function reversalAt(tokens: readonly Token[], i: number, at: number): number | undefined {
  const word = normAt(tokens, i);
  if (word === "less" && i === at - 1) return i;
  const first = normAt(tokens, i - 1);
  if (!REVERSING_PAIRS.has(`${first}-${word}`)) return undefined;
  return first === "used" && HABITS.has(normAt(tokens, i - 2)) ? undefined : i - 1;
}

const isComparative = (tokens: readonly Token[], at: number, to: number): boolean =>
  COMPARATIVES.has(normAt(tokens, to - 1)) || normAt(tokens, at - 1) === "more";

/** Whether a denied comparative means a superlative: "it could not be better", "I never had a worse meal". */
export function isUnsurpassed(tokens: readonly Token[], negation: number, at: number, to: number): boolean {
  if (!isComparative(tokens, at, to)) return false;
  if (POSSIBILITY.has(normAt(tokens, negation - 1))) return true;
  if (normAt(tokens, negation) !== "never") return false;
  for (let i = negation + 1; i < at; i++) if (ANY.has(normAt(tokens, i))) return true;
  return false;
}

/** Whether more of something is called for, which says that there is too little: "it should be easier". */
export function isCalledFor(tokens: readonly Token[], at: number, to: number): boolean {
  if (!isComparative(tokens, at, to)) return false;
  let before = at - 1;
  while (BETWEEN_NEED.has(normAt(tokens, before))) before--;
  return before < at - 1 && NEEDS.has(normAt(tokens, before));
}

/** Whether an opinion is about what is not so: "I wish it were easy". */
export function isWished(tokens: readonly Token[], at: number): boolean {
  for (let i = at - 1; i >= 0 && i >= at - WISHED_REACH; i--) {
    if (tokens[i]?.kind === "stop") return false;
    if (!WISHES.has(normAt(tokens, i))) continue;
    return !WELL_WISHED.has(normAt(tokens, i + 1)) || UNREAL.has(normAt(tokens, i + 2));
  }
  return false;
}
