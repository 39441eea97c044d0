import { describe, expect, it } from "vitest";
import { BoundedMemo, memoizeByWord, wordOf } from "../../src/analysis/memoize.ts";

describe("memoizeByWord", () => {
  it("computes each word once, even if there is no answer", () => {
    const asked: string[] = [];
    const lengthOf = memoizeByWord((norm) => {
      asked.push(norm);
      return norm === "none" ? undefined : norm.length;
    });
    const [word, none] = [wordOf("word"), wordOf("none")];
    expect([lengthOf(word), lengthOf(word), lengthOf(none), lengthOf(none)]).toEqual([4, 4, undefined, undefined]);
    expect(asked).toEqual(["word", "none"]);
  });

  it("distinguishes its users", () => {
    const [upper, length] = [memoizeByWord((norm) => norm.toUpperCase()), memoizeByWord((norm) => norm.length)];
    expect([upper(wordOf("a")), length(wordOf("a"))]).toEqual(["A", 1]);
  });
});

describe("BoundedMemo", () => {
  it("caches results, except for long texts", () => {
    const kept = new BoundedMemo((piece) => ({ piece }));
    const [longest, longer] = ["x".repeat(12), "x".repeat(13)];
    expect(kept.get(longest)).toBe(kept.get(longest));
    expect(kept.get(longer)).not.toBe(kept.get(longer));
  });

  it("caches a limited number", () => {
    const kept = new BoundedMemo((piece) => ({ piece }));
    const first = kept.get("0");
    for (let piece = 1; piece < 100_000; piece++) kept.get(String(piece));
    expect(kept.get("0")).not.toBe(first);
  });
});
