import { isKnown } from "../src/analysis/embedded/reading.ts";
import { tokenize } from "../src/analysis/embedded/tokenizer.ts";
import { isFrequentInEnglish } from "../src/analysis/language.ts";

/** Replaces what is masked. It has no meaning for analysers. */
export const MASK = "___";

/** A word that this many customers have written in lower case is no secret. */
const CUSTOMERS_OF_A_WORD = 3;

/** A text, and what it must not reveal about the customer who wrote it. */
export interface CustomerText {
  /** An id of the customer who wrote it. */
  customer: string;
  text: string;
  /** Names, ids and addresses that belong to the customer or the feedback. */
  secrets: readonly string[];
}

const WORD = /[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*/gu;
const LINK = /^\W*(?:https?:|www\.)|\.(?:com|org|net|info|io|eu|uk|de|fr|es|it|nl)\b/iu;
/**
 * Four or more digits of any script, grouped or not: telephone numbers, accounts, dates, orders.
 */
const NUMBER = /\+?\p{N}(?:[\s\p{Pd}\p{Cf}().,:;/\\|_·•'’+*]{0,3}\p{N}){3,}/gu;
/**
 * Characters with variants that only look different: letters, digits, and full-width characters
 * such as "＠".
 */
const VARIANTS = /[\p{L}\p{M}\p{Nd}\u{FF01}-\u{FF5E}]+/gu;
const MAX_MIXED_LENGTH = 4;

/**
 * Whether a piece is an address, a link or a handle, or mixes letters and digits, as in an order
 * number.
 */
function isIdentifying(piece: string): boolean {
  if (piece.includes("@") || LINK.test(piece)) return true;
  return piece.length > MAX_MIXED_LENGTH && /\p{N}/u.test(piece) && /\p{L}/u.test(piece);
}

/**
 * Whether a word is in the analysers' lists. Such a word is no secret, and if it were masked, the
 * text would be judged differently.
 */
function isCommon(word: string): boolean {
  if (isFrequentInEnglish(word)) return true;
  // As the analysers read it: "isnt" is two words, "gooood" is "good".
  const tokens = tokenize(word, isKnown);
  return tokens.length > 0 && tokens.every(({ norm }) => isKnown(norm) || isFrequentInEnglish(norm));
}

const parts = (word: string): string[] => word.split(/['’]/u);
const wordsIn = (text: string): string[] => text.match(WORD) ?? [];
const normalized = (text: string): string => text.replaceAll(VARIANTS, (variant) => variant.normalize("NFKC"));
/** The name in a word: "Hope" in "Hope’s". */
const nameIn = (word: string): string => word.replace(/['’](?:s|m|d|ll|re|ve)$/iu, "");
const lookedUp = (word: string): string => word.toLowerCase().replaceAll("’", "'");

/**
 * The words that several customers have written, with the capitals that they used. Names have a
 * capital, so they are not found here when words are looked up in lower case.
 */
function shared(texts: readonly CustomerText[]): Set<string> {
  const customers = new Map<string, Set<string>>();
  for (const { customer, text } of texts) {
    for (const word of wordsIn(text)) {
      const known = customers.get(word) ?? new Set();
      customers.set(word, known.add(customer));
    }
  }
  return new Set([...customers].filter(([, who]) => who.size >= CUSTOMERS_OF_A_WORD).map(([word]) => word));
}

/**
 * Masks what could reveal who wrote a text: links, addresses, numbers with four or more digits, and
 * the customer's names and ids. It also masks every word that is not in the analysers' lists,
 * unless three of these customers have written it in lower case. So rare words are masked too, and
 * a name that is an ordinary word ("Rose") stays if it is not the customer's.
 */
export function maskTexts(asWritten: readonly CustomerText[]): string[] {
  const texts = asWritten.map(({ customer, text, secrets }) => ({
    customer,
    text: normalized(text),
    secrets: secrets.map(normalized),
  }));
  const common = shared(texts);
  return texts.map(({ text, secrets }) => {
    const hidden = new Set(secrets.flatMap((secret) => wordsIn(lookedUp(secret))));
    const isShown = (word: string): boolean => {
      const lower = word.toLowerCase();
      const name = nameIn(word);
      if (hidden.has(lookedUp(name)) && (name !== name.toLowerCase() || !isCommon(name))) return false;
      return (
        common.has(lower) ||
        parts(lower).every((part) => part.length === 1 || isCommon(part) || common.has(part)) ||
        isCommon(lower)
      );
    };
    return withoutSecrets(text, secrets)
      .replaceAll(NUMBER, MASK)
      .replaceAll(/\S+/gu, (piece) => (isIdentifying(piece) ? MASK : piece))
      .replaceAll(WORD, (word) => (isShown(word) ? word : MASK))
      .replaceAll(/___(?:[\s,.-]{0,3}___)+/gu, MASK);
  });
}

/**
 * Masks each secret as a whole, even if it is not a word, such as an id of digits. A name that is a
 * single ordinary word ("Rose") is only masked in the same case as the name; anything else is
 * masked in any case.
 */
function withoutSecrets(text: string, secrets: readonly string[]): string {
  const longest = secrets.filter((secret) => secret.trim() !== "").toSorted((one, other) => other.length - one.length);
  return longest.reduce((masked, secret) => {
    const words = secret.trim().split(/\s+/u);
    const literal = words
      .map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`))
      .join(String.raw`\s+`);
    const flags = words.length === 1 && isCommon(secret.trim().toLowerCase()) ? "gu" : "giu";
    return masked.replaceAll(new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, flags), MASK);
  }, text);
}
