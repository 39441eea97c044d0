import { BoundedMemo } from "./memoize.ts";
import { lookUp, type PackedTable } from "./packed-table.ts";
import { readData } from "./read-data.ts";

/** What stands in `language-tables.json`; `scripts/pack-language-tables.ts` makes it from the tables of eld. */
export interface LanguageTables {
  notice: string;
  /** ISO 639-1, by the number that the n-grams use. */
  languages: string[];
  /** Scores by n-gram. */
  ngrams: PackedTable;
}

/** How well a text fits a language, 0 to 1. */
export type LanguageScores = ReadonlyMap<string, number>;

const NGRAM = 4;
const STRIDE = 3;
const MAX_WORD_LENGTH = 70;
/** Bytes after which no further word is begun, and those after which even a word is cut. */
const SAMPLE = 350;
const MAX_SAMPLE_LENGTH = 380;
/** The tables hold scores without what all of them have in common. */
const MIN_SCORE = 53;
const HALF_SURE = 25;

const FIRST_LANGUAGE = 0x30;
const FIRST_SCORE = 0x20;

/** Two characters for each language: its number and its score. */
export const encodeScores = (scores: readonly (readonly [language: number, score: number])[]): string =>
  scores.map(([language, score]) => String.fromCharCode(FIRST_LANGUAGE + language, FIRST_SCORE + score)).join("");

/** UTF-8, a character for each byte. */
const toBytes = (word: string): string => Buffer.from(word, "utf8").toString("latin1").slice(0, MAX_WORD_LENGTH);

/** Cut where eld cuts. The tables know no marks: what they part are words of their own. */
function sampleOf(words: readonly string[]): string[] {
  const text = words
    .join(" ")
    .replaceAll(/\p{M}+/gu, " ")
    .replaceAll(/ +/gu, " ")
    .trim();
  let read = 0;
  let end = 0;
  for (const character of text) {
    if (read > MAX_SAMPLE_LENGTH || (character === " " && read > SAMPLE)) break;
    read += Buffer.byteLength(character);
    end += character.length;
  }
  return text === "" ? [] : text.slice(0, end).trim().split(" ");
}

/** Overlapping groups of four bytes, with a blank where a word begins or ends; the last one may lie over the one before. */
function ngramsOf(words: readonly string[]): Set<string> {
  const ngrams = new Set<string>();
  for (const word of sampleOf(words)) {
    const bytes = toBytes(word);
    let at = 0;
    for (; at + NGRAM < bytes.length; at += STRIDE) {
      ngrams.add((at === 0 ? " " : "") + bytes.slice(at, at + NGRAM));
    }
    ngrams.add(`${at === 0 ? " " : ""}${bytes.slice(Math.max(0, bytes.length - NGRAM))} `);
  }
  return ngrams;
}

let loaded: LanguageTables | undefined;

const readTables = (): LanguageTables =>
  (loaded ??= readData("./language-tables.json", import.meta.url) as LanguageTables);

/**
 * Scores the languages of words by their n-grams, as eld (https://github.com/nitotm/efficient-language-detector-js) does,
 * with its tables for sixty languages. Reads 350 bytes, and up to 30 more to end a word. The first call loads the tables, in a few milliseconds.
 * @param words in lower case, without punctuation
 */
export function scoreLanguages(words: readonly string[]): LanguageScores {
  const { languages } = readTables();
  const ngrams = ngramsOf(words);
  const sums = languages.map(() => 0);
  for (const ngram of ngrams) addScores(scoresOf.get(ngram), sums);
  const scores = new Map<string, number>();
  sums.forEach((sum, at) => {
    const fit = sum / ngrams.size;
    if (sum > 0) scores.set(languages[at] ?? "", fit / (fit + HALF_SURE));
  });
  return scores;
}

/** The scores of an n-gram as the tables have them, nothing where they lack it. Most are met again and again. */
const scoresOf = new BoundedMemo((ngram) => lookUp(readTables().ngrams, ngram) ?? "");

function addScores(scores: string, sums: number[]): void {
  for (let at = 0; at < scores.length; at += 2) {
    const language = scores.charCodeAt(at) - FIRST_LANGUAGE;
    sums[language] = (sums[language] ?? 0) + scores.charCodeAt(at + 1) - FIRST_SCORE + MIN_SCORE;
  }
}
