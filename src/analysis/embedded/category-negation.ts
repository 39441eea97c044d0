import { NEGATORS, wordSet } from "./lexicon/lexicon.ts";
import { isInNegatedList } from "./negated-lists.ts";
import { clauseHas, settledBefore, wordBefore } from "./settled-faults.ts";
import type { Token } from "./tokenizer.ts";

/**
 * Links in a list like "no bugs and no crashes" or "free of bugs and crashes": a denial of the
 * first is a denial of the second.
 */
const LINKS = wordSet("or nor and");
/**
 * Words that may come between a denial and the denied: "not a single error", "have never had any
 * crash".
 */
const BETWEEN = wordSet(
  "a an the any of is are was were be been being have has had get gets got getting ever single one real really actually more further other major known sign signs trace such see saw seen notice noticed experienced encountered found surprise",
);

/**
 * Where the denial of the fault at token `at` begins: "nothing is broken", "you fixed the crash".
 * Undefined if the fault is not denied. Only certain words may come between, because "not only did
 * it crash" denies nothing. A negated "without" doesn't either: "not … without errors".
 */
export function negationBefore(tokens: readonly Token[], at: number): number | undefined {
  const before = wordBefore(tokens, at, BETWEEN);
  const word = tokens[before]?.norm ?? "";
  if (word === "without") return clauseHas(tokens, before, (word) => NEGATORS.has(word)) ? undefined : before;
  return NEGATORS.has(word) ? before : settledBefore(tokens, at);
}

/**
 * Whether a fault at tokens `at` to `to` is denied together with the one that ends at token `end`:
 * "no bugs or crashes".
 */
export const isNegatedWith = (tokens: readonly Token[], end: number, at: number, to: number): boolean =>
  isInNegatedList(tokens, { end, at: wordBefore(tokens, at, BETWEEN) + 1, to }, LINKS);
