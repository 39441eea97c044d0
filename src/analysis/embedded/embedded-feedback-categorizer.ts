import type { CategoriesResult, FeedbackCategorizer } from "../feedback-categorizer.ts";
import { decideCategories } from "./category-decision.ts";
import { categoryFeatures } from "./category-features.ts";
import { quote } from "./evidence.ts";
import { read } from "./reading.ts";
import { versionWith, type CategoryBounds, type TrainedWeights } from "./trained-weights.ts";

/**
 * Detects what English feedback is about, with a lexicon of words and phrases. Offline and
 * deterministic; reads the first 20,000 characters. Returns `["general"]` with score 0 if nothing
 * fits, or if the text is in another language, which the result names.
 *
 * @throws TypeError if it doesn't get a string
 * @example
 * new EmbeddedFeedbackCategorizer().categorize("I was charged twice").categories // ["billing"]
 */
export class EmbeddedFeedbackCategorizer implements FeedbackCategorizer {
  readonly name = "embedded-categories";
  /** Includes the version of trained bounds, if they are used: `8+3f2a91c0d4e5`. */
  readonly version: string;
  readonly #bounds: CategoryBounds | undefined;

  /**
   * @param options `trained`: what `abi-workflows train` has fitted, see `readTrainedWeights`;
   *   default: the shipped bounds
   */
  constructor({ trained }: { trained?: TrainedWeights | undefined } = {}) {
    this.#bounds = trained?.categories;
    this.version = versionWith("categories", trained);
  }

  categorize(text: string): CategoriesResult {
    const { tokens, language, readable } = read(text);
    const general: CategoriesResult = { categories: ["general"], scores: { general: 0 }, evidence: {}, language };
    if (!readable) return general;
    const features = categoryFeatures(tokens);
    const decided = decideCategories(features, this.#bounds);
    if (decided.length === 0) return general;
    const result: CategoriesResult = { categories: [], scores: {}, evidence: {}, language: "en" };
    for (const { category, score } of decided) {
      result.categories.push(category);
      result.scores[category] = score;
      result.evidence[category] = quote(text, features.tokens, features.hits.get(category) ?? []);
    }
    return result;
  }
}
