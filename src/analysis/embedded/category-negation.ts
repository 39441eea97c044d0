import { NEGATORS, wordSet } from "./lexicon/lexicon.ts";
import { isInNegatedList } from "./negated-lists.ts";
import { clauseHas, settledBefore, wordBefore } from "./settled-faults.ts";
import type { Token } from "./tokenizer.ts";

/** "no bugs and no crashes", "free of bugs and crashes": what denies the first denies the second. */
const LINKS = wordSet("or nor and");
/** What may stand between a denial and what it denies: "not a single error", "have never had any crash". */
const BETWEEN = wordSet(
  "a an the any of is are was were be been being have has had get gets got getting ever single one real really actually more further other major known sign signs trace such see saw seen notice noticed experienced encountered found surprise",
);

/**
 * Where the denial stands of a fault that begins at token `at`: "nothing is broken", "you fixed the crash". Only function
 * words may come between, for "not only did it crash" denies nothing, nor does "not … without errors".
 */
export function negationBefore(tokens: readonly Token[], at: number): number | undefined {
  const before = wordBefore(tokens, at, BETWEEN);
  const word = tokens[before]?.norm ?? "";
  if (word === "without") return clauseHas(tokens, before, (word) => NEGATORS.has(word)) ? undefined : before;
  return NEGATORS.has(word) ? before : settledBefore(tokens, at);
}

/** Whether a fault at tokens `at` to `to` is denied together with one that ends at token `end`: "no bugs or crashes". */
export const isNegatedWith = (tokens: readonly Token[], end: number, at: number, to: number): boolean =>
  isInNegatedList(tokens, { end, at: wordBefore(tokens, at, BETWEEN) + 1, to }, LINKS);
