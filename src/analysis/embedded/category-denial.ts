import { CONTRASTS, NEGATORS, wordSet } from "./lexicon/lexicon.ts";
import { isListedAfter } from "./denied-lists.ts";
import type { Token } from "./tokenizer.ts";

/** "no bugs and no crashes", "free of bugs and crashes": what denies the first denies the second. */
const LINKS = wordSet("or nor and");
/** What may stand between a denial and what it denies: "not a single error", "have never had any crash". */
const BETWEEN = wordSet(
  "a an the any of is are was were be been being have has had get gets got getting ever single one real really actually more further other major known sign signs trace such see saw seen notice noticed experienced encountered found surprise",
);
const SETTLED = wordSet(
  "fixed fixing solved solving resolved resolving corrected correcting squashed squashing waived waiving",
);
const SETTLED_BETWEEN = wordSet("a an the all my our this that these those every annoying");
const SETTLED_AFTER = wordSet("was were got has have been all quickly promptly soon finally immediately");
/** Before "fixed" they say that it is not so yet. */
const UNSETTLED = wordSet("if until unless once when should must need needs want please still start try trying worth");

/** Tokens. No clause is longer, so that no text takes long. */
const LONGEST_CLAUSE = 40;

const endsClause = (token: Token | undefined): boolean => token?.kind === "stop" || CONTRASTS.has(token?.norm ?? "");

/** The next word to the left of `at` that is not among those which may stand between. */
function wordBefore(tokens: readonly Token[], at: number, between: ReadonlySet<string>): number {
  let word = at - 1;
  while (between.has(tokens[word]?.norm ?? "")) word--;
  return word;
}

function clauseHas(tokens: readonly Token[], before: number, wanted: (word: string) => boolean): boolean {
  const first = Math.max(0, before - LONGEST_CLAUSE);
  for (let i = before - 1; i >= first && !endsClause(tokens[i]); i--) if (wanted(tokens[i]?.norm ?? "")) return true;
  return false;
}

function isQuestion(tokens: readonly Token[], at: number): boolean {
  const last = Math.min(tokens.length, at + LONGEST_CLAUSE);
  for (let i = at; i < last; i++) {
    const { kind, norm = "" } = tokens[i] ?? {};
    if (kind === "stop" && /^[.!?…。！？\n]/u.test(norm)) return norm.includes("?");
  }
  return false;
}

/**
 * Where the denial stands of a fault that begins at token `at`: "nothing is broken", "free of bugs", "you fixed the crash".
 * Only function words may come between, for "not only did it crash" and "did not fix the crash" deny nothing, nor does
 * "not … without errors".
 */
export function denialBefore(tokens: readonly Token[], at: number): number | undefined {
  const before = wordBefore(tokens, at, BETWEEN);
  const word = tokens[before]?.norm ?? "";
  if (word === "without") return clauseHas(tokens, before, (word) => NEGATORS.has(word)) ? undefined : before;
  if (NEGATORS.has(word)) return before;
  if (word === "free" && tokens[before + 1]?.norm === "of") return before;
  if (word === "from" && tokens[before - 1]?.norm === "free") return before - 1;
  const settled = wordBefore(tokens, at, SETTLED_BETWEEN);
  if (!SETTLED.has(tokens[settled]?.norm ?? "") || isQuestion(tokens, at)) return undefined;
  return clauseHas(tokens, settled, (word) => NEGATORS.has(word) || UNSETTLED.has(word)) ? undefined : settled;
}

/** Whether a fault at tokens `at` to `to` is said to be over: "the errors were fixed at once". */
export function isSettledAfter(tokens: readonly Token[], at: number, to: number): boolean {
  let settled = to;
  while (SETTLED_AFTER.has(tokens[settled]?.norm ?? "")) settled++;
  if (settled === to || !SETTLED.has(tokens[settled]?.norm ?? "") || isQuestion(tokens, at)) return false;
  return !clauseHas(tokens, at, (word) => NEGATORS.has(word) || UNSETTLED.has(word));
}

/** Whether a fault at tokens `at` to `to` is denied together with one that ends at token `end`: "no bugs or crashes". */
export const isDeniedWith = (tokens: readonly Token[], end: number, at: number, to: number): boolean =>
  isListedAfter(tokens, { end, at: wordBefore(tokens, at, BETWEEN) + 1, to }, LINKS);
