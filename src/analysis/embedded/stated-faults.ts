import { endsClause, wordSet } from "./lexicon/lexicon.ts";
import { wordBefore } from "./settled-faults.ts";
import { normAt, type Token } from "./tokenizer.ts";

/** Who wrote the text, and who reads it. */
const PEOPLE = wordSet("i me we us my our mine ours you your yours");
/** What is sold or sent, and its delivery: "the website shows an error", "one lamp came broken". */
const THINGS = wordSet(
  "app apps application website websites site webpage webshop homepage checkout portal login account order orders invoice invoices bill bills total amount booking bookings mail email newsletter form button link menu software version update download parcel parcels package packages delivery came arrived arrives delivered received",
);
const BEING = wordSet("is are was were");
const ADVERBS = wordSet(
  "very really so quite totally completely slightly partly badly still already now also both all then always often sometimes",
);
/** Somebody else's, or of the past: "my old phone crashed", "another shop whose app is buggy". */
const OTHERS = wordSet("old older previous previously former formerly another competitor competitors rival rivals");
/** Words at which another statement begins. */
const LINKS = wordSet(
  "and or because although though that which who where when while if as so since until after before how why what than",
);

/**
 * Tokens to either side. Words farther away have little to do with the fault, and the limit keeps
 * long texts fast.
 */
const REACH = 12;

const endsStatement = (token: Token | undefined): boolean =>
  token === undefined || endsClause(token) || LINKS.has(token.norm);

/**
 * The words around a fault that belong to the same statement: from token `before` to the left, and
 * from token `to` to the right.
 */
function wordsAround(tokens: readonly Token[], before: number, to: number): string[] {
  const words: string[] = [];
  for (let at = before; at > before - REACH && !endsStatement(tokens[at]); at--) words.push(normAt(tokens, at));
  for (let at = to; at < to + REACH && !endsStatement(tokens[at]); at++) words.push(normAt(tokens, at));
  return words;
}

/**
 * Whether the fault at tokens `from` to `to` is stated rather than mentioned in passing: the words
 * around it name the writer, the reader or what is sold, or a form of "be" precedes it. "You
 * overcharged me" and "the zip is broken" are stated, "the train crashes" and "an error in the
 * paper" are not.
 */
export function isStatedFault(tokens: readonly Token[], from: number, to: number): boolean {
  const before = wordBefore(tokens, from, ADVERBS);
  // In "the app opens and crashes", the subject comes before the "and".
  const words = wordsAround(tokens, normAt(tokens, before) === "and" ? before - 1 : before, to);
  if (words.some((word) => OTHERS.has(word))) return false;
  return BEING.has(normAt(tokens, before)) || words.some((word) => PEOPLE.has(word) || THINGS.has(word));
}
