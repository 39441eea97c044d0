/** `stop` is punctuation; `other` (addresses, mentions, numbers in codes) stands for nothing that a lexicon knows. */
export type TokenKind = "word" | "number" | "symbol" | "stop" | "other";

export interface Token {
  kind: TokenKind;
  /** What lexicons are asked for: lower case, straight apostrophes, contractions in full ("n't" → "not"), "soooo" → "so". */
  norm: string;
  /** Position in the text, in UTF-16 code units, `end` excluded. */
  start: number;
  end: number;
  /** LIKE THIS: at least two letters and all of them capitals. */
  capitals: boolean;
  /** Liiiike this. */
  stretched: boolean;
}

// Every alternative is bounded or can't fail after it began, so that the whole is linear in the text's length.
const TOKEN = new RegExp(
  [
    String.raw`(\p{L}[\p{L}\p{N}\p{M}_]*(?:['’‘\u02BC` + "`" + String.raw`]\p{L}+)*)`,
    String.raw`([$€£]?\p{Nd}+(?:[.,:]\p{Nd}+)*%?)`,
    // Emoticons, hearts and emoji; letters may not go on after them.
    String.raw`(<\/?3(?!\d)|>?[:=;][\-'^o]{0,2}(?:[()\[\]|\\\/*]+|[DPpSs3](?![\p{L}\p{N}]))|[()]:(?!\p{L})|\^_?\^|-_+-|\p{Extended_Pictographic})`,
    String.raw`([.!?…。！？]+|[,;:()"“”\n–—])`,
    String.raw`@\w+`,
  ].join("|"),
  "gu",
);
/** The rest of an address whose beginning was taken for a word: `https` or `someone`. */
const ADDRESS = /(?::\/\/|@)\S+|\.[\w-]+\.\w\S*/uy;
/** What may be a mail address or a host name as a whole, its path included. */
const RUN = /[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.+@-]*/uy;
const PATH = /\/[^\s,;]*/uy;
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

/** "dont" and "cannot" are split where the second word begins, so that offsets stay true. */
function splitContraction(word: string): { first: string; second: string; at: number } | undefined {
  const known = CONTRACTIONS.get(word);
  if (known) {
    const tail = /n['o]?t$/u.exec(word)?.[0].length ?? Math.max(1, word.length - known[0].length);
    return { first: known[0], second: known[1], at: word.length - tail };
  }
  const apostrophe = word.lastIndexOf("'");
  if (apostrophe <= 0) return undefined;
  if (word.endsWith("n't") && word.length > 3) return { first: word.slice(0, -3), second: "not", at: word.length - 3 };
  const suffix = SUFFIXES[word.slice(apostrophe)];
  return suffix === undefined ? undefined : { first: word.slice(0, apostrophe), second: suffix, at: apostrophe };
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

function pushWord(tokens: Token[], surface: string, start: number, knows: (word: string) => boolean): void {
  const lower = surface.toLowerCase();
  const straight = /[’‘\u02BC`]/u.test(lower) ? lower.replaceAll(/[’‘\u02BC`]/gu, "'") : lower;
  const capitals = surface.length > 1 && surface !== lower && surface === surface.toUpperCase();
  const stretched = isStretched(straight);
  const norm = stretched ? relax(straight, knows) : straight;
  const end = start + surface.length;
  // Lower case may be longer than the original in a few scripts; those words have no contractions.
  const split = norm.length === surface.length ? splitContraction(norm) : undefined;
  if (!split) {
    tokens.push({ kind: "word", norm, start, end, capitals, stretched });
    return;
  }
  const middle = start + split.at;
  tokens.push({ kind: "word", norm: split.first, start, end: middle, capitals, stretched });
  tokens.push({ kind: "word", norm: split.second, start: middle, end, capitals, stretched: false });
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
function readRun(text: string, start: number): { end: number; isAddress: boolean } {
  RUN.lastIndex = start;
  const run = (RUN.exec(text)?.[0] ?? "").replace(/(?<![.@+-])[.@+-]+$/u, "");
  const end = start + run.length;
  if (!/[\p{L}\p{N}_]@[\p{L}\p{N}]/u.test(run) && !isHost(run)) return { end, isAddress: false };
  PATH.lastIndex = end;
  return { end: PATH.test(text) ? PATH.lastIndex : end, isAddress: true };
}

function kindOf(match: RegExpExecArray): TokenKind {
  if (match[2] !== undefined) return "number";
  if (match[3] !== undefined) return "symbol";
  return match[4] === undefined ? "other" : "stop";
}

/**
 * Words, numbers, emoticons, emoji and punctuation of a text, in order; all else (spaces, hyphens, marks) parts them.
 * Linear in the text's length, for any string.
 * @param knows tells which of the spellings of a stretched word is meant
 */
export function tokenize(text: string, knows: (word: string) => boolean = () => false): Token[] {
  const tokens: Token[] = [];
  // Up to here the text was looked at and holds no address: none of its words needs to look again.
  let seen = 0;
  const addressEnd = (word: string, start: number): number | undefined => {
    const end = start + word.length;
    if (start >= seen && /[.+@-]/u.test(text[end] ?? "")) {
      const run = readRun(text, start);
      if (run.isAddress) return run.end;
      seen = run.end;
    }
    return linkEnd(text, word, end);
  };
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const surface = match[0];
    const start = match.index;
    if (match[1] === undefined) {
      const end = start + surface.length;
      tokens.push({ kind: kindOf(match), norm: surface, start, end, capitals: false, stretched: false });
      continue;
    }
    const address = addressEnd(surface, start);
    if (address === undefined) pushWord(tokens, surface, start, knows);
    else {
      tokens.push({ kind: "other", norm: "", start, end: address, capitals: false, stretched: false });
      TOKEN.lastIndex = address;
    }
  }
  return tokens;
}
