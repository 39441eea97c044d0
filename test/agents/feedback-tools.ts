import { DynamicStructuredTool } from "@langchain/core/tools";
import { z } from "zod";

/** The arguments that the tools were called with, for assertions. */
export interface ToolLog {
  processed: Record<string, unknown>[];
  analysed: string[];
}

/**
 * Tools with the names and schemas of the customer feedback workflow's tools, without the workflow. They yield progress,
 * and answer with a text for the model and the result as the artifact. Feedback that is submitted twice is processed once.
 */
export function feedbackTools(log: ToolLog = { processed: [], analysed: [] }): DynamicStructuredTool[] {
  const results = new Map<string, Record<string, unknown>>();
  const text = z.object({ text: z.string().min(1).describe("The feedback text") });
  return [
    new DynamicStructuredTool({
      name: "process_customer_feedback",
      description: "Process customer feedback and optionally send a response",
      responseFormat: "content_and_artifact",
      schema: z.object({
        feedback_id: z.string().nullable(),
        customer_id: z.string().min(1).describe("Who gave the feedback"),
        subject: z.string(),
        feedback_text: z.string(),
        sentiment: z.enum(["positive", "negative", "neutral"]).nullable(),
        categories: z.array(z.string()).nullable(),
        send_response: z.boolean().nullable(),
      }),
      func: async function* (args) {
        yield { step: "customer_data_retrieved" };
        yield { step: "feedback_stored" };
        const key = args.feedback_id ?? `${args.customer_id}:${args.feedback_text}`;
        const known = results.get(key);
        if (known !== undefined) return ["Processed before.", { ...known, duplicate: true }];
        const result = {
          feedback_id: key,
          customer_id: args.customer_id,
          success: true,
          action: args.send_response === false ? "no_action" : "auto_respond",
          sentiment: "negative",
          categories: ["general"],
          ...(args.send_response !== false && { response_id: "<m1@example.org>" }),
        };
        results.set(key, result);
        log.processed.push(args);
        return [`Processed ${key}.`, result];
      },
    }),
    new DynamicStructuredTool({
      name: "analyze_feedback_sentiment",
      description: "Analyze the sentiment of customer feedback text",
      responseFormat: "content_and_artifact",
      schema: text,
      func: async (args) => {
        log.analysed.push(args.text);
        return ["negative", { sentiment: "negative", score: 0.83, evidence: [], language: "en" }];
      },
    }),
    new DynamicStructuredTool({
      name: "categorize_feedback_text",
      description: "Categorize feedback text into predefined categories",
      responseFormat: "content_and_artifact",
      schema: text,
      func: async (args) => {
        log.analysed.push(args.text);
        return ["bug, billing", { categories: ["bug", "billing"], scores: {}, evidence: {}, language: "en" }];
      },
    }),
  ];
}
