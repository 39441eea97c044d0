import { inflect } from "./inflection.ts";
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

const isOptional = (word: string): boolean => word.startsWith("(") && word.endsWith(")");

/** The words that one word of a pattern stands for. */
const alternatives = (word: string): string[] =>
  (isOptional(word) ? word.slice(1, -1) : word).split("|").flatMap((one) => {
    if (one.startsWith("~")) return inflect(one.slice(1), "verb");
    return one.endsWith("?") ? [one.slice(0, -1), one.slice(0, -2)] : [one];
  });

/** Puts the rest of a pattern below a node; what begins with an optional word begins with the next one too. */
function settle<Value>(node: Node<Value>, { words, at, value }: Rest<Value>): void {
  const word = words[at];
  if (word === undefined) {
    if (!node.values?.includes(value)) (node.values ??= []).push(value);
    return;
  }
  (node.waiting ??= []).push({ words, at, value });
  if (isOptional(word)) settle(node, { words, at: at + 1, value });
}

/** The node's children; made when they are first asked for, so that a lexicon costs next to nothing to load. */
function childrenOf<Value>(node: Node<Value>): Map<string, Node<Value>> | undefined {
  if (node.waiting === undefined) return node.next;
  const next = (node.next ??= new Map<string, Node<Value>>());
  for (const { words, at, value } of node.waiting) {
    for (const form of alternatives(words[at] ?? "")) {
      let child = next.get(form);
      if (child === undefined) next.set(form, (child = {}));
      settle(child, { words, at: at + 1, value });
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
  private readonly root: Node<Value> = {};
  private readonly patterns: string[] = [];
  private words: Set<string> | undefined;

  /** A pattern of optional words only would match everywhere: it is left out. */
  add(pattern: string, value: Value): void {
    const words = pattern.split(" ");
    if (words.every(isOptional)) return;
    this.patterns.push(pattern);
    this.words = undefined;
    settle(this.root, { words, at: 0, value });
  }

  /** Whether any pattern has this word. */
  readonly knows = (word: string): boolean => {
    this.words ??= new Set(this.patterns.flatMap((pattern) => pattern.split(" ").flatMap(alternatives)));
    return this.words.has(word);
  };

  /** Every phrase that begins at token `from`, shorter ones first. Punctuation is never skipped. */
  matchesAt(tokens: readonly Token[], from: number): PhraseMatch<Value>[] {
    const found: PhraseMatch<Value>[] = [];
    this.collect(this.root, tokens, from, from, found);
    return found;
  }

  private collect(
    node: Node<Value>,
    tokens: readonly Token[],
    from: number,
    at: number,
    found: PhraseMatch<Value>[],
  ): void {
    if (node.values) for (const value of node.values) found.push({ value, from, to: at });
    const token = tokens[at];
    const next = childrenOf(node);
    if (token === undefined || next === undefined) return;
    const exact = next.get(token.norm);
    if (exact) this.collect(exact, tokens, from, at + 1, found);
    if (token.kind !== "word" && token.kind !== "number") return;
    if (token.kind === "number" || NUMBER_WORDS.has(token.norm)) {
      const number = next.get("#");
      if (number) this.collect(number, tokens, from, at + 1, found);
    }
    const any = next.get("_");
    if (any) this.collect(any, tokens, from, at + 1, found);
  }
}
