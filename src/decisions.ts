// Analysers as a decision model of LangChain, whose base class takes longer to load than all other entries together.
import "./runtime/node-version.ts";

export { FeedbackDecisionModel } from "./analysis/decisions/feedback-decision-model.ts";
export { FEEDBACK_QUESTIONS } from "./analysis/decisions/feedback-questions.ts";
