import { inflect, initials } from "./inflection.ts";
import type { Token } from "./tokenizer.ts";

interface Node<Value> {
  next?: Map<string, Node<Value>>;
  values?: Value[];
  /** Rests of patterns that begin here and have not been needed yet. */
  waiting?: Rest<Value>[];
}

interface Rest<Value> {
  words: readonly string[];
  /** Of the next word in `words`. */
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

const isOptional = (word: string): boolean => word[0] === "(" && word.endsWith(")");

const choices = (word: string): string[] => (isOptional(word) ? word.slice(1, -1) : word).split("|");

/** The words that one word of a pattern stands for. */
const alternatives = (word: string): string[] =>
  choices(word).flatMap((one) => {
    if (one.startsWith("~")) return inflect(one.slice(1), "verb");
    return one.endsWith("?") ? [one.slice(0, -1), one.slice(0, -2)] : [one];
  });

/** The letters that a pattern may begin with: those of its first word, and of the next where that one may be missing. */
function beginnings(words: readonly string[]): string {
  let letters = "";
  for (const word of words) {
    for (const one of word.includes("|") || isOptional(word) ? choices(word) : [word]) {
      const first = one.startsWith("~") ? initials(one.slice(1)) : one.slice(0, 1);
      if (!letters.includes(first)) letters += first;
    }
    if (!isOptional(word)) break;
  }
  return letters;
}

const after = <Value>({ words, at, value }: Rest<Value>): Rest<Value> => ({ words, at: at + 1, value });

/** Puts the rest of a pattern below a node; what begins with an optional word begins with the next one too. */
function settle<Value>(node: Node<Value>, rest: Rest<Value>): void {
  const word = rest.words[rest.at];
  if (word === undefined) {
    if (node.values === undefined) node.values = [rest.value];
    else if (!node.values.includes(rest.value)) node.values.push(rest.value);
    return;
  }
  // An array that begins with its element is small: there are thousands of them.
  if (node.waiting === undefined) node.waiting = [rest];
  else node.waiting.push(rest);
  if (isOptional(word)) settle(node, after(rest));
}

/** The node's children; made when they are first asked for, so that a lexicon costs next to nothing to load. */
function childrenOf<Value>(node: Node<Value>): Map<string, Node<Value>> | undefined {
  if (node.waiting === undefined) return node.next;
  const next = (node.next ??= new Map<string, Node<Value>>());
  for (const waiting of node.waiting) {
    const rest = after(waiting);
    for (const form of alternatives(waiting.words[waiting.at] ?? "")) {
      let child = next.get(form);
      if (child === undefined) next.set(form, (child = {}));
      settle(child, rest);
    }
  }
  delete node.waiting;
  return next;
}

/**
 * Finds phrases in tokens, word by word, without a look at the rest of the lexicon.
 *
 * Patterns are words with blanks between; of a word there may be
 * - `~wait` any form of the verb or noun: wait, waits, waited, waiting
 * - `a|b` either
 * - `(me)` may be missing
 * - `stars?` with or without its last letter
 * - `#` a number, in digits or letters
 * - `_` any one word
 */
export class PhraseTrie<Value> {
  /** By the first letter, so that a text unfolds only what its words may begin. */
  private readonly roots = new Map<string, Node<Value>>();
  private readonly patterns: string[] = [];
  private words: Set<string> | undefined;

  /** A pattern of optional words only would match everywhere: it is left out. */
  add(pattern: string, value: Value): void {
    const words = pattern.split(" ");
    if (words.every(isOptional)) return;
    this.patterns.push(pattern);
    this.words = undefined;
    const whole = { words, at: 0, value };
    for (const letter of beginnings(words)) {
      let root = this.roots.get(letter);
      if (root === undefined) this.roots.set(letter, (root = {}));
      settle(root, whole);
    }
  }

  /** Whether any pattern has this word. */
  readonly knows = (word: string): boolean => {
    this.words ??= new Set(this.patterns.flatMap((pattern) => pattern.split(" ").flatMap(alternatives)));
    return this.words.has(word);
  };

  /** Every phrase that begins at token `from`, shorter ones first. Punctuation is never skipped. */
  matchesAt(tokens: readonly Token[], from: number): PhraseMatch<Value>[] {
    const found: PhraseMatch<Value>[] = [];
    this.step(undefined, tokens, from, from, found);
    return found;
  }

  /** Goes on with token `at`, as what it is and as what patterns may call it. */
  private step(
    node: Node<Value> | undefined,
    tokens: readonly Token[],
    from: number,
    at: number,
    found: PhraseMatch<Value>[],
  ): void {
    const token = tokens[at];
    if (token === undefined) return;
    this.collect(this.child(node, token.norm), tokens, from, at + 1, found);
    if (token.kind !== "word" && token.kind !== "number") return;
    if (token.kind === "number" || NUMBER_WORDS.has(token.norm)) {
      this.collect(this.child(node, "#"), tokens, from, at + 1, found);
    }
    this.collect(this.child(node, "_"), tokens, from, at + 1, found);
  }

  /** What follows a node, and at the beginning the root of the word's first letter. */
  private child(node: Node<Value> | undefined, word: string): Node<Value> | undefined {
    const parent = node ?? this.roots.get(word.slice(0, 1));
    return parent && childrenOf(parent)?.get(word);
  }

  private collect(
    node: Node<Value> | undefined,
    tokens: readonly Token[],
    from: number,
    to: number,
    found: PhraseMatch<Value>[],
  ): void {
    if (node === undefined) return;
    if (node.values) for (const value of node.values) found.push({ value, from, to });
    if (node.next !== undefined || node.waiting !== undefined) this.step(node, tokens, from, to, found);
  }
}
