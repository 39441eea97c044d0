import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readLabelledSets } from "../../../evaluation/labelled-sets.ts";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { praiseDoubts } from "../../../src/analysis/embedded/praise-doubts.ts";
import { read } from "../../../src/analysis/embedded/reading.ts";
import { sentimentFeatures } from "../../../src/analysis/embedded/sentiment-features.ts";
import { DEFAULT_THANK_ABOVE } from "../../../src/workflows/customer-feedback/policy.ts";

const analyzer = new EmbeddedSentimentAnalyzer();
const doubtsOf = (text: string): string[] => praiseDoubts(read(text).tokens).map(({ doubt }) => doubt);

describe("doubts about praise", () => {
  it.each([
    ["unreal", "A quiet room would have been great"],
    ["unreal", "It'd be nice to get an answer"],
    ["conditional", "Great hotel if you like queues"],
    ["past", "This used to be my favourite game"],
    ["past", "Worked great until the last patch"],
    ["expected", "I expected a wonderful stay"],
    ["elsewhere", "Go elsewhere for a great breakfast"],
    ["elsewhere", "You will find a better phone for less"],
    ["others", "My neighbour's flat is lovely"],
    ["others", "Customers deserve a friendly answer"],
    ["past", "Two years ago the app was simple and quick"],
    ["conditional", "Perfect for people who never sleep"],
    ["expected", "On your website the room is bright"],
    ["ironic", "What a joy to stand in the corridor"],
    ["waiting", "Great flight, after four hours at the gate"],
    ["reported", "They told me it was a great deal"],
    ["reversed", "The opposite of great service"],
    ["ironic", "Thanks for losing my luggage"],
  ])("are found: %s, in %j", (doubt, text) => {
    expect(doubtsOf(text)).toContain(doubt);
  });

  it.each([
    "It could not be better",
    "Answered within two minutes",
    "Better than I expected",
    "Thank you so much for the help",
    "Worth the wait",
  ])("are not found in text that only looks doubtful: %j", (text) => {
    expect(doubtsOf(text)).toEqual([]);
  });

  it.each([
    ["The room is great", "The room would have been great"],
    ["The food is great and the staff is kind", "The food is great elsewhere and the staff is kind"],
    ["The crew was nice", "The crew was nice, I wonder why"],
  ])("lower the score: %j becomes %j", (plain, doubtful) => {
    const { score, doubts } = analyzer.analyze(doubtful);
    expect(score).toBeLessThan(analyzer.analyze(plain).score - 0.03);
    expect(doubts).not.toEqual([]);
    expect(analyzer.analyze(plain)).not.toHaveProperty("doubts");
  });

  it("prevent thanks for praise if each has one in its clause, however strong it is", () => {
    const plain = "A superb and lovely and perfect room";
    expect(analyzer.analyze(plain).score).toBeGreaterThan(0.9);
    for (const doubted of [`${plain} would have been nice`, `My neighbour told me of ${plain}`]) {
      const { sentiment, score } = analyzer.analyze(doubted);
      expect(sentiment).toBe("positive");
      expect(score).toBeLessThan(DEFAULT_THANK_ABOVE);
    }
    expect(analyzer.analyze("We had to wait, but the room is superb and lovely").score).toBeGreaterThan(
      DEFAULT_THANK_ABOVE,
    );
  });

  it("do not take the courtesy of letters for praise", () => {
    for (const text of [
      "With all due respect, this is the third letter",
      "Thank you for your reply",
      "I would be grateful if somebody answered",
      "Thanks in advance",
    ])
      expect(analyzer.analyze(text).sentiment).not.toBe("positive");
    expect(analyzer.analyze("Thank you for your kindness").sentiment).toBe("positive");
    expect(analyzer.analyze("I am so grateful").sentiment).toBe("positive");
  });

  it("do not prevent thanks for plain praise", () => {
    const texts = [
      "This product is great and I love it!",
      "The product is great!",
      "I love it. Thank you!",
      "Great",
      "Thanks!",
    ];
    for (const text of texts) expect(analyzer.analyze(text).score).toBeGreaterThan(DEFAULT_THANK_ABOVE);
  });

  it("are returned for praise only, in the text's own words", () => {
    expect(analyzer.analyze("It would have been great if it had worked").doubts).toContain("would have");
    expect(analyzer.analyze("It would have been terrible, I hate it")).not.toHaveProperty("doubts");
  });
});

// Written before the rules were changed for them; the rules were made while only the first half was
// known. These texts are hard: they contain no swear word.
it.each([
  { half: "known", mostAngry: 3, fewestPleased: 7 },
  { half: "held-out", mostAngry: 6, fewestPleased: 3 },
])("few of the angry customers in the $half half are thanked", async ({ half, mostAngry, fewestPleased }) => {
  const { sentiment } = await readLabelledSets(fileURLToPath(new URL(`../domains/${half}`, import.meta.url)));
  const rows = sentiment.flatMap(({ rows }) => rows);
  const thanked = rows.filter(({ text }) => {
    const { sentiment, score } = analyzer.analyze(text);
    return sentiment === "positive" && score >= DEFAULT_THANK_ABOVE;
  });
  expect(rows).toHaveLength(60);
  expect(thanked.filter(({ label }) => label === "negative").length).toBeLessThanOrEqual(mostAngry);
  expect(thanked.filter(({ label }) => label === "positive").length).toBeGreaterThanOrEqual(fewestPleased);
  expect(thanked.filter(({ label }) => label === "neutral")).toEqual([]);
});

it("counts a symbol once, however often it is repeated", () => {
  expect(sentimentFeatures(read("👍👍👍👍👍👍").tokens).hits).toHaveLength(1);
  expect(sentimentFeatures(read("👍👏").tokens).hits).toHaveLength(2);
});
