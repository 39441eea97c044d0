import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formPrefixes, wordsInflectedTo, inflect, type WordClass } from "../../../src/analysis/embedded/inflection.ts";
import { prefixOf } from "../../../src/analysis/embedded/lazy-entries.ts";

describe("inflect", () => {
  it.each<[string, WordClass, string[]]>([
    ["love", "verb", ["love", "loves", "loved", "loving"]],
    ["stop", "verb", ["stop", "stops", "stopped", "stopping"]],
    ["complain", "verb", ["complain", "complains", "complained", "complaining"]],
    ["worry", "verb", ["worry", "worries", "worried", "worrying"]],
    ["enjoy", "verb", ["enjoy", "enjoys", "enjoyed", "enjoying"]],
    ["crash", "verb", ["crash", "crashes", "crashed", "crashing"]],
    ["break", "verb", ["break", "broke", "broken", "breaking"]],
    ["glitch", "noun", ["glitch", "glitches"]],
    ["happy", "adjective", ["happy", "happily", "happier", "happiest"]],
    ["terrible", "adjective", ["terrible", "terribly"]],
    ["fantastic", "adjective", ["fantastic", "fantastically"]],
    ["rude", "adjective", ["rude", "rudely", "ruder", "rudest"]],
  ])("knows the forms of %s as %s", (word, wordClass, forms) => {
    expect(inflect(word, wordClass)).toEqual(expect.arrayContaining(forms));
  });

  it("does not give a noun its verb's forms", () => {
    expect(inflect("steal", "noun")).toEqual(["steal", "steals"]);
    expect(inflect("thief", "noun")).toContain("thieves");
    // Patterns of phrases specify no class, and mean any form.
    expect(inflect("thief", "verb")).toContain("thieves");
  });

  it("knows which words have forms with a different beginning", () => {
    expect(wordsInflectedTo(prefixOf("lying"))).toContain("lie");
    expect(wordsInflectedTo(prefixOf("lies"))).not.toContain("lie");
  });

  it("knows how the forms of any word begin", () => {
    const words = fc.oneof(
      fc.constantFrom("love", "go", "thief", "break", "lie", "tie", "shy", "choose"),
      fc.stringMatching(/^[a-z]{3,8}$/),
    );
    fc.assert(
      fc.property(words, fc.constantFrom<WordClass>("verb", "noun", "adjective", "word"), (word, wordClass) => {
        const forms = inflect(word, wordClass);
        expect(formPrefixes(word)).toEqual(expect.arrayContaining(forms.map(prefixOf)));
      }),
    );
  });

  it("does not inflect a plain word", () => {
    expect(inflect("yay", "word")).toEqual(["yay"]);
  });
});
