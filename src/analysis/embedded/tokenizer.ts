import { BoundedMemo, wordOf, type Word } from "../memoize.ts";

/** `symbol` is an emoticon or emoji, `stop` is punctuation, `other` is an address or a mention. */
export type TokenKind = "word" | "number" | "symbol" | "stop" | "other";

export interface Token {
  kind: TokenKind;
  /**
   * The form used in lexicons: lower case, straight apostrophes, contractions expanded ("n't" →
   * "not"), "soooo" → "so". Empty for addresses.
   */
  norm: string;
  /** The same form, with the cached answers of the lexicons. */
  word: Word;
  /** Position in the text, in UTF-16 code units, `end` excluded. */
  start: number;
  end: number;
  /** LIKE THIS: at least two letters, all capitals. */
  capitals: boolean;
  /** Liiiike this. */
  stretched: boolean;
}

/** The `norm` of the token at an index; empty beyond the ends of the text. */
export const normAt = (tokens: readonly Token[], at: number): string => tokens[at]?.norm ?? "";

// Every alternative is bounded or can't fail after it has begun, so matching takes linear time.
const TOKEN = [
  String.raw`([\p{L}][\p{L}\p{N}\p{M}_]*(?:['’‘´′\u02BC` + "`" + String.raw`][\p{L}]+)*)`,
  String.raw`([$€£]?[\p{Nd}]+(?:[.,:][\p{Nd}]+)*%?)`,
  // Emoticons, hearts and emoji, unless letters follow.
  String.raw`(<\/?3(?!\d)|>?[:=;][\-'^o]{0,2}(?:[()\[\]|\\\/*]+|[DPpSs3](?![\p{L}\p{N}]))|[()]:(?![\p{L}])|\^_?\^|-_+-|[\p{Extended_Pictographic}])`,
  String.raw`([.!?…。！？]+|[,;:()"“”\n–—])`,
  String.raw`@\w+`,
].join("|");
/** Characters that may form a complete email address or host name, without a path. */
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

/** The ASCII members of Unicode's classes; the classes that are not listed have none. */
const ASCII: Record<string, string> = { L: "a-zA-Z", N: "0-9", Nd: "0-9" };

let unicode: Patterns | undefined;
let ascii: Patterns | undefined;

/**
 * Unicode's classes take milliseconds to compile, which would delay a process's first text; most
 * texts don't need them.
 */
const patternsFor = (text: string): Patterns =>
  /[\u0080-\uFFFF]/.test(text)
    ? (unicode ??= compile((pattern) => pattern))
    : (ascii ??= compile((pattern) => pattern.replaceAll(/\\p\{(\w+)\}/g, (_, name: string) => ASCII[name] ?? "")));

/**
 * Endings of host names. Endings that are English words ("it", "me") are left out, because they
 * would join sentences without a blank in between.
 */
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

/** Contractions that lost their apostrophe, and others with an irregular expansion. */
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

/**
 * Splits "dont", "cannot" and the like where the second word begins in the text, so that offsets
 * stay correct.
 */
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

/** Whether a letter occurs three or more times in a row. */
function isStretched(word: string): boolean {
  for (let i = 2; i < word.length; i++) if (word[i] === word[i - 1] && word[i] === word[i - 2]) return true;
  return false;
}

/**
 * "goooood" → "good", "sooooo" → "so": two letters stay if that makes a known word, otherwise one.
 */
function relax(word: string, knows: (word: string) => boolean): string {
  const two = word.replaceAll(/(.)\1{2,}/gu, "$1$1");
  return knows(two) ? two : word.replaceAll(/(.)\1{2,}/gu, "$1");
}

/** What is cached for each spelling of a word. */
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
  // A contraction is split by positions in the original. They don't fit if a stretched word was
  // shortened, or if lower case is longer, as in a few scripts.
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

/** Adds a token other than a word. */
function pushOther(tokens: Token[], kind: TokenKind, norm: string, start: number, end: number): void {
  // Customers' numbers are not cached.
  const word = kind === "number" ? { norm, answers: [] } : wordOf(norm);
  tokens.push({ kind, norm, word, start, end, capitals: false, stretched: false });
}

/** The end of the link that begins with this word; undefined if there is none. */
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

/**
 * Reads the characters from `start` on that could belong to an address, and checks whether they
 * form one: "joy.best@example.com".
 */
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

/** ASCII letters only; false for NaN, which is the code beyond the end of the text. */
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isApostrophe = (code: number): boolean => code === 0x27 || code === 0x60;

/**
 * The end of the ASCII word that begins at `start`; 0 if other characters follow, which `TOKEN`
 * must handle.
 */
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
 * The words, numbers, emoticons, emoji and punctuation of a text, in order; everything else
 * (spaces, hyphens, marks) separates them. Takes linear time for any string.
 * @param knows decides between the spellings of a stretched word
 */
export function tokenize(text: string, knows: (word: string) => boolean = () => false): Token[] {
  const patterns = patternsFor(text);
  const tokens: Token[] = [];
  // Up to here, the text was searched for an address and has none, so it need not be searched again
  // for each word.
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
  /** @returns where to continue */
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
    // Most tokens are plain words, which need no pattern.
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
