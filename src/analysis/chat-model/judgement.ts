import { z } from "zod";
import { CATEGORIES, inStableOrder } from "../categories.ts";
import type { CategoriesResult } from "../feedback-categorizer.ts";
import { UNDETERMINED } from "../language.ts";
import { SENTIMENTS, type SentimentResult } from "../sentiment-analyzer.ts";

const confidence = z.number().describe("How sure, from 0 to 1.");
const evidence = z.array(z.string()).describe("The words that led to it, copied from the text as they are.");

/** What the model is asked to answer, both questions at once. */
export const Judgement = z.object({
  language: z.string().describe("ISO 639-1 code of the text's language, und where it can't be told."),
  sentiment: z.enum(SENTIMENTS),
  confidence,
  evidence,
  categories: z
    .array(z.object({ category: z.enum(CATEGORIES), confidence, evidence }))
    .describe("Everything that the text speaks of; general alone where nothing else fits."),
});

export type Judgement = z.output<typeof Judgement>;

const MOST_EVIDENCE = 12;

const toScore = (value: number): number => Math.min(1, Math.max(0, value));

const toLanguage = (code: string): string => (/^[a-z]{2,3}$/u.test(code) ? code : UNDETERMINED);

/** A model may make quotations up, or cut a character in two: only what is in the text counts. */
const quotations = (text: string, evidence: readonly string[]): string[] =>
  [...new Set(evidence)]
    .filter((quotation) => quotation.trim() !== "" && quotation.isWellFormed() && text.includes(quotation))
    .slice(0, MOST_EVIDENCE);

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
  const known = new Map(judged.map((one) => [one.category, one]));
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
