import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { IoError, ValidationError } from "../../errors.ts";
import { isObject } from "../../json.ts";
import { CATEGORIES } from "../categories.ts";
import { SENTIMENTS } from "../sentiment-analyzer.ts";
import { BUCKET_BITS } from "./sentiment-model/inputs.ts";
import {
  MAX_SHIFT,
  MAX_WORD_WEIGHT,
  MIN_SHIFT,
  type CategoryBounds,
  type Fits,
  type SentimentAdjustment,
  type TrainedWeights,
} from "./trained-weights.ts";

/** Name of the file in the data directory. */
export const TRAINED_WEIGHTS_FILE = "trained-weights.json";

/**
 * The version of what training has changed: a hash of everything that affects a judgement, and of
 * the versions of the shipped analysers.
 */
export const versionOf = ({ sentiment, categories }: Fits, base: TrainedWeights["base"]): string =>
  createHash("sha256")
    .update(JSON.stringify([base.sentiment, base.categories, sentiment ?? null, categories ?? null]))
    .digest("hex")
    .slice(0, 12);

/**
 * Reads the file that `abi-workflows train` has written; undefined if there is none.
 * @throws ValidationError (`trained_weights_damaged`) if the file has been changed or a number is
 *   out of range, IoError if the file can't be read
 */
export function readTrainedWeights(path: string): TrainedWeights | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new IoError(
      `${TRAINED_WEIGHTS_FILE} in the data directory can't be read. If it is a file, let this user read it; otherwise ` +
        "remove it to go back to the weights that ship.",
      { code: "file_unreadable", cause },
    );
  }
  const weights = parsed(text);
  if (weights === undefined) throw damaged('it is not as "train" wrote it');
  const problem = outOfRange(weights);
  if (problem !== undefined) throw damaged(problem);
  return weights;
}

const damaged = (problem: string): ValidationError =>
  new ValidationError(
    `The file ${TRAINED_WEIGHTS_FILE} of the data directory is damaged: ${problem}. Run "abi-workflows train" on your ` +
      'labels again, or "abi-workflows train --reset" to go back to the weights that ship.',
    { code: "trained_weights_damaged" },
  );

function parsed(text: string): TrainedWeights | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isTrainedWeights(value)) return undefined;
  return value.version === versionOf(value, value.base) ? value : undefined;
}

const BUCKETS = 2 ** BUCKET_BITS;

const isWithin = (value: number, lowest: number, highest: number): boolean => value >= lowest && value <= highest;

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const areNumbers = (value: unknown, length: number): boolean =>
  Array.isArray(value) && value.length === length && value.every(isNumber);

function isTrainedWeights(value: unknown): value is TrainedWeights {
  if (!isObject(value)) return false;
  const { version, base, trained_at: trainedAt, texts, sentiment, categories } = value;
  if (typeof version !== "string" || typeof trainedAt !== "string") return false;
  if (!isObject(base) || typeof base["sentiment"] !== "string" || typeof base["categories"] !== "string") return false;
  if (!isObject(texts) || !isNumber(texts["sentiment"]) || !isNumber(texts["categories"])) return false;
  return (
    (sentiment === undefined || isAdjustment(sentiment)) && (categories === undefined || areCategoryBounds(categories))
  );
}

function isAdjustment(value: unknown): value is SentimentAdjustment {
  if (!isObject(value)) return false;
  const { words, sureness } = value;
  if (!isObject(words) || !isObject(sureness)) return false;
  if (!SENTIMENTS.every((sentiment) => isNumber(sureness[sentiment]))) return false;
  return Object.entries(words).every(([bucket, pair]) => /^\d{1,5}$/.test(bucket) && areNumbers(pair, 2));
}

/**
 * Describes the first value that training can't have written. Checking the version is not enough,
 * because anyone can compute it.
 */
function outOfRange({ sentiment, categories = {} }: TrainedWeights): string | undefined {
  for (const [category, bound] of Object.entries(categories)) {
    if (!isWithin(bound, 0, 1)) return `the bound of "${category}" is ${bound}, which must be from 0 to 1`;
  }
  if (sentiment === undefined) return undefined;
  for (const one of SENTIMENTS) {
    const [shift, highest] = [sentiment.sureness[one], MAX_SHIFT[one]];
    if (!isWithin(shift, MIN_SHIFT, highest)) {
      return `the shift of "${one}" is ${shift}, which must be from ${MIN_SHIFT} to ${highest}`;
    }
  }
  for (const [bucket, pair] of Object.entries(sentiment.words)) {
    if (Number(bucket) >= BUCKETS) return `it has a bucket ${bucket}, and the last one is ${BUCKETS - 1}`;
    const weight = pair.find((one) => !isWithin(one, -MAX_WORD_WEIGHT, MAX_WORD_WEIGHT));
    if (weight === undefined) continue;
    return `bucket ${bucket} has the weight ${weight}, which must be from ${-MAX_WORD_WEIGHT} to ${MAX_WORD_WEIGHT}`;
  }
  return undefined;
}

const areCategoryBounds = (value: unknown): value is CategoryBounds =>
  isObject(value) &&
  Object.entries(value).every(
    ([category, bound]) => CATEGORIES.some((one) => one === category && one !== "general") && isNumber(bound),
  );
