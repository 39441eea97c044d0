import type { Category } from "./categories.ts";
import type { AnalysisFallback } from "./sentiment-analyzer.ts";

/** What a text is about, and the basis for this judgement. */
export interface CategoriesResult {
  /** In the order of `CATEGORIES`; `["general"]` if nothing else fits. Never empty. */
  categories: Category[];
  /**
   * For each category in the answer, how sure the analyser is, 0 to 1. `general` has 0 if it only
   * says that nothing was found.
   */
  scores: Partial<Record<Category, number>>;
  /** The words and phrases of the text that led to each category. */
  evidence: Partial<Record<Category, string[]>>;
  /** ISO 639-1 code of the text's language, `und` if it can't be determined. */
  language: string;
  fallback?: AnalysisFallback;
}

/** Port: detects what one text is about. */
export interface FeedbackCategorizer {
  /** Name and version are stored as provenance with each result. */
  readonly name: string;
  readonly version: string;
  /** @throws IoError if a service that it uses can't be reached and there is no fallback */
  categorize(text: string, options?: { signal?: AbortSignal }): CategoriesResult | Promise<CategoriesResult>;
}
