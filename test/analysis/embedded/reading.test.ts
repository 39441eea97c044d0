import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { read } from "../../../src/analysis/embedded/reading.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

it("reads a text once for both analysers", () => {
  const text = "I was charged twice";
  const reading = read(text);
  new EmbeddedSentimentAnalyzer().analyze(text);
  new EmbeddedFeedbackCategorizer().categorize(text);
  expect(read(text)).toBe(reading);
});

it("does not keep the last text", async () => {
  const reading = new WeakRef(read("My account is 4711 0815, and it is closed"));
  await new Promise(setImmediate);
  collectGarbage();
  expect(reading.deref()).toBeUndefined();
});
