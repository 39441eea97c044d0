import { describe, expect, it } from "vitest";
import { PhraseTrie } from "../../../src/analysis/embedded/phrase-trie.ts";
import { tokenize } from "../../../src/analysis/embedded/tokenizer.ts";

const finds = (pattern: string, text: string): boolean => {
  const trie = new PhraseTrie<string>();
  trie.add(pattern, "found");
  const tokens = tokenize(text);
  return tokens.some((_, at) => trie.matchesAt(tokens, at).length > 0);
};

describe("PhraseTrie", () => {
  it.each([
    ["on hold", "I was ON HOLD again", true],
    ["on hold", "on the hold", false],
    ["on hold", "go on. Hold it", false],
    ["~wait for", "we waited for you", true],
    ["~wait for", "the waiter for you", false],
    ["charged|billed twice", "billed twice", true],
    ["charged|billed twice", "billed once", false],
    ["charged (me) twice", "charged twice", true],
    ["charged (me) twice", "charged me twice", true],
    ["charged (me) twice", "charged you twice", false],
    ["one stars?", "one star", true],
    ["one stars?", "one stars", true],
    ["one stars?", "one st", false],
    ["# hours", "3 hours", true],
    ["# hours", "three hours", true],
    ["# hours", "happy hours", false],
    ["worst _ ever", "worst phone ever", true],
    ["worst _ ever", "worst, ever", false],
    ["~go through", "we went through", true],
    ["(very|so) bad day", "so bad day", true],
    ["(very|so) bad day", "bad day", true],
    ["(very|so) bad|good day", "good day", true],
    ["#|several hours", "12 hours", true],
    ["_ minutes", "endless minutes", true],
    ["great (,) another", "great, another", true],
    ["not work", "doesn't work", true],
  ])("%s in: %s → %s", (pattern, text, expected) => {
    expect(finds(pattern, text)).toBe(expected);
  });

  it("returns all phrases that begin at a word, and where they end", () => {
    const trie = new PhraseTrie<string>();
    trie.add("not bad", "short");
    trie.add("not bad at all", "long");
    expect(trie.matchesAt(tokenize("not bad at all"), 0)).toEqual([
      { value: "short", from: 0, to: 2 },
      { value: "long", from: 0, to: 4 },
    ]);
  });
});
