import { inflect } from "./inflection.ts";
import type { Token } from "./tokenizer.ts";

/** Most nodes are leaves, and most others end no phrase: what is empty is not there. */
interface Node<Value> {
  next?: Map<string, Node<Value>>;
  values?: Value[];
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

/** The words that one word of a pattern stands for. */
const alternatives = (word: string): string[] =>
  word.split("|").flatMap((one) => {
    if (one.startsWith("~")) return inflect(one.slice(1), "verb");
    return one.endsWith("?") ? [one.slice(0, -1), one.slice(0, -2)] : [one];
  });

function follow<Value>(node: Node<Value>, word: string): Node<Value> {
  const next = (node.next ??= new Map());
  let child = next.get(word);
  if (child === undefined) next.set(word, (child = {}));
  return child;
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
  private readonly words = new Set<string>();

  add(pattern: string, value: Value): void {
    let ends = new Set([this.root]);
    for (const word of pattern.split(" ")) {
      const optional = word.startsWith("(") && word.endsWith(")");
      const after = new Set(optional ? ends : []);
      for (const form of alternatives(optional ? word.slice(1, -1) : word)) {
        this.words.add(form);
        for (const node of ends) after.add(follow(node, form));
      }
      ends = after;
    }
    for (const end of ends) {
      if (end !== this.root && !end.values?.includes(value)) (end.values ??= []).push(value);
    }
  }

  /** Whether any pattern has this word. */
  readonly knows = (word: string): boolean => this.words.has(word);

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
    for (const value of node.values ?? []) found.push({ value, from, to: at });
    const token = tokens[at];
    const { next } = node;
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
