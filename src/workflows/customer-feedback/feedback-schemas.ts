/** What operators read about feedback, as schemas. */
import { z } from "zod";
import { CATEGORIES } from "../../analysis/categories.ts";
import { SENTIMENTS } from "../../analysis/sentiment-analyzer.ts";
import { dateTime, RunOrderSchema, RunStatusSchema } from "../../framework/run-schemas.ts";
import { tidyIdentifier } from "../../tidy-identifier.ts";
import { ACTIONS, SENTIMENT_CERTAINTY } from "./result.ts";

const time = z.iso.datetime().describe("ISO 8601, UTC.");

/** Which feedback to list; all given conditions must hold. */
export const FeedbackFilter = z.strictObject({
  search: z
    .string()
    .trim()
    .max(200)
    .optional()
    .describe("Only feedback with this in its id, customer id, ticket id, subject or text; case doesn't matter."),
  customer_id: z.string().overwrite(tidyIdentifier).max(200).optional().describe("Only feedback of this customer."),
  status: RunStatusSchema.optional().describe("Only feedback whose run has this status."),
  sentiment: z.enum(SENTIMENTS).optional().describe("Only feedback with this sentiment."),
  category: z.enum(CATEGORIES).optional().describe("Only feedback in this category."),
  action: z.enum(ACTIONS).optional().describe("Only feedback with this action."),
  since: dateTime.optional().describe("Only feedback submitted at this time or later, ISO 8601."),
  before: dateTime.optional().describe("Only feedback submitted before this time, ISO 8601."),
  order: RunOrderSchema.default("newest"),
  after: z.string().max(200).optional().describe("`next` of the previous page."),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe("How many to return at most."),
});
export type FeedbackFilter = z.output<typeof FeedbackFilter>;

const FeedbackItem = z.object({
  feedback_id: z.string(),
  customer_id: z.string(),
  customer_name: z.string().optional().describe("Absent if the graph has none."),
  workflow_id: z.string().describe("Id of the run."),
  status: RunStatusSchema,
  timestamp: time.describe("When it was submitted. ISO 8601, UTC."),
  subject: z.string(),
  excerpt: z.string().describe("The first 200 characters of the text."),
  action: z.enum(ACTIONS).optional(),
  sentiment: z.enum(SENTIMENTS).optional(),
  ...SENTIMENT_CERTAINTY,
  categories: z.array(z.enum(CATEGORIES)),
  ticket_id: z.string().optional(),
  response_id: z.string().optional(),
  response_withheld: z.string().optional(),
  error: z.string().optional().describe("Why the run failed, or what it keeps failing with."),
});
export type FeedbackItem = z.output<typeof FeedbackItem>;

/** A page of feedback. */
export const FeedbackPage = z.object({
  feedback: z.array(FeedbackItem),
  next: z.string().optional().describe("The value of `after` for the next page; absent on the last page."),
  searched_back_to: time
    .optional()
    .describe("Present if the search stopped before the page was full: continue with `next`."),
});
export type FeedbackPage = z.output<typeof FeedbackPage>;

const analyzer = z.object({ name: z.string(), version: z.string() });

const FeedbackMail = z.object({
  rendering: z.string().describe("Identifies exactly this email."),
  state: z
    .enum(["waiting", "approved", "sent", "edited", "rejected", "refused", "replaced", "withheld"])
    .describe(
      "`edited`: a person has replaced it with another version. `refused`: the mail server has refused it " +
        "permanently. `replaced`: another email is sent, or waits, instead. `withheld`: nothing is sent, because the " +
        "run was cancelled or the customer must not get it.",
    ),
  sender: z.string(),
  recipient: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  decision: z
    .object({
      decision: z.enum(["approve", "edit", "reject"]),
      by: z.string(),
      time,
      reason: z.string().optional(),
      sentiment: z.enum(SENTIMENTS).optional().describe("The right sentiment, as named by that person."),
      categories: z.array(z.enum(CATEGORIES)).optional().describe("The right categories, as named by that person."),
    })
    .optional(),
  revision_of: z.string().optional().describe("Rendering of the email that this one revises."),
  refusal: z.string().optional().describe("What the mail server said when it refused this email."),
});
export type FeedbackMail = z.output<typeof FeedbackMail>;

/** Everything that is known about one piece of feedback. */
export const FeedbackDetails = FeedbackItem.omit({ excerpt: true }).extend({
  text: z.string(),
  reference: z.string().describe("What the customer is asked to quote."),
  feedback_uri: z.string(),
  language: z.string().optional(),
  customer: z
    .object({
      name: z.string(),
      segment: z.string(),
      lifetime_value: z.number(),
      do_not_contact: z.boolean(),
    })
    .optional()
    .describe("The customer as the graph has them now; absent if the graph doesn't have them."),
  reasons: z
    .array(z.string())
    .describe("Why it was escalated, answered or neither, judged by today's rules and customer data."),
  stated: z
    .object({ sentiment: z.enum(SENTIMENTS).optional(), categories: z.array(z.enum(CATEGORIES)) })
    .describe("The labels it came with."),
  sentiment_analysis: z
    .object({
      score: z.number(),
      evidence: z.array(z.string()),
      doubts: z.array(z.string()).describe("Words that make praise less certain."),
      analyzer: analyzer.optional(),
    })
    .optional(),
  category_analysis: z
    .object({ score: z.number(), evidence: z.array(z.string()), analyzer: analyzer.optional() })
    .optional(),
  ticket: z.object({ ticket_id: z.string(), priority: z.string(), status: z.string() }).optional(),
  response_time: time.optional().describe("When the email went out. ISO 8601, UTC."),
  mails: z
    .array(FeedbackMail)
    .describe("Emails that a person has decided on or has to decide on. Without approval, emails are not stored."),
  replies: z.array(z.object({ text: z.string(), time })).describe("Answers that people have given elsewhere."),
  customer_replies: z
    .array(
      z.object({
        text: z.string(),
        time,
        processed_as: z
          .string()
          .optional()
          .describe("If it is a complaint: id of the feedback that it is processed as."),
      }),
    )
    .describe("What the customer has written back to our email."),
});
export type FeedbackDetails = z.output<typeof FeedbackDetails>;
