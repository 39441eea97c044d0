import { detectLanguage, isInOtherScript, isPlainEnglish, isShortText, UNDETERMINED } from "../language.ts";
import { clues } from "./categories/index.ts";
// Imported for their side effect: they register their word lists, which `isRuleWord` then knows.
import "./category-negation.ts";
import "./sentiment-mood.ts";
import "./stated-faults.ts";
import { INTENSIFIERS, isRuleWord, opinions, phrases, publishedValence } from "./lexicon/lexicon.ts";
import { doubts } from "./praise-doubts.ts";
import { tokenize, type Token } from "./tokenizer.ts";

/** A text in the form that both embedded analysers read. */
export interface Reading {
  text: string;
  tokens: readonly Token[];
  /** ISO 639-1, or `und`. */
  language: string;
  /** True if the text is English, or too short to tell. Only then is it judged by its words. */
  readable: boolean;
}

/** Whether a word, in lower case, is in a list that the analysers judge by. */
export const isKnown = (word: string): boolean =>
  isRuleWord(word) ||
  opinions().get(word) !== undefined ||
  publishedValence(word) !== undefined ||
  INTENSIFIERS.has(word) ||
  phrases().knows(word) ||
  doubts().knows(word) ||
  clues().knows(word);

/**
 * Whether a word, in lower case, is an opinion word for `detectLanguage`. Words in -ed and -ing
 * that occur in clues ("stopped", "working") count as well, because no other language has them.
 */
const isOpinion = (word: string): boolean =>
  opinions().get(word) !== undefined || (/(?:ed|ing)$/u.test(word) && clues().knows(word));

/** The last reading. A weak reference, so a customer's text doesn't stay in memory. */
let latest: WeakRef<Reading> | undefined;

/** In characters. The rest of a longer text is not read, so no text takes long. */
const MAX_TEXT_LENGTH = 20_000;

/**
 * Reads the first 20,000 characters of a text. If both analysers judge a text one after the other,
 * it is only read once.
 * @throws TypeError if it is not a string, which callers without types may pass
 */
export function read(text: string): Reading {
  const known = latest?.deref();
  if (known !== undefined && known.text === text) return known;
  if (typeof text !== "string") {
    throw new TypeError(`The text to analyse must be a string, not ${text === null ? "null" : typeof text}.`);
  }
  const tokens = tokenize(text.slice(0, MAX_TEXT_LENGTH), isKnown);
  const language = isPlainEnglish(tokens) ? "en" : detectLanguage(text, isOpinion);
  const readable = language === "en" || (language === UNDETERMINED && isShortText(text) && !isInOtherScript(text));
  const reading = { text, tokens, language, readable };
  latest = new WeakRef(reading);
  return reading;
}
