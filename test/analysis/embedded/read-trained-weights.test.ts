import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTrainedWeights, versionOf } from "../../../src/analysis/embedded/read-trained-weights.ts";
import { BASE_VERSIONS, type CategoryBounds } from "../../../src/analysis/embedded/trained-weights.ts";
import { temporaryFolder } from "../../support/folder.ts";

const SURENESS = { positive: -0.5, negative: 0.25, neutral: 0 };

/** A file of these fits with the correct version. */
function fileOf(fits: Parameters<typeof versionOf>[0]): string {
  const path = join(temporaryFolder(), "trained-weights.json");
  const rest = { base: BASE_VERSIONS, trained_at: "2026-01-01T00:00:00.000Z", texts: { sentiment: 0, categories: 0 } };
  writeFileSync(path, JSON.stringify({ version: versionOf(fits, BASE_VERSIONS), ...rest, ...fits }));
  return path;
}

const words = (bucket: string, ...weights: [number, number]) => ({
  sentiment: { words: { [bucket]: weights }, sureness: SURENESS },
});
const shifts = (sureness: Partial<typeof SURENESS>) => ({
  sentiment: { words: {}, sureness: { ...SURENESS, ...sureness } },
});

test.each([
  ["a bound", { categories: { bug: 0, product: 1 } }],
  ["a bucket and its weights", words("32767", -10, 10)],
  ["a shift", shifts({ positive: 0, negative: 1.5, neutral: -1.5 })],
])("accepts %s at the ends of the range", (_, fits) => {
  expect(readTrainedWeights(fileOf(fits))).toMatchObject(fits);
});

test.each([
  ["a bound over 1", { categories: { bug: 1.01 } }, 'the bound of "bug" is 1.01, which must be from 0 to 1.'],
  ["a bound under 0", { categories: { legal: -0.5 } }, 'the bound of "legal" is -0.5, which must be from 0 to 1.'],
  ["a bucket that doesn't exist", words("32768", 1, 1), "it has a bucket 32768, and the last one is 32767."],
  ["an endless weight", words("7", 0, 1e308), "bucket 7 has the weight 1e+308, which must be from -10 to 10."],
  ["a low weight", words("7", -10.5, 0), "bucket 7 has the weight -10.5, which must be from -10 to 10."],
  ["surer praise", shifts({ positive: 0.1 }), 'the shift of "positive" is 0.1, which must be from -1.5 to 0.'],
  ["a far shift", shifts({ negative: -1e308 }), 'the shift of "negative" is -1e+308, which must be from -1.5 to 1.5.'],
  // JSON has no NaN: it is written as null.
  ["no number", words("7", Number.NaN, 0), 'it is not as "train" wrote it.'],
  ["no number as a bound", { categories: { bug: Number.NaN } }, 'it is not as "train" wrote it.'],
])("refuses %s, and says what to do", (_, fits, problem) => {
  const read = (): unknown => readTrainedWeights(fileOf(fits));
  expect(read).toThrow(expect.objectContaining({ code: "trained_weights_damaged" }));
  expect(read).toThrow(`is damaged: ${problem} Run "abi-workflows train" on your labels again`);
});

test("gives a different version for different bounds of categories, and for another analyser", () => {
  const bounds: CategoryBounds[] = [{}, { bug: 0.3 }, { bug: 0.65 }, { bug: 0.3, legal: 0.65 }];
  const versions = [
    versionOf({}, BASE_VERSIONS),
    ...bounds.map((categories) => versionOf({ categories }, BASE_VERSIONS)),
    versionOf({ categories: { bug: 0.3 } }, { ...BASE_VERSIONS, categories: "0" }),
  ];
  expect(new Set(versions).size).toBe(versions.length);
});
