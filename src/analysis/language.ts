import { scoreLanguages } from "./language-detector.ts";

/** Where the language can't be told: too short, or nothing to read. */
export const UNDETERMINED = "und";

const SAMPLE = 600;
const ENOUGH_WORDS = 4;
const FEW_WORDS = 8;
/** What a text written in another script than the Latin one needs: Chinese or Thai have no blanks to count words by. */
const ENOUGH_LETTERS = 4;
const LEAD_OVER_ENGLISH = 0.1;
/** Short texts of names and slang look like anything: there the lead must be clear. */
const LEAD_WITH_FEW_WORDS = 0.15;
const ENOUGH_SCORE = 0.6;
const ENGLISH_SHARE = 0.12;

/** Words, and before them what is no language: links and mentions. */
const WORDS = /(?:https?:\/\/|www\.|@)\S+|[\p{L}\p{M}'’]+/gu;

/** Frequent in English, and rare in what else is written with Latin letters. */
const ENGLISH = new Set(
  "the and this that these those with you your they their are were very would could should from but it it's its which what when because there been i'm don't didn't doesn't isn't wasn't can't won't we our not has had how about after only than".split(
    " ",
  ),
);

function detect(words: readonly string[]): string {
  const scores = scoreLanguages(words);
  const english = scores.get("en") ?? 0;
  let language = UNDETERMINED;
  let best = 0;
  for (const [one, score] of scores) if (score > best) [language, best] = [one, score];
  const wanted = new Set(words).size < FEW_WORDS ? LEAD_WITH_FEW_WORDS : LEAD_OVER_ENGLISH;
  if (language === "en" || (english > 0 && best - english < wanted)) return "en";
  return best >= ENOUGH_SCORE ? language : UNDETERMINED;
}

function readWords(text: string): string[] {
  const found = text.slice(0, SAMPLE).toLowerCase().match(WORDS) ?? [];
  return found.filter((word) => !/^(?:@|https?:|www\.)/u.test(word));
}

const FIRST_WORDS = 100;

/** Two of these make a text English beyond doubt: hardly another language has them. */
const PLAIN_ENGLISH = new Set([
  ...ENGLISH,
  ..."my he she his him who why where does did just very really some any more other get got much use used work works out up well even good great bad nice like would always never every here again new should make made thing things love hate".split(
    " ",
  ),
]);

/**
 * Whether words that were found already are English beyond doubt, by its most frequent ones, contractions in full. Most
 * English texts are, and need no closer look.
 */
export function isPlainEnglish(tokens: readonly { norm: string; kind: string }[]): boolean {
  let words = 0;
  let english = 0;
  for (const { norm, kind } of tokens) {
    if (kind !== "word") continue;
    words += 1;
    if (PLAIN_ENGLISH.has(norm)) english += 1;
    if (words === FIRST_WORDS) break;
  }
  return english >= 2 && english >= words * ENGLISH_SHARE;
}

/**
 * The language of a text as an ISO 639-1 code, `und` where it can't be told. Leans towards English: another language
 * is only said where it is clearly ahead. Reads the first 600 characters; links and mentions do not count.
 */
export function detectLanguage(text: string): string {
  const words = readWords(text);
  const english = words.filter((word) => ENGLISH.has(word.replace("’", "'"))).length;
  if (english >= 2 && english >= words.length * ENGLISH_SHARE) return "en";
  if (new Set(words).size < ENOUGH_WORDS) {
    const otherScripts = words.join("").match(/(?!\p{Script=Latin})\p{L}/gu)?.length ?? 0;
    if (otherScripts < ENOUGH_LETTERS) return UNDETERMINED;
  }
  return detect(words);
}
