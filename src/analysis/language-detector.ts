import { BoundedMemo } from "./memoize.ts";
import { lookUp, type PackedTable } from "./packed-table.ts";
import { readData } from "./read-data.ts";

/**
 * The content of `language-tables.json`, which `scripts/pack-language-tables.ts` generates from
 * eld's tables.
 */
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
/** Bytes after which no further word begins. */
const SAMPLE = 350;
/** Bytes after which a word is cut. */
const MAX_SAMPLE_LENGTH = 380;
/** The tables store each score minus this number, because no score is lower. */
const MIN_SCORE = 53;
/** A language gets half of the highest score if this is the average score of its n-grams. */
const HALF_SURE = 25;

/** The codes of the characters that stand for language 0 and score 0. */
const FIRST_LANGUAGE = 0x30;
const FIRST_SCORE = 0x20;

/** Two characters for each language: its number and its score. */
export const encodeScores = (scores: readonly (readonly [language: number, score: number])[]): string =>
  scores.map(([language, score]) => String.fromCharCode(FIRST_LANGUAGE + language, FIRST_SCORE + score)).join("");

/** UTF-8, a character for each byte; at most `MAX_WORD_LENGTH` of them. */
const toBytes = (word: string): string => Buffer.from(word, "utf8").toString("latin1").slice(0, MAX_WORD_LENGTH);

/**
 * The words, cut where eld cuts them. The tables have no combining marks, so a mark separates
 * words.
 */
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

/**
 * Overlapping groups of four bytes, with a blank where a word begins or ends. The last group of a
 * word may overlap more.
 */
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
 * Scores the languages of words by their n-grams, as eld does, with its tables for sixty languages
 * (https://github.com/nitotm/efficient-language-detector-js). Reads 350 bytes, and up to 30 more to
 * end a word. The first call loads the tables, in a few milliseconds.
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

/**
 * The scores of an n-gram as in the tables; empty if they lack it. Cached, because most n-grams
 * recur.
 */
const scoresOf = new BoundedMemo((ngram) => lookUp(readTables().ngrams, ngram) ?? "");

function addScores(scores: string, sums: number[]): void {
  for (let at = 0; at < scores.length; at += 2) {
    const language = scores.charCodeAt(at) - FIRST_LANGUAGE;
    sums[language] = (sums[language] ?? 0) + scores.charCodeAt(at + 1) - FIRST_SCORE + MIN_SCORE;
  }
}
