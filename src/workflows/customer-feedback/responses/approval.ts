import { z } from "zod";
import { CATEGORIES, type Category } from "../../../analysis/categories.ts";
import { SENTIMENTS, type Sentiment } from "../../../analysis/sentiment-analyzer.ts";
import { identifier } from "../../../identifier.ts";
import { isVisible } from "../../../visible-text.ts";
import { SENTIMENT_CERTAINTY, type SentimentCertainty } from "../result.ts";
import { categoryLabels, CustomerFeedbackWorkflowParameters, longText, sentimentLabel, text } from "../parameters.ts";

/** Identifies exactly one email: see `renderingOf`. */
const rendering = z
  .string()
  .trim()
  .regex(/^[0-9a-f]{64}$/, "must be the 64 hexadecimal digits shown with the email")
  .describe("The rendering of the email that you have seen.");

const MAX_REASON_LENGTH = 500;

/** The name identifies a person in the graph, so two names that look the same must be the same. */
const by = identifier("Name of the person who decides, 1 to 200 characters.");

/**
 * One line that people read unchanged, in results and in the graph. So nothing in it breaks the
 * line or changes the reading direction. Other invisible characters are allowed, because they may
 * be part of a script or an emoji.
 */
const reason = text()
  .trim()
  .refine(isVisible, "must not be empty")
  .max(MAX_REASON_LENGTH, `must have at most ${MAX_REASON_LENGTH} characters`)
  .regex(
    /^[^\p{Cc}\p{Bidi_Control}\u2028\u2029]*$/u,
    "must be one line without control characters and direction marks",
  );

/**
 * The right labels of the feedback, as named by the person who decides on its email. They don't
 * change what was done: see `docs/approval.md`.
 */
const labels = {
  sentiment: sentimentLabel
    .optional()
    .describe("The right sentiment of the feedback: positive, negative or neutral. Optional."),
  categories: categoryLabels
    .refine((categories) => categories.length > 0, 'must name at least one; if none fits, use "general"')
    .refine(
      (categories) => categories.length === 1 || !categories.includes("general"),
      '"general" means that no other category fits: leave it out, or leave the others out',
    )
    .optional()
    .describe("All the right categories of the feedback. Optional."),
};

/** The email is sent as it is. */
export const ResponseApproval = z.strictObject({ rendering, by, ...labels });
export type ResponseApproval = z.input<typeof ResponseApproval>;

/** The email is sent with this text instead of its own. Writing the text approves it. */
export const ResponseEdit = z.strictObject({
  rendering,
  by,
  subject: CustomerFeedbackWorkflowParameters.shape.subject
    .optional()
    .describe("The email's subject; default: unchanged."),
  text: longText("The email's text, 1 to 20,000 characters."),
  ...labels,
});
export type ResponseEdit = z.input<typeof ResponseEdit>;

/** No email goes out. */
export const ResponseRejection = z.strictObject({
  rendering,
  by,
  reason: reason.optional().describe("Why the email is rejected, one line; stored in the result."),
  ...labels,
});
export type ResponseRejection = z.input<typeof ResponseRejection>;

const workflow_id = z.string().trim().min(1).max(200).describe("Id of the run: workflow-…");

/** Input of the approval queue's operations: the run, and the decision. */
export const PendingParameters = z.strictObject({ workflow_id });
export const ApprovalParameters = ResponseApproval.extend({ workflow_id });
export const EditParameters = ResponseEdit.extend({ workflow_id });
export const RejectionParameters = ResponseRejection.extend({ workflow_id });

const mail = {
  workflow_id: z.string(),
  feedback_id: z.string(),
  rendering: z.string().describe("Identifies exactly this email; every decision names it."),
};

/** See `PendingResponse`. */
export const PendingOutput = z.object({
  ...mail,
  customer_id: z.string(),
  feedback_text: z.string().describe("What the customer wrote."),
  sentiment: z.enum(SENTIMENTS).describe("The sentiment that the workflow used."),
  ...SENTIMENT_CERTAINTY,
  categories: z.array(z.enum(CATEGORIES)).describe("The categories that the workflow used."),
  sender: z.string(),
  recipient: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  refusal: z.string().optional().describe("What the mail server said about the refused email that this one replaces."),
});

/** See `DecidedResponse`. */
export const DecidedOutput = z.object({
  ...mail,
  decision: z.enum(["approve", "edit", "reject"]),
  by: z.string(),
  decided_at: z.iso.datetime(),
  edited_rendering: z.string().optional().describe("For an edit: the rendering of the email that goes out."),
  sentiment: z.enum(SENTIMENTS).optional().describe("The right sentiment, if the person named it."),
  categories: z.array(z.enum(CATEGORIES)).optional().describe("The right categories, if the person named them."),
});

/** Labels that a person gives to the feedback while deciding on its email. */
export type ReviewedLabels = {
  sentiment?: Sentiment;
  /** All categories that fit, in stable order. */
  categories?: Category[];
};

/**
 * A decision as it is stored with the run. The text of an edit is in the graph, under the rendering
 * that the decision names.
 */
export type ResponseDecision = (
  | { decision: "approve"; by: string }
  | { decision: "edit"; by: string; rendering: string }
  | { decision: "reject"; by: string; reason?: string }
) &
  ReviewedLabels;

/** An email that waits for a person. */
export interface PendingResponse extends SentimentCertainty {
  workflow_id: string;
  feedback_id: string;
  customer_id: string;
  /** What the customer wrote. */
  feedback_text: string;
  /** The labels that the workflow used. */
  sentiment: Sentiment;
  categories: Category[];
  /** Identifies exactly this email; every decision names it. */
  rendering: string;
  sender: string;
  recipient: string;
  subject: string;
  text: string;
  html: string;
  /** What the mail server said when it permanently refused the email that this one replaces. */
  refusal?: string;
}

/** The decision that counts: of two decisions on one email, the first. */
export interface DecidedResponse {
  workflow_id: string;
  feedback_id: string;
  /** The email that was decided on. */
  rendering: string;
  decision: ResponseDecision["decision"];
  by: string;
  /** ISO 8601, UTC. */
  decided_at: string;
  /** For an edit: the rendering that is sent. */
  edited_rendering?: string;
  /** The right labels of the feedback, if the person named them. */
  sentiment?: Sentiment;
  categories?: Category[];
}
