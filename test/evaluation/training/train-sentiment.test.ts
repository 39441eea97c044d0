import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { labelledTexts, textsOfSharedOpinions } from "../../../evaluation/training/examples.ts";
import {
  predict,
  scoresBySource,
  trainWeights,
  fitBias,
  fitSureness,
  decide,
} from "../../../evaluation/training/fit.ts";
import type { SentimentRow } from "../../../evaluation/labelled-sets.ts";
import { temporaryFolder } from "../../support/folder.ts";

const SCRIPT = fileURLToPath(new URL("../../../evaluation/scripts/train-sentiment.ts", import.meta.url));

// None of these words is in a lexicon: everything is learned from the texts.
const PHRASES = {
  negative: ["the zorp blinked twice", "our zorp blinked", "a zorp that blinked"],
  positive: ["the quux hummed along", "our quux hummed", "a quux that hummed"],
  neutral: ["the table stands there", "our table stands", "a table that stands"],
} as const;

const rows = (place: string): SentimentRow[] =>
  Object.entries(PHRASES).flatMap(([label, phrases]) =>
    phrases.map((phrase) => ({ text: `${phrase} in ${place}`, label: label as SentimentRow["label"] })),
  );

const sets = ["rome", "oslo", "lima"].map((name) => ({ name, rows: rows(name) }));

describe("training the sentiment model", () => {
  it("learns what texts have in common, and judges an unseen source", () => {
    const texts = labelledTexts(sets);
    const trained = trainWeights(texts.filter(({ source }) => source !== 0));
    const predictions = predict(
      trained,
      texts.filter(({ source }) => source === 0),
    );
    const fitted = fitSureness(predictions, [0, 0]);
    const [scores] = scoresBySource(predictions, (prediction) => decide(prediction, fitted));
    expect(scores?.macroF1).toBe(1);
  });

  it("learns nothing from texts that the balance decides", () => {
    const counted = labelledTexts([
      { name: "a", rows: [{ text: "Superb, great and lovely zorp", label: "negative" }] },
    ]);
    expect(counted[0]?.isCounted).toBe(true);
    const texts = labelledTexts(sets);
    expect(trainWeights([...counted, ...texts])).toEqual(trainWeights(texts));
  });

  it("can leave out opinions that only one source has", () => {
    const texts = ["It was superb", "It was superb on hold"].map((text) => ({ text, label: "positive" as const }));
    const two = texts.map((row, at) => ({ name: `${at}`, rows: [row] }));
    const [first, second] = textsOfSharedOpinions(two);
    const [, alike] = labelledTexts(two.map(({ name }) => ({ name, rows: [texts[0]!] })));
    expect(first?.opinions).toEqual(alike?.opinions);
    expect(second?.opinions).toEqual(first?.opinions);
    expect(labelledTexts(two)[1]?.opinions).not.toEqual(first?.opinions);
  });

  it("does not change the bias without evidence in the texts", () => {
    const texts = labelledTexts(sets);
    expect(fitBias(predict(trainWeights(texts), texts)).every((bias) => Math.abs(bias) <= 0.3)).toBe(true);
  });

  it("gives the same weights for the same texts, and prints figures for each source, other analysers and categories", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "sentiment"));
    for (const { name, rows } of sets) {
      writeFileSync(join(folder, "sentiment", `${name}.jsonl`), rows.map((row) => JSON.stringify(row)).join("\n"));
    }
    mkdirSync(join(folder, "categories"));
    writeFileSync(join(folder, "categories", "shop.jsonl"), '{"text": "I was charged twice", "labels": ["billing"]}');
    const run = async (): Promise<string> => (await promisify(execFile)(process.execPath, [SCRIPT, folder])).stdout;
    const [first, second] = await Promise.all([run(), run()]);
    expect(first).toBe(second);
    expect(first.match(/^ {2}oslo +macro-F1 \d\.\d{3}/gm)).toHaveLength(3);
    expect(first).toMatch(/^ {2}vader +mean macro-F1 \d\.\d{4}, recall of all negatives \d\.\d{3}$/m);
    expect(first).toMatch(/^ {2}embedded +mean macro-F1 1\.0000\n {4}shop +macro-F1 1\.000$/m);
    expect(first).toContain("the shipped weights are different");
    expect(JSON.stringify(trainWeights(labelledTexts(sets)))).toBe(JSON.stringify(trainWeights(labelledTexts(sets))));
  });
});
