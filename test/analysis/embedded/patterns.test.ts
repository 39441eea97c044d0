import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Category } from "../../../src/analysis/categories.ts";
import { categoryFeatures } from "../../../src/analysis/embedded/category-features.ts";
import { inflect } from "../../../src/analysis/embedded/inflection.ts";
import { PhraseTrie } from "../../../src/analysis/embedded/phrase-trie.ts";
import { tokenize } from "../../../src/analysis/embedded/tokenizer.ts";

const EMBEDDED = fileURLToPath(new URL("../../../src/analysis/embedded", import.meta.url));
const read = (file: string): unknown => JSON.parse(readFileSync(join(EMBEDDED, file), "utf8"));

/** Every string in nested arrays. */
const patternsIn = (value: unknown): string[] => {
  if (Array.isArray(value)) return value as string[];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(patternsIn) : [];
};

/** Whether no token can match a word, so that its pattern would never match. */
const isDead = (word: string): boolean =>
  word.startsWith("(") !== word.endsWith(")") ||
  word !== word.toLowerCase() ||
  /[a-z]['’-]|['’-][a-z]/.test(word) ||
  word
    .replace(/^\(|\)$/g, "")
    .split("|")
    .includes("");

const CATEGORIES = readdirSync(join(EMBEDDED, "categories"))
  .filter((file) => file.endsWith(".json"))
  .map((file) => join("categories", file));
const FILES = [...CATEGORIES, join("lexicon", "phrases.json")];

it.each(FILES)("every word in the patterns of %s can match a token", (file) => {
  const patterns = patternsIn(read(file));
  expect(patterns.length).toBeGreaterThan(20);
  expect(patterns.filter((pattern) => pattern.split(" ").some(isDead))).toEqual([]);
  expect(patterns.filter((pattern, at) => patterns.indexOf(pattern) !== at)).toEqual([]);
});

/** The words that a word of a pattern stands for, with an example word for `#` and `_`. */
function formsOf(word: string): string[] {
  if (word === "#") return ["7"];
  if (word === "_") return ["xyz"];
  if (word.startsWith("~")) return inflect(word.slice(1), "verb");
  return word.endsWith("?") ? [word.slice(0, -1), word.slice(0, -2)] : [word];
}

/** Every text that a pattern stands for. */
function* wordingsOf([word, ...rest]: readonly string[]): Generator<string[]> {
  if (word === undefined) return yield [];
  const isOptional = word.startsWith("(");
  const forms = (isOptional ? word.slice(1, -1) : word).split("|").flatMap(formsOf);
  for (const after of wordingsOf(rest)) {
    for (const form of forms) yield [form, ...after];
    if (isOptional) yield after;
  }
}

/** The longest patterns stand for hundreds of thousands of texts; a sample of those is enough. */
const MAX_WORDINGS = 3_000;

interface Rule {
  kind: string;
  pattern: string;
}

/** A text that a rule stands for, with all rules of its category that match the whole text. */
interface Wording {
  text: string;
  whole: Rule[];
}

function wordingsByRule(file: string): Map<Rule, Wording[]> {
  const rules = Object.entries(read(file) as Record<string, string[]>).flatMap(([kind, patterns]) =>
    patterns.map((pattern): Rule => ({ kind, pattern })),
  );
  const trie = new PhraseTrie<Rule>();
  for (const rule of rules) trie.add(rule.pattern, rule);
  return new Map(
    rules.map((rule) => {
      const wordings: Wording[] = [];
      for (const words of wordingsOf(rule.pattern.split(" "))) {
        if (wordings.length === MAX_WORDINGS) break;
        const text = words.join(" ");
        const tokens = tokenize(text);
        const whole = trie.matchesAt(tokens, 0).filter(({ to }) => to === tokens.length);
        wordings.push({ text, whole: whole.map(({ value }) => value) });
      }
      return [rule, wordings];
    }),
  );
}

describe.each(CATEGORIES)("patterns of %s", (file) => {
  const byRule = wordingsByRule(file);
  const all = [...byRule].flatMap(([rule, wordings]) => wordings.map((wording) => ({ rule, ...wording })));

  it("contain only words that a text can contain", () => {
    expect(all.filter(({ rule, whole }) => !whole.includes(rule)).map(({ text }) => text)).toEqual([]);
  });

  it("are of one kind each, because the order in the file would decide between two", () => {
    const isClash = ({ rule, whole }: (typeof all)[number]): boolean => whole.some(({ kind }) => kind !== rule.kind);
    expect(all.filter(isClash).map(({ rule, text }) => `${rule.kind}: ${text}`)).toEqual([]);
  });

  it("don't repeat one another", () => {
    const isNeedless = ([rule, wordings]: [Rule, Wording[]]): boolean =>
      wordings.every(({ whole }) => whole.some((other) => other !== rule));
    expect([...byRule].filter(isNeedless).map(([{ kind, pattern }]) => `${kind}: ${pattern}`)).toEqual([]);
  });

  it("are found, and not always hidden by an exception", () => {
    const category = basename(file, ".json") as Category;
    const isFound = ({ text }: Wording): boolean => {
      const tokens = tokenize(text);
      const hits = categoryFeatures(tokens).hits.get(category) ?? [];
      return hits.some(({ from, to }) => from === 0 && to === tokens.length);
    };
    const isHidden = ([rule, wordings]: [Rule, Wording[]]): boolean => rule.kind !== "not" && !wordings.some(isFound);
    expect([...byRule].filter(isHidden).map(([{ kind, pattern }]) => `${kind}: ${pattern}`)).toEqual([]);
  });
});
