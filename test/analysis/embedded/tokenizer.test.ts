import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INTENSIFIERS } from "../../../src/analysis/embedded/lexicon/lexicon.ts";
import { tokenize } from "../../../src/analysis/embedded/tokenizer.ts";

const norms = (text: string, knows?: (word: string) => boolean): string[] =>
  tokenize(text, knows).map((token) => token.norm);

describe("tokenize", () => {
  it.each([
    ["isn't", ["is", "not"]],
    ["isn’t", ["is", "not"]],
    ["ISN'T", ["is", "not"]],
    ["dont", ["do", "not"]],
    ["can't", ["can", "not"]],
    ["cannot", ["can", "not"]],
    ["won't", ["will", "not"]],
    ["I'm", ["i", "am"]],
    ["it's", ["it", "is"]],
    ["user-friendly", ["user", "friendly"]],
    ["o'clock", ["o'clock"]],
  ])("expands %s", (text, expected) => {
    expect(norms(text)).toEqual(expected);
  });

  it.each([...INTENSIFIERS.keys()])("finds %s in a text, so it can strengthen or weaken an opinion", (word) => {
    expect(norms(word)).toEqual([word]);
  });

  it("keeps the offsets of both parts of a contraction", () => {
    const text = "I cannot, wont, don't";
    const parts = tokenize(text).filter(({ kind }) => kind === "word");
    expect(parts.map(({ start, end }) => text.slice(start, end))).toEqual(["I", "can", "not", "wo", "nt", "do", "n't"]);
  });

  it("shortens stretched words to a known spelling", () => {
    const known = new Set(["good", "so"]);
    expect(norms("sooooo goooood", (word) => known.has(word))).toEqual(["so", "good"]);
    expect(tokenize("sooo so").map(({ stretched }) => stretched)).toEqual([true, false]);
  });

  it("notices capitals, but not in a single letter", () => {
    expect(tokenize("I am ANGRY").map(({ capitals }) => capitals)).toEqual([false, false, true]);
  });

  it("distinguishes words, numbers, emoticons, emoji, punctuation and addresses", () => {
    expect(
      tokenize("ok :-) 👍 3,000.50 <3 !? https://a.example/bad?x=1 me@bad.example @bad").map(({ kind }) => kind),
    ).toEqual(["word", "symbol", "symbol", "number", "symbol", "stop", "other", "other", "other"]);
  });

  it.each([
    "joy.best@example.com",
    "hate-mail+bad@great-shop.example",
    "best-price.com",
    "great.shop.co.uk/terrible/bad?x=1",
    "www.good.example",
  ])("reads %s as one token without meaning", (address) => {
    expect(tokenize(`see ${address}, ok`).map(({ kind, norm }) => (kind === "word" ? norm : kind))).toEqual([
      "see",
      "other",
      "stop",
      "ok",
    ]);
  });

  it("separates sentences without a blank between them", () => {
    expect(norms("so good.Bad box.it is user-friendly.")).toEqual([
      "so",
      "good",
      ".",
      "bad",
      "box",
      ".",
      "it",
      "is",
      "user",
      "friendly",
      ".",
    ]);
  });

  it("reads plain text in the same way beside non-ASCII characters, which need other patterns", () => {
    const pieces = [
      "it's",
      "DON'T",
      "rock`n",
      "b2b_x",
      "3,000.50",
      "$5",
      "10%",
      ":-)",
      "</3",
      "it'é",
      "a@b.com",
      "x.com/y",
      "..",
      "?!",
      "-",
      "@me",
      "so",
      " ",
    ];
    const tokensOf = (text: string) => tokenize(text).map(({ kind, norm, start, end }) => [kind, norm, start, end]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces)), (chosen) => {
        const text = chosen.join("");
        expect(tokensOf(`${text} \u00E9`).slice(0, -1)).toEqual(tokensOf(`${text} e`).slice(0, -1));
      }),
    );
  });

  it("does not cache numbers", () => {
    const words = (text: string) => tokenize(text).map(({ word }) => word);
    expect(words("4929 17")).not.toContain(words("4929")[0]);
    expect(words("lamp")[0]).toBe(words("lamp")[0]);
  });

  it("gives tokens in order and within the text, for any string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        let last = 0;
        for (const { start, end } of tokenize(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
