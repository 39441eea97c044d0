import { describe, expect, it } from "vitest";
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
  ])("are not seen in what only looks like one: %j", (text) => {
    expect(doubtsOf(text)).toEqual([]);
  });

  it.each([
    ["The room is great", "The room would have been great"],
    ["The food is great and the staff is kind", "The food is great elsewhere and the staff is kind"],
    ["The crew was nice", "The crew was nice, I wonder why"],
  ])("lower the score of %j when it is %j", (plain, doubtful) => {
    const { score, doubts } = analyzer.analyze(doubtful);
    expect(score).toBeLessThan(analyzer.analyze(plain).score - 0.03);
    expect(doubts).not.toEqual([]);
    expect(analyzer.analyze(plain)).not.toHaveProperty("doubts");
  });

  it("do not keep plain praise from thanks", () => {
    const texts = [
      "This product is great and I love it!",
      "The product is great!",
      "I love it. Thank you!",
      "Great",
      "Thanks!",
    ];
    for (const text of texts) expect(analyzer.analyze(text).score).toBeGreaterThan(DEFAULT_THANK_ABOVE);
  });

  it("are said of praise alone, in the text's own words", () => {
    expect(analyzer.analyze("It would have been great if it had worked").doubts).toContain("would have");
    expect(analyzer.analyze("It would have been terrible, I hate it")).not.toHaveProperty("doubts");
  });
});

it("counts a symbol once, however often it is repeated", () => {
  expect(sentimentFeatures(read("👍👍👍👍👍👍").tokens).hits).toHaveLength(1);
  expect(sentimentFeatures(read("👍👏").tokens).hits).toHaveLength(2);
});
