import { z } from "zod";
import { CATEGORIES, inStableOrder } from "../../analysis/categories.ts";
import { SENTIMENTS } from "../../analysis/sentiment-analyzer.ts";
import { identifier } from "../../identifier.ts";

export const MAX_SUBJECT_LENGTH = 500;
export const MAX_TEXT_LENGTH = 20_000;

/**
 * Text that every store, email and log can hold: half a surrogate pair can't be encoded in UTF-8,
 * and PostgreSQL and RDF have no NUL.
 */
export const text = (): z.ZodString =>
  z
    .string()
    .refine((value) => value.isWellFormed(), "contains half of a Unicode surrogate pair; send well-formed text")
    .refine((value) => !value.includes("\0"), "contains the control character NUL; leave it out");

export const longText = (description: string): z.ZodString =>
  text()
    .trim()
    .min(1, "must not be empty")
    .max(MAX_TEXT_LENGTH, `must have at most ${MAX_TEXT_LENGTH} characters`)
    .describe(description);

const lowerCase = (value: unknown): unknown => (typeof value === "string" ? value.trim().toLowerCase() : value);

const mustBeOneOf = (values: readonly string[]): string => `must be one of ${values.join(", ")}`;

/** A sentiment in upper or lower case; an empty text or null means none. */
export const sentimentLabel = z.preprocess(
  (value) => lowerCase(value) || undefined,
  z.enum(SENTIMENTS, { error: mustBeOneOf(SENTIMENTS) }).optional(),
);

/** Known categories, given in upper or lower case and in any order; null means none. */
export const categoryLabels = z.preprocess(
  (value) => (Array.isArray(value) ? value.map(lowerCase) : (value ?? [])),
  z.array(z.enum(CATEGORIES, { error: mustBeOneOf(CATEGORIES) })).overwrite(inStableOrder),
);

/**
 * Parameters of the customer feedback workflow, however they are sent. Lengths are UTF-16 code
 * units.
 */
export const CustomerFeedbackWorkflowParameters = z.strictObject({
  feedback_id: identifier(
    "Unique identifier of the feedback, 1 to 200 characters. The same id is processed once, however often it is submitted. " +
      "Never invent one.",
  ),
  customer_id: identifier("ID of the customer who gave the feedback, 1 to 200 characters, exactly as it was given."),
  subject: text()
    .min(1, "must not be empty")
    .max(MAX_SUBJECT_LENGTH, `must have at most ${MAX_SUBJECT_LENGTH} characters`)
    .regex(/^[^\r\n]*$/, "must not contain line breaks")
    .describe("Subject of the customer's message or topic of the feedback, one line, 1 to 500 characters."),
  feedback_text: longText("The customer's own words, unchanged and whole, 1 to 20,000 characters."),
  sentiment: sentimentLabel
    .optional()
    .describe(
      "Sentiment, if someone has already judged it: positive, negative or neutral. Otherwise leave it out. The " +
        "text is always analyzed as well, and the stricter of the two sentiments is used: negative before neutral " +
        "before positive.",
    ),
  categories: categoryLabels
    .default([])
    .describe(
      "Categories, if someone has already sorted the feedback. Otherwise leave them out. The text is always " +
        "categorized as well, and critical categories found in it are added.",
    ),
  send_response: z
    .preprocess((value) => value ?? true, z.boolean({ error: "must be true or false" }))
    .default(true)
    .describe(
      "Whether the customer may get an automatic email. Default true; false means that no email of any kind is sent to the customer.",
    ),
});

/**
 * The parameters of a run: the one that identifies it, those from which a tool derives that one if
 * it is absent, and the schema of all.
 */
export const PROCESS_KEY = {
  key: "feedback_id",
  keyFrom: ["customer_id", "subject", "feedback_text"],
  input: CustomerFeedbackWorkflowParameters,
} as const;

export type CustomerFeedbackWorkflowParameters = z.output<typeof CustomerFeedbackWorkflowParameters>;

/** The input of a run: the parameters, and what else is stored with it. */
export type CustomerFeedbackInput = CustomerFeedbackWorkflowParameters & {
  /** If the feedback was an email: its Message-ID, to answer in its thread. */
  message_id?: string;
  /** If we have read that email ourselves: the digest of its content. */
  mail_digest?: string;
  /** If the feedback was an email that no automatic email may answer: the header that says so. */
  automatic_mail?: string;
  /**
   * Whether approval was on when the feedback was accepted. If so, its email needs approval
   * wherever the run is executed.
   */
  approval?: boolean;
  /**
   * True if a model chose the customer: then nothing that it wrote is repeated to that customer.
   */
  customer_from_model?: boolean;
};

/** Parameters of the two text tools. */
export const TextParameters = z.strictObject({ text: longText("The text to analyze, 1 to 20,000 characters.") });
