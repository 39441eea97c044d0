/**
 * Analysers as a LangChain decision model. They have an entry point of their own because
 * LangChain's base class takes longer to load than all other entry points together.
 * @module abi-workflows/decisions
 */
import "./runtime/node-version.ts";

export { FeedbackDecisionModel } from "./analysis/decisions/feedback-decision-model.ts";
export { FEEDBACK_QUESTIONS } from "./analysis/decisions/feedback-questions.ts";
