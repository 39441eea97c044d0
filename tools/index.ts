/**
 * Ready-made toolsets for agents.
 * @module abi-workflows/tools
 */
import "../src/runtime/node-version.ts";
export { createCustomerFeedbackTools, CustomerFeedbackToolkit } from "./customer-feedback.ts";
export type { SettingsOptions } from "../src/application/settings.ts";
export type { ToolOptions } from "../src/interfaces/model-calls/fixed-fields.ts";
export { createKnowledgeGraphTools, type KnowledgeGraphToolsOptions } from "./knowledge-graph.ts";
export { graphQuestion, type GraphQuestion } from "../src/questions/graph-question.ts";
export { CUSTOMER_FEEDBACK_QUESTIONS } from "../src/workflows/customer-feedback/questions.ts";
export { IMPERSONAL_DATA } from "../src/workflows/customer-feedback/visible-data.ts";
export type { Visible, VisiblePart } from "../src/ontology/visible.ts";
