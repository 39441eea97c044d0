import { z } from "zod";
import { CATEGORIES, inStableOrder } from "../categories.ts";
import type { CategoriesResult } from "../feedback-categorizer.ts";
import { UNDETERMINED } from "../language.ts";
import { SENTIMENTS, type SentimentResult } from "../sentiment-analyzer.ts";

const anyCase = (value: unknown): unknown => (typeof value === "string" ? value.trim().toLowerCase() : value);

const confidence = z.number().describe("How sure, from 0 to 1.");
const evidence = z.array(z.string()).describe("The words that led to it, copied from the text as they are.");
const language = z.string().describe("ISO 639-1 code of the text's language, or und if it can't be determined.");

/** What the model is asked to answer, both questions at once. */
export const AskedJudgement = z.object({
  language,
  sentiment: z.enum(SENTIMENTS),
  confidence,
  evidence,
  categories: z
    .array(z.object({ category: z.enum(CATEGORIES), confidence, evidence }))
    .describe("Everything that the text is about; general, alone, if nothing else fits."),
});

/** A confidence, also as text: `"0.9"`. */
const readConfidence = z.preprocess(
  (value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value),
  confidence,
);

const JudgedCategory = z.object({
  category: z.preprocess(anyCase, z.enum(CATEGORIES)),
  confidence: readConfidence,
  evidence: evidence.catch([]),
});

const KnownCategory = z.union([JudgedCategory.pick({ category: true }), JudgedCategory.shape.category]);

/** Unknown categories are dropped. A category without a confidence makes the judgement invalid. */
const readCategories = (listed: readonly unknown[]): unknown[] =>
  listed.filter((entry) => KnownCategory.safeParse(entry).success);

/**
 * Reads a judgement from an answer. Small deviations are fixed, because models don't follow a
 * schema exactly. An answer without a sentiment, a confidence or a list of categories is not a
 * judgement.
 */
export const Judgement = AskedJudgement.extend({
  language: language.catch(UNDETERMINED),
  sentiment: z.preprocess(anyCase, z.enum(SENTIMENTS)),
  confidence: readConfidence,
  evidence: evidence.catch([]),
  categories: z.array(z.unknown()).transform(readCategories).pipe(z.array(JudgedCategory)),
});

export type Judgement = z.output<typeof Judgement>;

/** The judgement of a blank text. */
export const NOTHING_TO_JUDGE: Judgement = {
  language: UNDETERMINED,
  sentiment: "neutral",
  confidence: 0,
  evidence: [],
  categories: [],
};

const MAX_EVIDENCE = 12;

/** Anything above 1 counts as 1, because 7 may mean 7 % or 7 out of 10. */
const toScore = (value: number): number => Math.min(1, Math.max(0, value));

/** The primary subtag of a language tag (RFC 5646): `en` for `en-US` as well. */
const toLanguage = (tag: string): string =>
  /^([a-z]{2,3})(?:[-_]|$)/u.exec(tag.trim().toLowerCase())?.[1] ?? UNDETERMINED;

/**
 * The quotations that are really in the text: a model may invent some, or cut a character in two.
 */
const quotations = (text: string, evidence: readonly string[]): string[] =>
  [...new Set(evidence)]
    .filter((quotation) => quotation.trim() !== "" && quotation.isWellFormed() && text.includes(quotation))
    .slice(0, MAX_EVIDENCE);

export const toSentiment = (
  text: string,
  { language, sentiment, confidence, evidence }: Judgement,
): SentimentResult => ({
  sentiment,
  score: toScore(confidence),
  evidence: quotations(text, evidence),
  language: toLanguage(language),
});

export function toCategories(text: string, { language, categories: judged }: Judgement): CategoriesResult {
  // If a category occurs twice, the first one counts.
  const known = new Map(judged.toReversed().map((one) => [one.category, one]));
  if (known.size > 1) known.delete("general");
  const result: CategoriesResult = { categories: [], scores: {}, evidence: {}, language: toLanguage(language) };
  if (known.size === 0) return { ...result, categories: ["general"], scores: { general: 0 } };
  result.categories = inStableOrder(known.keys());
  for (const category of result.categories) {
    const { confidence, evidence } = known.get(category) ?? { confidence: 0, evidence: [] };
    result.scores[category] = toScore(confidence);
    result.evidence[category] = quotations(text, evidence);
  }
  return result;
}
