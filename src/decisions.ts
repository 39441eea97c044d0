/**
 * The analysers as a LangChain decision model. They have an entry point of their own because
 * loading LangChain's base class takes several times as long as loading the analysers.
 * @module abi-workflows/decisions
 */
import "./runtime/node-version.ts";

export { FeedbackDecisionModel } from "./analysis/decisions/feedback-decision-model.ts";
export { FEEDBACK_QUESTIONS } from "./analysis/decisions/feedback-questions.ts";
