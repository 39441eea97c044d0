import { BoundedMemo, wordOf, type Word } from "../memoize.ts";

/** `stop` is punctuation; `other` (addresses, mentions, numbers in codes) stands for nothing that a lexicon knows. */
export type TokenKind = "word" | "number" | "symbol" | "stop" | "other";

export interface Token {
  kind: TokenKind;
  /** What lexicons are asked for: lower case, straight apostrophes, contractions in full ("n't" → "not"), "soooo" → "so". */
  norm: string;
  /** The same as lexicons remember it. */
  word: Word;
  /** Position in the text, in UTF-16 code units, `end` excluded. */
  start: number;
  end: number;
  /** LIKE THIS: at least two letters and all of them capitals. */
  capitals: boolean;
  /** Liiiike this. */
  stretched: boolean;
}

/** The word at a place, nothing beyond the ends of the text. */
export const normAt = (tokens: readonly Token[], at: number): string => tokens[at]?.norm ?? "";

// Every alternative is bounded or can't fail after it began, so that the whole is linear in the text's length.
const TOKEN = [
  String.raw`([\p{L}][\p{L}\p{N}\p{M}_]*(?:['’‘´′\u02BC` + "`" + String.raw`][\p{L}]+)*)`,
  String.raw`([$€£]?[\p{Nd}]+(?:[.,:][\p{Nd}]+)*%?)`,
  // Emoticons, hearts and emoji; letters may not go on after them.
  String.raw`(<\/?3(?!\d)|>?[:=;][\-'^o]{0,2}(?:[()\[\]|\\\/*]+|[DPpSs3](?![\p{L}\p{N}]))|[()]:(?![\p{L}])|\^_?\^|-_+-|[\p{Extended_Pictographic}])`,
  String.raw`([.!?…。！？]+|[,;:()"“”\n–—])`,
  String.raw`@\w+`,
].join("|");
/** What may be a mail address or a host name as a whole, without the path. */
const RUN = String.raw`[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.+@-]*`;
const MAIL_ADDRESS = String.raw`[\p{L}\p{N}_]@[\p{L}\p{N}]`;
/** The rest of an address whose beginning was taken for a word: `https` or `someone`. */
const ADDRESS = /(?::\/\/|@)\S+|\.[\w-]+\.\w\S*/uy;
const PATH = /\/[^\s,;]*/uy;

interface Patterns {
  token: RegExp;
  run: RegExp;
  mailAddress: RegExp;
}

const compile = (readClasses: (pattern: string) => string): Patterns => ({
  token: new RegExp(readClasses(TOKEN), "gu"),
  run: new RegExp(readClasses(RUN), "uy"),
  mailAddress: new RegExp(readClasses(MAIL_ADDRESS), "u"),
});

/** What the classes of Unicode come to in ASCII. */
const ASCII: Record<string, string> = { L: "a-zA-Z", N: "0-9", Nd: "0-9" };

let unicode: Patterns | undefined;
let ascii: Patterns | undefined;

/** Unicode's classes take milliseconds to compile, which the first text of a process waits for: most can do without. */
const patternsFor = (text: string): Patterns =>
  /[\u0080-\uFFFF]/.test(text)
    ? (unicode ??= compile((pattern) => pattern))
    : (ascii ??= compile((pattern) => pattern.replaceAll(/\\p\{(\w+)\}/g, (_, name: string) => ASCII[name] ?? "")));

/** Endings of host names; those that are words of English ("it", "me") would join sentences without a blank between. */
const ENDINGS = new Set(
  "com org net edu gov mil int io app dev ai info biz co uk de fr eu ca au nz nl ch jp cn br se pl example test invalid".split(
    " ",
  ),
);

const SUFFIXES: Record<string, string> = {
  "'s": "is",
  "'m": "am",
  "'re": "are",
  "'ve": "have",
  "'ll": "will",
  "'d": "would",
};

/** Contractions that lost their apostrophe, and others that come apart in an irregular way. */
const CONTRACTIONS = new Map<string, readonly [string, string]>([
  ["cannot", ["can", "not"]],
  ["can't", ["can", "not"]],
  ["cant", ["can", "not"]],
  ["won't", ["will", "not"]],
  ["wont", ["will", "not"]],
  ["shan't", ["shall", "not"]],
  ["ain't", ["is", "not"]],
  ["aint", ["is", "not"]],
  ["im", ["i", "am"]],
  ["ive", ["i", "have"]],
  ["gonna", ["going", "to"]],
  ["wanna", ["want", "to"]],
  ["gotta", ["got", "to"]],
  ...["do", "does", "did", "is", "are", "was", "were", "has", "have", "had", "would", "could", "should", "need"].map(
    (verb): [string, readonly [string, string]] => [`${verb}nt`, [verb, "not"]],
  ),
]);

interface Split {
  first: Word;
  second: Word;
  at: number;
}

const split = (first: string, second: string, at: number): Split => ({
  first: wordOf(first),
  second: wordOf(second),
  at,
});

/** "dont" and "cannot" are split where the second word begins, so that offsets stay true. */
function splitContraction(word: string): Split | undefined {
  const known = CONTRACTIONS.get(word);
  if (known) {
    const tail = /n['o]?t$/u.exec(word)?.[0].length ?? Math.max(1, word.length - known[0].length);
    return split(known[0], known[1], word.length - tail);
  }
  const apostrophe = word.lastIndexOf("'");
  if (apostrophe <= 0) return undefined;
  if (word.endsWith("n't") && word.length > 3) return split(word.slice(0, -3), "not", word.length - 3);
  const suffix = SUFFIXES[word.slice(apostrophe)];
  return suffix === undefined ? undefined : split(word.slice(0, apostrophe), suffix, apostrophe);
}

/** Whether a letter comes three times or more in a row. */
function isStretched(word: string): boolean {
  for (let i = 2; i < word.length; i++) if (word[i] === word[i - 1] && word[i] === word[i - 2]) return true;
  return false;
}

/** "goooood" → "good", "sooooo" → "so": two letters are left where that makes a known word, else one. */
function relax(word: string, knows: (word: string) => boolean): string {
  const two = word.replaceAll(/(.)\1{2,}/gu, "$1$1");
  return knows(two) ? two : word.replaceAll(/(.)\1{2,}/gu, "$1");
}

/** What is to be known of a word as it is written. */
interface Spelling {
  word: Word;
  capitals: boolean;
  stretched: boolean;
  split: Split | undefined;
}

function readSpelling(surface: string, knows?: (word: string) => boolean): Spelling {
  const lower = surface.toLowerCase();
  const straight = lower.replaceAll(/[’‘´′\u02BC`]/g, "'");
  const capitals = surface.length > 1 && surface !== lower && surface === surface.toUpperCase();
  const stretched = isStretched(straight);
  const norm = stretched && knows ? relax(straight, knows) : straight;
  // Lower case may be longer than the original in a few scripts; those words have no contractions.
  const split = norm.length === surface.length ? splitContraction(norm) : undefined;
  return { word: wordOf(norm), capitals, stretched, split };
}

const spellings = new BoundedMemo<Spelling>((surface) => readSpelling(surface));

function pushWord(tokens: Token[], surface: string, start: number, knows: (word: string) => boolean): void {
  let spelling = spellings.get(surface);
  if (spelling.stretched) spelling = readSpelling(surface, knows);
  const { word, capitals, stretched, split } = spelling;
  const end = start + surface.length;
  if (!split) {
    tokens.push({ kind: "word", norm: word.norm, word, start, end, capitals, stretched });
    return;
  }
  const { first, second } = split;
  const middle = start + split.at;
  tokens.push({ kind: "word", norm: first.norm, word: first, start, end: middle, capitals, stretched });
  tokens.push({ kind: "word", norm: second.norm, word: second, start: middle, end, capitals, stretched: false });
}

/** All but words. */
function pushOther(tokens: Token[], kind: TokenKind, norm: string, start: number, end: number): void {
  // Customers' numbers are not kept.
  const word = kind === "number" ? { norm, answers: [] } : wordOf(norm);
  tokens.push({ kind, norm, word, start, end, capitals: false, stretched: false });
}

/** Where the link ends that this word begins; nothing where it begins none. */
function linkEnd(text: string, word: string, end: number): number | undefined {
  const next = text[end];
  const begins =
    next === "@" || (next === ":" && text[end + 1] === "/") || (next === "." && word.toLowerCase() === "www");
  if (!begins) return undefined;
  ADDRESS.lastIndex = end;
  return ADDRESS.test(text) ? ADDRESS.lastIndex : undefined;
}

const isHost = (name: string): boolean =>
  name.includes(".") && !name.includes("..") && ENDINGS.has(name.slice(name.lastIndexOf(".") + 1).toLowerCase());

/** The characters from `start` on that an address could have, and whether they are one: "joy.best@example.com". */
function readRun(text: string, start: number, { run, mailAddress }: Patterns): { end: number; isAddress: boolean } {
  run.lastIndex = start;
  const found = (run.exec(text)?.[0] ?? "").replace(/(?<![.@+-])[.@+-]+$/u, "");
  const end = start + found.length;
  if (!mailAddress.test(found) && !isHost(found)) return { end, isAddress: false };
  PATH.lastIndex = end;
  return { end: PATH.test(text) ? PATH.lastIndex : end, isAddress: true };
}

function kindOf(match: RegExpExecArray): TokenKind {
  if (match[2] !== undefined) return "number";
  if (match[3] !== undefined) return "symbol";
  return match[4] === undefined ? "other" : "stop";
}

const BLANK = 0x20;
const COMMA = 0x2c;

/** In ASCII alone; no number (the text's end) and no other character is one. */
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isApostrophe = (code: number): boolean => code === 0x27 || code === 0x60;

/** Where the word of ASCII letters ends that begins at `start`; 0 where other characters follow and `TOKEN` must tell. */
function asciiWordEnd(text: string, start: number): number {
  let at = start + 1;
  let code = text.charCodeAt(at);
  while (isLetter(code) || isDigit(code) || code === 0x5f) code = text.charCodeAt(++at);
  while (isApostrophe(code)) {
    const next = text.charCodeAt(at + 1);
    if (next > 0x7f) return 0;
    if (!isLetter(next)) return at;
    at += 1;
    do code = text.charCodeAt(++at);
    while (isLetter(code));
  }
  return code > 0x7f ? 0 : at;
}

/**
 * Words, numbers, emoticons, emoji and punctuation of a text, in order; all else (spaces, hyphens, marks) parts them.
 * Linear in the text's length, for any string.
 * @param knows tells which of the spellings of a stretched word is meant
 */
export function tokenize(text: string, knows: (word: string) => boolean = () => false): Token[] {
  const patterns = patternsFor(text);
  const tokens: Token[] = [];
  // Up to here the text was looked at and holds no address: none of its words needs to look again.
  let seen = 0;
  const addressEnd = (word: string, start: number): number | undefined => {
    const end = start + word.length;
    if (start >= seen && /[.+@-]/u.test(text[end] ?? "")) {
      const run = readRun(text, start, patterns);
      if (run.isAddress) return run.end;
      seen = run.end;
    }
    return linkEnd(text, word, end);
  };
  /** @returns where to go on */
  const takeWord = (surface: string, start: number): number => {
    const end = start + surface.length;
    const next = text.charCodeAt(end);
    const address = next === BLANK || next === COMMA ? undefined : addressEnd(surface, start);
    if (address === undefined) pushWord(tokens, surface, start, knows);
    else pushOther(tokens, "other", "", start, address);
    return address ?? end;
  };
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === BLANK) {
      at += 1;
      continue;
    }
    // By far the most tokens are plain words: those need no pattern.
    const wordEnd = isLetter(code) ? asciiWordEnd(text, at) : 0;
    if (wordEnd > 0) {
      at = takeWord(text.slice(at, wordEnd), at);
      continue;
    }
    patterns.token.lastIndex = at;
    const match = patterns.token.exec(text);
    if (match === null) break;
    const surface = match[0];
    const start = match.index;
    at = start + surface.length;
    if (match[1] === undefined) pushOther(tokens, kindOf(match), surface, start, at);
    else at = takeWord(surface, start);
  }
  return tokens;
}
