/** Example calls for documentation, with customers from the sample data. */
import type { OperationExample } from "../../framework/operation.ts";

export const PROCESS_EXAMPLE: OperationExample = {
  input: {
    feedback_id: "F-1",
    customer_id: "C-1001",
    subject: "Invoice",
    feedback_text: "You have charged me twice.",
  },
};

export const SENTIMENT_EXAMPLE: OperationExample = {
  input: { text: "I love the new search!" },
  output: { sentiment: "positive", score: 0.94, evidence: ["love"], language: "en" },
};

export const CATEGORIES_EXAMPLE: OperationExample = {
  input: { text: "You have charged me twice." },
  output: {
    categories: ["billing"],
    scores: { billing: 0.81 },
    evidence: { billing: ["have charged"] },
    language: "en",
  },
};

export const EVENT_EXAMPLE = {
  type: "new_feedback",
  data: { id: "F-2", customer_id: "C-1001", subject: "Search", text: "Search is so slow." },
};

const DECISION = {
  workflow_id: "workflow-6f1f9ad1-7c53-4c0e-8e4e-1f4a2b8d9c10",
  rendering: "5b2c7d0e9f1a4b6c8d3e5f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4",
  by: "Ann Ford",
};

const decided = (decision: "approve" | "edit" | "reject") => ({
  ...DECISION,
  feedback_id: "F-1",
  decision,
  decided_at: "2026-11-29T09:30:00.000Z",
});

export const LIST_EXAMPLE: OperationExample = { input: { sentiment: "negative", limit: 10 } };

export const FEEDBACK_EXAMPLE: OperationExample = { input: { feedback_id: "F-1" } };

export const APPROVAL_EXAMPLE: OperationExample = { input: DECISION, output: decided("approve") };

export const EDIT_EXAMPLE: OperationExample = {
  input: { ...DECISION, text: "Dear customer, we have refunded the second charge." },
  output: {
    ...decided("edit"),
    edited_rendering: "7d3e5f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b45b2c7d0e9f1a4b6c",
  },
};

export const REJECTION_EXAMPLE: OperationExample = {
  input: { ...DECISION, reason: "This is no praise.", sentiment: "negative", categories: ["billing"] },
  output: { ...decided("reject"), sentiment: "negative", categories: ["billing"] },
};
