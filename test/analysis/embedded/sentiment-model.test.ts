import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { read } from "../../../src/analysis/embedded/reading.ts";
import { sentimentFeatures } from "../../../src/analysis/embedded/sentiment-features.ts";
import { opinionInputs, visitWords, wordBuckets } from "../../../src/analysis/embedded/sentiment-model/inputs.ts";
import {
  probabilities,
  SentimentModel,
  type SentimentWeights,
} from "../../../src/analysis/embedded/sentiment-model/sentiment-model.ts";
import weights from "../../../src/analysis/embedded/sentiment-model/weights.json" with { type: "json" };

const file = new URL("../../../src/analysis/embedded/sentiment-model/weights.json", import.meta.url);
const analyzer = new EmbeddedSentimentAnalyzer();
const features = (text: string) => sentimentFeatures(read(text).tokens);

/** A model that knows only the given weights. */
const modelWith = (changes: Partial<SentimentWeights>): SentimentModel =>
  new SentimentModel({ ...weights, opinions: [], words: "", wordScale: 1, bias: [0, 0], ...changes });

describe("the sentiment model", () => {
  it("is smaller than 200 kB", () => {
    expect(readFileSync(file).length).toBeLessThan(200_000);
  });

  it("gives probabilities for any text", () => {
    const model = new SentimentModel(weights);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { positive, negative, neutral } = probabilities(model.logitsOf(features(text)));
        expect(positive + negative + neutral).toBeCloseTo(1);
        expect(Math.min(positive, negative, neutral)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("takes its bias into account", () => {
    expect(modelWith({ bias: [0, 3] }).logitsOf(features("a table"))).toEqual([0, 3]);
    expect(probabilities([1, 3]).positive).toBeGreaterThan(probabilities([1, 0]).positive);
    expect(probabilities([0, 0])).toEqual({ negative: 1 / 3, positive: 1 / 3, neutral: 1 / 3 });
  });

  it("uses words and pairs of words", () => {
    const [, , pair] = wordBuckets(read("send back").tokens).slice(-3);
    const bytes = new Int8Array(2 ** 16);
    bytes[(pair ?? 0) * 2] = 100;
    const model = modelWith({ words: Buffer.from(bytes.buffer).toString("base64") });
    expect(model.logitsOf(features("please send back"))[0]).toBeGreaterThan(3);
    expect(model.logitsOf(features("back then I send it"))[0]).toBe(0);
    const spoken = model.reasons(features("please send back"), "negative", 3);
    expect(spoken).toEqual([{ from: 1, to: 3, weight: 100 }]);
  });

  it("visits every bucket once, with tokens of the text", () => {
    const words = fc.array(fc.constantFrom("a", "b", "5", "http://x.y", "!", "don't"), { maxLength: 30 });
    fc.assert(
      fc.property(words, (words) => {
        const { tokens } = read(words.join(" "));
        const seen: number[] = [];
        visitWords(tokens, (bucket, from, to) => {
          seen.push(bucket);
          expect(from).toBeGreaterThanOrEqual(0);
          expect(to).toBeGreaterThan(from);
          expect(to).toBeLessThanOrEqual(tokens.length);
        });
        expect(new Set(seen).size).toBe(seen.length);
      }),
    );
  });

  it("looks at each opinion a few times, however many there are", () => {
    let looks = 0;
    const few = features("good and bad ".repeat(500));
    const watched = few.hits.map(
      (hit) =>
        new Proxy(hit, {
          get: (target, key: keyof typeof hit) => {
            looks += 1;
            return target[key];
          },
        }),
    );
    expect(opinionInputs({ ...few, hits: watched })).toEqual(opinionInputs(few));
    expect(watched).toHaveLength(1000);
    expect(looks).toBeLessThan(20 * watched.length);
  });

  it("judges a complaint without opinion words, and returns what it relied on", () => {
    const { sentiment, evidence } = analyzer.analyze("The phone did not ring");
    expect(sentiment).toBe("negative");
    expect(evidence).toContain("not ring");
    expect(evidence.length).toBeLessThanOrEqual(3);
  });

  it("decides by words in a single published list if no opinion is certain", () => {
    const text = "He was curt with us";
    expect(features(text)).toMatchObject({ hits: [], looseNegations: 0 });
    expect(analyzer.analyze(text).sentiment).toBe("negative");
  });

  it("leaves texts with many opinions to the balance", () => {
    const text = "Great, superb and lovely, but dirty";
    const { hits } = features(text);
    expect(hits.length).toBeGreaterThanOrEqual(3);
    expect(analyzer.analyze(text)).toMatchObject({ sentiment: "positive" });
  });
});
