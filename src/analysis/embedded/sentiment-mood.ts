import { COMPARATIVES, endsClause, NEGATORS, wordSet } from "./lexicon/lexicon.ts";
import { normAt, type Token } from "./tokenizer.ts";

/** Two words that reverse what follows, as a negation does: "far from perfect". */
const REVERSING_PAIRS = wordSet("used-to far-from anything-but less-than nowhere-near free-of free-from");
/**
 * Words after "used to" that make it a past habit; otherwise it is a participle: "a knife used to
 * cut".
 */
const USED_TO = wordSet("love like be enjoy trust work have adore admire appreciate recommend respect feel look run");
/** Words before "used to" that make it a lasting habit: "I am used to good service". */
const HABITS = wordSet("am is are was were be been being get gets got getting gotten");

const POSSIBILITY = wordSet("can could");
const BETWEEN_POSSIBILITY = wordSet(
  "be been have had get got go gone do done find found make made ask for a an any much more ever",
);
const ANY = wordSet("a an any anyone anybody anything anywhere");
const NEEDS = wordSet("should could must ought need needs needed");
const BETWEEN_NEED = wordSet("be been have has to get made a bit little lot much far way even slightly somewhat more");

/** In tokens. */
const WISHED_REACH = 12;
const WISHES = wordSet("wish wished");
/** "I wish you all the best" is not a complaint. */
const WELL_WISHED = wordSet("you him her them everyone everybody all u");
const UNREAL = wordSet("had would could were was did");
const UNREAL_SUBJECTS = wordSet("it they this that these those there he she");
const ARTICLES = wordSet("the your this that");

/**
 * Where the words that end with token `i` begin, if they reverse the opinion at `at` without a
 * negation: "less helpful", "used to love".
 */
export function reversalAt(tokens: readonly Token[], i: number, at: number): number | undefined {
  const word = normAt(tokens, i);
  if (word === "less" && i === at - 1) return i;
  const first = normAt(tokens, i - 1);
  if (!REVERSING_PAIRS.has(`${first}-${word}`)) return undefined;
  const before = normAt(tokens, i - 2);
  // "Not far from perfect" is praise.
  if (NEGATORS.has(before)) return undefined;
  if (first === "used" && (HABITS.has(before) || !USED_TO.has(normAt(tokens, i + 1)))) return undefined;
  return i - 1;
}

const isComparative = (tokens: readonly Token[], at: number, to: number): boolean =>
  COMPARATIVES.has(normAt(tokens, to - 1)) || normAt(tokens, at - 1) === "more";

/**
 * Whether a negated comparative means a superlative: "it could not be better", "I never had a worse
 * meal".
 */
export function isUnsurpassed(tokens: readonly Token[], negation: number, at: number, to: number): boolean {
  if (!isComparative(tokens, at, to)) return false;
  if (POSSIBILITY.has(normAt(tokens, negation - 1))) {
    for (let i = negation + 1; i < at; i++) if (!BETWEEN_POSSIBILITY.has(normAt(tokens, i))) return false;
    return true;
  }
  if (normAt(tokens, negation) !== "never") return false;
  for (let i = negation + 1; i < at; i++) if (ANY.has(normAt(tokens, i))) return true;
  return false;
}

const isHaveTo = (tokens: readonly Token[], at: number): boolean =>
  /^ha(?:s|ve)$/u.test(normAt(tokens, at)) && normAt(tokens, at + 1) === "to";

/**
 * Whether the text calls for more of something, which means that there is too little: "it should be
 * easier".
 */
export function isCalledFor(tokens: readonly Token[], at: number, to: number): boolean {
  if (!isComparative(tokens, at, to) || normAt(tokens, to) === "than") return false;
  let before = at - 1;
  while (BETWEEN_NEED.has(normAt(tokens, before))) before--;
  if (before < at - 1 && (NEEDS.has(normAt(tokens, before)) || isHaveTo(tokens, before + 1))) return true;
  // "They should answer faster".
  return tokens[before]?.kind === "word" && NEEDS.has(normAt(tokens, before - 1));
}

/** Whether what follows a wish is not the case: "wish it were", "wish that the app had". */
function isUnreal(tokens: readonly Token[], wish: number): boolean {
  let subject = wish + 1;
  if (normAt(tokens, subject) === "that" && !UNREAL.has(normAt(tokens, subject + 1))) subject++;
  if (UNREAL_SUBJECTS.has(normAt(tokens, subject)) && UNREAL.has(normAt(tokens, subject + 1))) return true;
  return ARTICLES.has(normAt(tokens, subject)) && UNREAL.has(normAt(tokens, subject + 2));
}

/** Whether praise at tokens `at` to `to` is about what is not the case: "I wish it were easy". */
export function isWished(tokens: readonly Token[], at: number, to: number): boolean {
  for (let i = at - 1; i >= 0 && i >= at - WISHED_REACH; i--) {
    const word = normAt(tokens, i);
    if (endsClause(tokens[i]) || word === "and") return false;
    if (!WISHES.has(word)) continue;
    if (WELL_WISHED.has(normAt(tokens, i + 1)) && !UNREAL.has(normAt(tokens, i + 2))) return false;
    return isComparative(tokens, at, to) || isUnreal(tokens, i);
  }
  return false;
}
