import { memoizeByWord } from "../memoize.ts";
import { formPrefixes, inflect } from "./inflection.ts";
import type { Token } from "./tokenizer.ts";
import { prefixOf, LazyEntries } from "./lazy-entries.ts";

interface Node<Value> {
  /** The next nodes: by word, for a number, and for any word. */
  next: Map<string, Node<Value>> | undefined;
  number: Node<Value> | undefined;
  any: Node<Value> | undefined;
  values: Value[] | undefined;
  /** Rests of patterns that continue here, and for which no nodes have been needed yet. */
  waiting: Rest<Value>[] | undefined;
}

interface Rest<Value> {
  words: readonly string[];
  /** Index of the next word in `words`. */
  at: number;
  value: Value;
}

export interface PhraseMatch<Value> {
  value: Value;
  /** Tokens `from` to `to`, the latter excluded. */
  from: number;
  to: number;
}

const NUMBER_WORDS = new Set(
  "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety hundred several many few couple".split(
    " ",
  ),
);

const NUMBER = prefixOf("#");
const ANY = prefixOf("_");
const NONE: readonly never[] = [];

const isNumber = ({ kind, norm }: Token): boolean => kind === "number" || (kind === "word" && NUMBER_WORDS.has(norm));

const isOptional = (word: string): boolean => word[0] === "(" && word.endsWith(")");

const choices = (word: string): string[] => (isOptional(word) ? word.slice(1, -1) : word).split("|");

/** The words that one word of a pattern matches. */
const alternatives = (word: string): string[] =>
  choices(word).flatMap((one) => {
    if (one.startsWith("~")) return inflect(one.slice(1), "verb");
    return one.endsWith("?") ? [one.slice(0, -1), one.slice(0, -2)] : [one];
  });

/** The beginnings of the forms of one alternative. */
function beginningsOf(one: string): readonly number[] {
  if (one.startsWith("~")) return formPrefixes(one.slice(1));
  return one.endsWith("?") ? alternatives(one).map(prefixOf) : [prefixOf(one)];
}

/**
 * The beginnings of the words with which a pattern may begin: its first word and, if that is
 * optional, the next one. For most patterns the first word is enough, so they are not split:
 * thousands are processed when a program starts.
 * @returns undefined if all words are optional
 */
function firstBeginnings(pattern: string): readonly number[] | undefined {
  const blank = pattern.indexOf(" ");
  const first = blank < 0 ? pattern : pattern.slice(0, blank);
  if (!isOptional(first) && !first.includes("|")) return beginningsOf(first);
  const found: number[] = [];
  for (const word of pattern.split(" ")) {
    for (const one of choices(word)) found.push(...beginningsOf(one));
    if (!isOptional(word)) return found;
  }
  return undefined;
}

const createNode = <Value>(): Node<Value> => ({
  next: undefined,
  number: undefined,
  any: undefined,
  values: undefined,
  waiting: undefined,
});

const after = <Value>({ words, at, value }: Rest<Value>): Rest<Value> => ({ words, at: at + 1, value });

/**
 * Adds the rest of a pattern below a node. If it begins with an optional word, it is also added
 * without that word.
 */
function settle<Value>(node: Node<Value>, rest: Rest<Value>): void {
  const word = rest.words[rest.at];
  if (word === undefined) {
    if (node.values === undefined) node.values = [rest.value];
    else if (!node.values.includes(rest.value)) node.values.push(rest.value);
    return;
  }
  if (node.waiting === undefined) node.waiting = [rest];
  else node.waiting.push(rest);
  if (isOptional(word)) settle(node, after(rest));
}

/** The child node for a word of a pattern. */
function childOf<Value>(node: Node<Value>, word: string): Node<Value> {
  if (word === "#") return (node.number ??= createNode());
  if (word === "_") return (node.any ??= createNode());
  const next = (node.next ??= new Map<string, Node<Value>>());
  let child = next.get(word);
  if (child === undefined) next.set(word, (child = createNode()));
  return child;
}

/**
 * Creates the children of a node. This is done when they are first needed, so that loading a
 * lexicon costs next to nothing.
 * @param beginning only the children for words with this beginning
 */
function unfold<Value>(node: Node<Value>, beginning?: number): void {
  const { waiting } = node;
  if (waiting === undefined) return;
  node.waiting = undefined;
  for (const rest of waiting) {
    for (const form of alternatives(rest.words[rest.at] ?? "")) {
      if (beginning === undefined || beginning === prefixOf(form)) settle(childOf(node, form), after(rest));
    }
  }
}

/**
 * Finds phrases in tokens, word by word, without searching the rest of the lexicon.
 *
 * Patterns are words separated by blanks. A word can be written as
 * - `~wait`: any form of the verb or noun: wait, waits, waited, waiting
 * - `a|b`: either word
 * - `(me)`: optional
 * - `stars?`: with or without its last letter
 * - `#`: a number, in digits or letters
 * - `_`: any one word or number
 *
 * Words are written as the tokenizer returns them: "don't" is `do not`, "customer's" is `customer
 * is`.
 */
export class PhraseTrie<Value> {
  private readonly root = createNode<Value>();
  private readonly waiting = new LazyEntries<{ pattern: string; value: Value }>();
  private readonly patterns: string[] = [];
  private words: Set<string> | undefined;

  /**
   * Add all patterns before the first text is read. A pattern of only optional words would match
   * everywhere, so it is left out.
   */
  add(pattern: string, value: Value): void {
    const entry = { pattern, value };
    const beginnings = firstBeginnings(pattern);
    if (beginnings === undefined) return;
    this.patterns.push(pattern);
    for (const beginning of beginnings) {
      this.waiting.add(beginning, entry);
      // These can begin with any token, so they can't wait for a word.
      if (beginning === NUMBER || beginning === ANY) this.unfoldRoot(beginning);
    }
  }

  /** Whether any pattern has this word; `#` includes all numbers in letters. */
  readonly knows = (word: string): boolean => {
    // Patterns share most of their words.
    this.words ??= new Set([...new Set(this.patterns.join(" ").split(" "))].flatMap(alternatives));
    return this.words.has(word) || (this.words.has("#") && NUMBER_WORDS.has(word));
  };

  /**
   * Returns every phrase that begins at token `from`. Shorter ones come first, except among
   * patterns with `_` or `#`. Punctuation is never skipped.
   */
  matchesAt(tokens: readonly Token[], from: number): readonly PhraseMatch<Value>[] {
    const token = tokens[from];
    if (token === undefined) return NONE;
    const child = this.first(token.word);
    const { number, any } = this.root;
    // Most words begin no phrase.
    if (child === undefined && any === undefined && (number === undefined || !isNumber(token))) return NONE;
    const found: PhraseMatch<Value>[] = [];
    branch(this.root, child, tokens, from, from, found);
    return found;
  }

  /** The children of the root for a word. */
  private readonly first = memoizeByWord((norm) => {
    this.unfoldRoot(prefixOf(norm));
    return this.root.next?.get(norm);
  });

  private unfoldRoot(beginning: number): void {
    const waiting = this.waiting.take(beginning);
    if (waiting.length === 0) return;
    for (const { pattern, value } of waiting) settle(this.root, { words: pattern.split(" "), at: 0, value });
    unfold(this.root, beginning);
  }
}

/**
 * Continues with token `at`: with the child for its word, and with the patterns' placeholders that
 * it matches.
 */
function branch<Value>(
  { number, any }: Node<Value>,
  child: Node<Value> | undefined,
  tokens: readonly Token[],
  from: number,
  at: number,
  found: PhraseMatch<Value>[],
): void {
  const token = tokens[at];
  if (token === undefined) return;
  if (child !== undefined) collect(child, tokens, from, at + 1, found);
  if (token.kind !== "word" && token.kind !== "number") return;
  if (number !== undefined && isNumber(token)) collect(number, tokens, from, at + 1, found);
  if (any !== undefined) collect(any, tokens, from, at + 1, found);
}

function collect<Value>(
  node: Node<Value>,
  tokens: readonly Token[],
  from: number,
  to: number,
  found: PhraseMatch<Value>[],
): void {
  if (node.values) for (const value of node.values) found.push({ value, from, to });
  const token = tokens[to];
  if (token === undefined) return;
  unfold(node);
  branch(node, node.next?.get(token.norm), tokens, from, to, found);
}
