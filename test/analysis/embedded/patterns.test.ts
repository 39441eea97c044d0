import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

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

const FILES = readdirSync(join(EMBEDDED, "categories"))
  .filter((file) => file.endsWith(".json"))
  .map((file) => join("categories", file))
  .concat(join("lexicon", "phrases.json"));

it.each(FILES)("every word in the patterns of %s can match a token", (file) => {
  const patterns = patternsIn(read(file));
  expect(patterns.length).toBeGreaterThan(20);
  expect(patterns.filter((pattern) => pattern.split(" ").some(isDead))).toEqual([]);
  expect(patterns.filter((pattern, at) => patterns.indexOf(pattern) !== at)).toEqual([]);
});
