import { describe, expect, it } from "vitest";
import { inflect, initials, type WordClass } from "../../../src/analysis/embedded/inflection.ts";

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

  it.each(["love", "go", "thief", "break", "lie"])("knows what letters the forms of %s begin with", (word) => {
    const letters = new Set(inflect(word, "verb").map((form) => form.slice(0, 1)));
    expect(new Set(initials(word).split(""))).toEqual(letters);
  });

  it("leaves a plain word as it is", () => {
    expect(inflect("yay", "word")).toEqual(["yay"]);
  });
});
