import { describe, expect, it } from "vitest";
import { MASK, maskTexts, type TextOf } from "../../evaluation/masking.ts";
import { readFileSync } from "node:fs";
import { EmbeddedFeedbackCategorizer } from "../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import {
  COMPARATIVES,
  CONCESSIONS,
  CONTRASTS,
  INTENSIFIERS,
  FAULTS_WHEN_TOO_MUCH,
  FILLERS,
  NEGATORS,
} from "../../src/analysis/embedded/lexicon/lexicon.ts";

const by = (customer: string, text: string, ...secrets: string[]): TextOf => ({ customer, text, secrets });
const masked = (text: string, ...secrets: string[]): string => maskTexts([by("a", text, ...secrets)])[0]!;

const [sentiment, categories] = [new EmbeddedSentimentAnalyzer(), new EmbeddedFeedbackCategorizer()];

function expectSameJudgement(text: string): void {
  expect(sentiment.analyze(masked(text)).sentiment, text).toBe(sentiment.analyze(text).sentiment);
  expect(categories.categorize(masked(text)).categories, text).toEqual(categories.categorize(text).categories);
}

function doubtWords(): string[] {
  const file = new URL("../../src/analysis/embedded/lexicon/doubts.json", import.meta.url);
  const patterns = Object.values(JSON.parse(readFileSync(file, "utf8")) as Record<string, string[]>).flat();
  const words = patterns.flatMap((pattern) => pattern.replaceAll(/[()~?]/gu, "").split(/[ |]/u));
  return [...new Set(words)].filter((word) => /^\p{L}+$/u.test(word));
}

const WORD_LISTS: Record<string, string[]> = {
  negators: [...NEGATORS].filter((word) => word !== "n't"),
  fillers: [...FILLERS],
  degrees: [...INTENSIFIERS.keys()],
  contrasts: [...CONTRASTS],
  concessions: [...CONCESSIONS],
  comparatives: [...COMPARATIVES],
  "faults when too much": [...FAULTS_WHEN_TOO_MUCH],
  doubts: doubtWords(),
};

describe("masked texts", () => {
  it.each([
    ["an address", "Write to jo.doe+x@shop.example, please."],
    ["a link", "See https://shop.example/u/jodoe or www.jodoe.example, please."],
    ["a telephone number", "Call (0151) 234-567-89 or +44 20 7946 0958, please."],
    ["an account", "My account is DE44 5001 0517 5407 3249 31, please."],
    ["an order", "My order AB-12X9 has not come, please."],
    ["a date of birth", "Born on 12.05.1980, please."],
    ["a handle", "Ask @jodoe_99, please."],
    ["a name", "Joanna Wrzesniewska was so friendly, please."],
    ["a name in small letters", "joanna wrzesniewska was so friendly, please."],
    ["a place", "You know me from Kreuzlingen, please."],
  ])("have no %s", (_, text) => {
    const shown = masked(text);
    expect(shown).toContain(MASK);
    expect(shown).toContain("please");
    expect(shown).not.toMatch(/jo|doe|\d{3}|DE44|AB-|12X9|wrzes|kreuz|shop|example/i);
  });

  it("have no name of the customer, even if it is an ordinary word", () => {
    expect(masked("Rose here, I love it. Yours, Rose Good", "Rose Good")).toBe("___ here, I love it. Yours, ___");
    expect(masked("It is good.", "Rose Good")).toBe("It is good.");
    expect(masked("it is good. rose  good", "Rose Good")).toBe("it is good. ___");
    expect(masked("ROSE\nGOOD here, I love it.", "Rose Good")).toBe("___ here, I love it.");
    expect(masked("A rose is a rose.", "Rose")).toBe("A rose is a rose.");
  });

  it("lose an id whatever it is made of, and nothing that only contains it", () => {
    expect(masked("I am an.1 (of 12), and an.12 is not.", "an.1", "12")).toBe("I am ___ (of ___), and an.___ is not.");
    expect(masked("I am AN.1, please.", "an.1")).toBe("I am ___, please.");
  });

  it("keep a word that three customers have written in small letters, and no name that they share", () => {
    const text = "The merino from Wilhelmina is bad.";
    const one = maskTexts(["a", "b"].map((customer) => by(customer, text)));
    expect(one[0]).toBe("The ___ from ___ is bad.");
    const three = maskTexts(["a", "b", "c"].map((customer) => by(customer, text)));
    expect(three[0]).toBe("The merino from ___ is bad.");
    expect(maskTexts([1, 2, 3].map(() => by("a", text)))[0]).toBe("The ___ from ___ is bad.");
  });

  it("are judged as the whole texts are", () => {
    const texts = [
      "Nowhere near good.",
      "The app is hardly useful.",
      "It isnt good.",
      "Neither the food nor the staff was good.",
      "The price is too high.",
      "I cannot recommend this.",
      "It is sooooo niiice, Wilhelmina.",
      "I waited for twelve weeks.",
      "The errors were quickly corrected.",
      "I'm not happy: you charged me 49 pounds twice and Mr Wrzesniewska doesn't answer.",
      "The staff at Kreuzlingen couldn't have been kinder!",
      "The app crashes whenever Wilhelmina logs in.",
      "Is it far from Zwickau?",
    ];
    for (const text of texts) expectSameJudgement(text);
  });

  it.each(Object.entries(WORD_LISTS))("keep each word of the %s, and are judged as with it", (_, words) => {
    expect(words.length).toBeGreaterThan(4);
    for (const word of words) {
      const text = `It is ${word} good, and the price is too ${word}.`;
      expect(masked(text)).toBe(text);
      expectSameJudgement(`${text} Wilhelmina`);
    }
  });
});
