import { z } from "zod";
import { CATEGORIES } from "../../analysis/categories.ts";
import { SENTIMENTS } from "../../analysis/sentiment-analyzer.ts";
import { withoutAbsent } from "../../json.ts";
import type { RunResult } from "../../framework/result.ts";

export const ACTIONS = ["auto_respond", "escalate", "no_action"] as const;

export type Action = (typeof ACTIONS)[number];

const fallback = z
  .object({
    from: z.string(),
    analyzer: z.object({ name: z.string(), version: z.string() }),
    reason: z.string(),
    permanent: z.boolean(),
  })
  .optional();
const language = z.string().describe("ISO 639-1 code of the text's language, or und if it can't be determined.");

export const SentimentOutput = z.object({
  sentiment: z.enum(SENTIMENTS),
  score: z.number().min(0).max(1).describe("How sure the analyser is, 0 to 1."),
  evidence: z.array(z.string()).describe("The words that led to it."),
  doubts: z.array(z.string()).optional().describe("Words that make praise less certain."),
  language,
  fallback,
});

export const CategoriesOutput = z.object({
  categories: z.array(z.enum(CATEGORIES)),
  scores: z.partialRecord(z.enum(CATEGORIES), z.number()),
  evidence: z.partialRecord(z.enum(CATEGORIES), z.array(z.string())),
  language,
  fallback,
});

/**
 * How certain the sentiment is that the workflow used. Results from before a field was added don't
 * have it.
 */
export const SENTIMENT_CERTAINTY = {
  sentiment_score: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("How sure the analyser is of the sentiment, 0 to 1; absent if the analyser didn't find this sentiment."),
  doubtful: z
    .boolean()
    .optional()
    .describe("true if this is praise that is not certain enough for an answer with thanks; otherwise absent."),
  unreadable: z
    .boolean()
    .optional()
    .describe("true if the analyser couldn't read the text, so nothing was found in it; otherwise absent."),
};

/** What the workflow returns besides the fields of every run's result. */
export const CustomerFeedbackOutput = z.object({
  action: z.enum(ACTIONS),
  sentiment: z.enum(SENTIMENTS),
  ...SENTIMENT_CERTAINTY,
  categories: z.array(z.enum(CATEGORIES)),
  feedback_uri: z.string(),
  reference: z
    .string()
    .optional()
    .describe("What to quote to people instead of the feedback's id; absent if the id itself can be quoted."),
  response_id: z.string().optional().describe("Message-ID of the email to the customer."),
  ticket_id: z.string().optional(),
  response_withheld: z.string().optional().describe("Why no email went out although one was due."),
  language: z.string().optional().describe("Language of the text."),
  analysis_fallback: z
    .string()
    .optional()
    .describe("Why an analyser other than the configured one judged the text; absent if the configured one did."),
});

export type CustomerFeedbackOutput = z.output<typeof CustomerFeedbackOutput>;

/** See `SENTIMENT_CERTAINTY`. */
export type SentimentCertainty = { sentiment_score?: number; doubtful?: boolean; unreadable?: boolean };

/** The fields of `SentimentCertainty` that an output has. */
export const certaintyOf = ({
  sentiment_score,
  doubtful,
  unreadable,
}: Partial<CustomerFeedbackOutput>): SentimentCertainty => withoutAbsent({ sentiment_score, doubtful, unreadable });

/**
 * Result of `CustomerFeedbackWorkflow.run`; the fields of the output are present if `success` is
 * true.
 */
export type CustomerFeedbackResult = RunResult &
  Partial<CustomerFeedbackOutput> & { feedback_id: string; customer_id: string };
