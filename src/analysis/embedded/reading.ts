import { detectLanguage, isInOtherScript, isPlainEnglish, isShortText, UNDETERMINED } from "../language.ts";
import { clues } from "./categories/index.ts";
// These two are loaded for their lists, which `isRuleWord` knows then.
import "./category-negation.ts";
import "./sentiment-mood.ts";
import { INTENSIFIERS, isRuleWord, opinions, phrases, publishedValence } from "./lexicon/lexicon.ts";
import { doubts } from "./praise-doubts.ts";
import { tokenize, type Token } from "./tokenizer.ts";

/** A text as both embedded analysers see it. */
export interface Reading {
  text: string;
  tokens: readonly Token[];
  /** ISO 639-1, or `und`. */
  language: string;
  /** English, or too short to tell: then it is judged by its words. */
  readable: boolean;
}

/** Whether a word, in small letters, is in a list that the analysers judge by. */
export const isKnown = (word: string): boolean =>
  isRuleWord(word) ||
  opinions().get(word) !== undefined ||
  publishedValence(word) !== undefined ||
  INTENSIFIERS.has(word) ||
  phrases().knows(word) ||
  doubts().knows(word) ||
  clues().knows(word);

/** "stopped" and "working" stand in clues, and no other language has words that end so beside them. */
const isOpinion = (word: string): boolean =>
  opinions().get(word) !== undefined || (/(?:ed|ing)$/u.test(word) && clues().knows(word));

let latest: Reading | undefined;

/** Characters; the rest of a longer text is not read, so that no text takes long. */
const MAX_TEXT_LENGTH = 20_000;

/**
 * Reads a text, its first 20,000 characters. One that is judged by both analysers in turn is read once.
 * @throws TypeError where it is no string, as callers without types may have it
 */
export function read(text: string): Reading {
  if (latest !== undefined && latest.text === text) return latest;
  if (typeof text !== "string") {
    throw new TypeError(`The text to analyse must be a string, not ${text === null ? "null" : typeof text}.`);
  }
  const tokens = tokenize(text.slice(0, MAX_TEXT_LENGTH), isKnown);
  const language = isPlainEnglish(tokens) ? "en" : detectLanguage(text, isOpinion);
  const readable = language === "en" || (language === UNDETERMINED && isShortText(text) && !isInOtherScript(text));
  latest = { text, tokens, language, readable };
  return latest;
}
