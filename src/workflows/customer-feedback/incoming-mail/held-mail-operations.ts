import { z } from "zod";
import { direct, type DirectOperation } from "../../../framework/operation.ts";
import type { CustomerFeedbackWorkflow } from "../customer-feedback-workflow.ts";
import { CustomerFeedbackWorkflowParameters } from "../parameters.ts";

const mail_id = z.string().trim().min(1).max(100).describe("Id of the held email.");

const Summary = z.object({
  mail_id: z.string(),
  reason: z.string().describe("Why a person has to look at it, as a code."),
  message: z.string().describe("The same reason, for people."),
  sender: z.string().optional().describe("The sender, as stated in the email."),
  subject: z.string(),
  received: z.iso.datetime(),
  attachments: z.number().describe("How many attachments it had; they are not stored."),
  reply_to: z.string().optional().describe("Id of the feedback that it answers, if known."),
});

const Shown = Summary.extend({
  status: z.enum(["open", "assigned", "dismissed"]),
  text: z.string(),
});

export type HeldMailSummary = z.output<typeof Summary>;
export type ShownHeldMail = z.output<typeof Shown>;

const { customer_id, subject, feedback_text, send_response } = CustomerFeedbackWorkflowParameters.shape;

/** What a person decides about a held email whose customer they know. */
export const HeldMailAssignment = z.strictObject({
  mail_id,
  customer_id,
  subject: subject.optional().describe("Replaces the email's own subject."),
  feedback_text: feedback_text
    .optional()
    .describe("Replaces the email's own text, for example if that is too long or empty."),
  send_response,
});

export type HeldMailAssignment = z.input<typeof HeldMailAssignment>;

/** An id for the examples. */
const HELD_MAIL = "4b6c8d3e5f708192a3b4c5d6e7f8091a";

const forPeople = { audience: "person", scope: "approve" } as const;

/**
 * The operations on held emails. They are only for people, because they show what strangers wrote,
 * and assigning an email creates feedback from it.
 */
export const heldMailOperations = (
  workflow: Pick<CustomerFeedbackWorkflow, "getHeldMails" | "getHeldMail" | "assignHeldMail" | "dismissHeldMail">,
): DirectOperation[] => [
  direct("list_held_mails", {
    description: "List the emails that wait for a person, oldest first.",
    ...forPeople,
    input: z.strictObject({
      limit: z.coerce.number().int().min(1).max(1000).default(100).describe("How many to return at most."),
    }),
    output: z.object({ mails: z.array(Summary), total: z.number().describe("How many emails wait in total.") }),
    example: { input: { limit: 20 } },
    run: ({ limit }) => workflow.getHeldMails(limit),
  }),
  direct("get_held_mail", {
    description: "Show an email that was held for a person.",
    ...forPeople,
    input: z.strictObject({ mail_id }),
    output: Shown,
    example: { input: { mail_id: HELD_MAIL } },
    run: ({ mail_id: id }) => workflow.getHeldMail(id),
  }),
  direct("assign_held_mail", {
    description: "Process a held email as this customer's feedback.",
    ...forPeople,
    writes: true,
    input: HeldMailAssignment,
    output: z.looseObject({ status: z.string() }),
    example: { input: { mail_id: HELD_MAIL, customer_id: "C-1001" } },
    run: (assignment) => workflow.assignHeldMail(assignment),
  }),
  direct("dismiss_held_mail", {
    description: "Close a held email without taking action. It stays in the knowledge graph.",
    ...forPeople,
    writes: true,
    input: z.strictObject({ mail_id }),
    output: Shown,
    example: { input: { mail_id: HELD_MAIL } },
    run: ({ mail_id: id }) => workflow.dismissHeldMail(id),
  }),
];
