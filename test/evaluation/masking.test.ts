import { describe, expect, it } from "vitest";
import { MASK, maskTexts, type CustomerText } from "../../evaluation/masking.ts";
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

const by = (customer: string, text: string, ...secrets: string[]): CustomerText => ({ customer, text, secrets });
const masked = (text: string, ...secrets: string[]): string => maskTexts([by("a", text, ...secrets)])[0]!;

const [sentiment, categories] = [new EmbeddedSentimentAnalyzer(), new EmbeddedFeedbackCategorizer()];

const judged = (text: string): object => ({
  sentiment: sentiment.analyze(text).sentiment,
  categories: categories.categorize(text).categories,
});

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

  it("don't contain the customer's name, even if it is an ordinary word", () => {
    expect(masked("Rose here, I love it. Yours, Rose Good", "Rose Good")).toBe("___ here, I love it. Yours, ___");
    expect(masked("It is good.", "Rose Good")).toBe("It is good.");
    expect(masked("it is good. rose  good", "Rose Good")).toBe("it is good. ___");
    expect(masked("ROSE\nGOOD here, I love it.", "Rose Good")).toBe("___ here, I love it.");
    expect(masked("A rose is a rose.", "Rose")).toBe("A rose is a rose.");
  });

  it.each([
    ["Hope's here, and I love it.", "Hope May", "___ here, and I love it."],
    ["HOPE’S here. Hope'll call.", "Hope May", "___ here. ___ call."],
    ["Will's phone is good.", "Will", "___'s phone is good."],
    ["Price's order is good.", "Ann Price", "___ order is good."],
    ["I love O’Price's shop.", "Ann O'Price", "I love ___ shop."],
    ["The price's good, I hope.", "Hope Price", "The price's good, I hope."],
    ["Don't buy it.", "Don Price", "Don't buy it."],
    ["𝐇𝐨𝐩𝐞 here, it is good.", "Hope May", "___ here, it is good."],
    ["Zoe\u0308 here, it is good.", "Zo\u00EB", "___ here, it is good."],
  ])("don't contain the customer's name from %j", (text, name, shown) => {
    expect(masked(text, name)).toBe(shown);
  });

  it.each<readonly [string, string]>([
    ["Arabic-Indic digits", "٠١٥١٢٣٤"],
    ["full-width digits", "０１５１２３４"],
    ["bold digits", "𝟎𝟏𝟓𝟏𝟐𝟑𝟒"],
    ...["–", "·", ",", "'", "’", "\u2011", "|", ":", ".", "/", " ", "-", " – ", "\u200B", "_"].map(
      (separator) => [JSON.stringify(separator), ["01", "51", "23", "4"].join(separator)] as const,
    ),
    ["a full-width at sign", "jo＠shop"],
    ["full-width dots", "www．shop．example"],
  ])("don't contain numbers or addresses with %s", (_, written) => {
    expect(masked(`It is ${written} please.`)).toBe("It is ___ please.");
  });

  it("keep up to three digits and short codes, but not four digits", () => {
    for (const shown of ["1", "12", "123", "1 2 3", "1,23", "A17", "17:5"]) {
      expect(masked(`It is ${shown} please.`)).toBe(`It is ${shown} please.`);
    }
    for (const hidden of ["1234", "12 34", "1 2 3 4", "1,234", "17:55", "AB-17", "A1234"]) {
      expect(masked(`It is ${hidden} please.`)).toMatch(/^It is [A-Z]?___ please\.$/);
    }
  });

  it("don't contain an id of any form, but keep words that only contain it", () => {
    expect(masked("I am an.1 (of 12), and an.12 is not.", "an.1", "12")).toBe("I am ___ (of ___), and an.___ is not.");
    expect(masked("I am AN.1, please.", "an.1")).toBe("I am ___, please.");
  });

  it("keep a word that three customers have written in lower case, but no name that they share", () => {
    const text = "The merino from Wilhelmina is bad.";
    const one = maskTexts(["a", "b"].map((customer) => by(customer, text)));
    expect(one[0]).toBe("The ___ from ___ is bad.");
    const three = maskTexts(["a", "b", "c"].map((customer) => by(customer, text)));
    expect(three[0]).toBe("The merino from ___ is bad.");
    expect(maskTexts([1, 2, 3].map(() => by("a", text)))[0]).toBe("The ___ from ___ is bad.");
  });

  it("are judged like the original texts", () => {
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
    for (const text of texts) expect({ text, ...judged(masked(text)) }).toEqual({ text, ...judged(text) });
  });

  it.each(Object.entries(WORD_LISTS))("keep each word of the %s, and are judged like the originals", (_, words) => {
    expect(words.length).toBeGreaterThan(4);
    for (const word of words) {
      const text = `It is ${word} good, and the price is too ${word}.`;
      expect(masked(text)).toBe(text);
      expect(judged(masked(`${text} Wilhelmina`))).toEqual(judged(`${text} Wilhelmina`));
    }
  });
});
