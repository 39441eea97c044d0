/**
 * Analysers as a LangChain decision model, whose base class takes longer to load than all other entries together.
 * @module abi-workflows/decisions
 */
import "./runtime/node-version.ts";

export { FeedbackDecisionModel } from "./analysis/decisions/feedback-decision-model.ts";
export { FEEDBACK_QUESTIONS } from "./analysis/decisions/feedback-questions.ts";
