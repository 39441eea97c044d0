/**
 * The offline analysers on their own, because the whole framework takes several times as long to
 * load.
 * @module abi-workflows/analysis
 */
import "./runtime/node-version.ts";

export { CATEGORIES, type Category } from "./analysis/categories.ts";
export { EmbeddedFeedbackCategorizer } from "./analysis/embedded/embedded-feedback-categorizer.ts";
export { EmbeddedSentimentAnalyzer } from "./analysis/embedded/embedded-sentiment-analyzer.ts";
export { readTrainedWeights } from "./analysis/embedded/read-trained-weights.ts";
export type { TrainedWeights } from "./analysis/embedded/trained-weights.ts";
export type { CategoriesResult, FeedbackCategorizer } from "./analysis/feedback-categorizer.ts";
export type { AnalysisFallback, Sentiment, SentimentAnalyzer, SentimentResult } from "./analysis/sentiment-analyzer.ts";
