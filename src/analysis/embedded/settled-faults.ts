import { endsClause, NEGATORS, wordSet } from "./lexicon/lexicon.ts";
import { normAt, type Token } from "./tokenizer.ts";

/** Words for what was done about a fault, or what keeps it away. */
const SETTLING = wordSet(
  "fixed fixing solved solving resolved resolving corrected correcting squashed squashing waived waiving handled eliminated prevent prevents prevented avoid avoids avoided stopped rarely seldom fewer",
);
const SETTLING_PAIRS = wordSet("free-of free-from rid-of");
const SETTLED_BETWEEN = wordSet("a an the all any my our this that these those every annoying far many");
const SETTLED_AFTER = wordSet(
  "is are was were got has have been all quickly promptly soon finally immediately now very quite",
);
const OVER = wordSet("gone over rare history");
/** Earlier in the clause, these mean that the fault is not fixed yet: "if the bug is fixed". */
const UNSETTLED = wordSet("if until unless once when should must need needs want please still start try trying worth");
const BEING = wordSet("am is are was were be been being get gets got getting");
const PROTECTING = wordSet("protect protects protected protecting safe");

/** In tokens. Only so much of a clause is searched, to limit the time. */
const MAX_CLAUSE_LENGTH = 40;
const PROTECTION_REACH = 4;

/** The index of the nearest token to the left of `at` that is not in `between`. */
export function wordBefore(tokens: readonly Token[], at: number, between: ReadonlySet<string>): number {
  let word = at - 1;
  while (between.has(normAt(tokens, word))) word--;
  return word;
}

/** Whether a wanted word comes before token `before` in its clause. */
export function clauseHas(tokens: readonly Token[], before: number, wanted: (word: string) => boolean): boolean {
  const first = Math.max(0, before - MAX_CLAUSE_LENGTH);
  for (let i = before - 1; i >= first && !endsClause(tokens[i]); i--) if (wanted(normAt(tokens, i))) return true;
  return false;
}

const isOpen = (tokens: readonly Token[], before: number): boolean =>
  clauseHas(tokens, before, (word) => NEGATORS.has(word) || UNSETTLED.has(word));

function isQuestion(tokens: readonly Token[], at: number): boolean {
  const last = Math.min(tokens.length, at + MAX_CLAUSE_LENGTH);
  for (let i = at; i < last; i++) {
    const { kind, norm = "" } = tokens[i] ?? {};
    if (kind === "stop" && /^[.!?…。！？\n]/u.test(norm)) return norm.includes("?");
  }
  return false;
}

/** Where the protection before a preposition begins: "protects us from", "safe from". */
function protectionBefore(tokens: readonly Token[], preposition: number): number | undefined {
  if (!/^(?:from|against)$/u.test(normAt(tokens, preposition))) return undefined;
  for (let i = preposition - 1; i >= preposition - PROTECTION_REACH; i--) {
    if (PROTECTING.has(normAt(tokens, i))) return isOpen(tokens, i) ? undefined : i;
  }
  return undefined;
}

/**
 * The start of the words that say that the fault at token `at` is over, rare or kept away: "you
 * fixed the crash", "free of bugs", "it used to crash", "fewer errors". Undefined if that is asked,
 * wanted or denied: "did not fix the crash".
 */
export function settledBefore(tokens: readonly Token[], at: number): number | undefined {
  const before = wordBefore(tokens, at, SETTLED_BETWEEN);
  const word = normAt(tokens, before);
  const pair = `${normAt(tokens, before - 1)}-${word}`;
  if (SETTLING_PAIRS.has(pair)) return before - 1;
  if (pair === "used-to" && before === at - 1) return BEING.has(normAt(tokens, before - 2)) ? undefined : before - 1;
  const protection = protectionBefore(tokens, before);
  if (protection !== undefined) return protection;
  return SETTLING.has(word) && !isQuestion(tokens, at) && !isOpen(tokens, before) ? before : undefined;
}

/**
 * Whether the words after a fault at tokens `at` to `to` say that it is over: "the errors were
 * fixed at once", "the bug is gone", "bug-free".
 */
export function isSettledAfter(tokens: readonly Token[], at: number, to: number): boolean {
  if (normAt(tokens, to) === "free" && normAt(tokens, to + 1) !== "of") return true;
  let settled = to;
  while (SETTLED_AFTER.has(normAt(tokens, settled))) settled++;
  const word = normAt(tokens, settled);
  const isOver =
    (settled > to && (SETTLING.has(word) || OVER.has(word))) ||
    (/^(?:went|goes|gone)$/u.test(word) && normAt(tokens, settled + 1) === "away");
  return isOver && !isQuestion(tokens, at) && !isOpen(tokens, at);
}
