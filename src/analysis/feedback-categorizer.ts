import type { Category } from "./categories.ts";
import type { AnalysisFallback } from "./sentiment-analyzer.ts";

/** What a text is about, and how it was told. */
export interface CategoriesResult {
  /** In the order of `CATEGORIES`; `["general"]` where nothing else fits. Never empty. */
  categories: Category[];
  /** How probably it is right, 0 to 1, for each category in the answer. 0 for `general` where nothing else was found. */
  scores: Partial<Record<Category, number>>;
  /** The words and phrases of the text that led to each category. */
  evidence: Partial<Record<Category, string[]>>;
  /** ISO 639-1 code of the text's language, `und` where it can't be told. */
  language: string;
  fallback?: AnalysisFallback;
}

/** Port: tells what one text is about. */
export interface FeedbackCategorizer {
  /** Both are written into the provenance of what was stored. */
  readonly name: string;
  readonly version: string;
  /** @throws IoError where a service behind it can't be reached and there is nothing to fall back on */
  categorize(text: string, options?: { signal?: AbortSignal }): CategoriesResult | Promise<CategoriesResult>;
}
