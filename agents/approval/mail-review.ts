/**
 * The request for a person's decision on emails, and the answer, in LangChain's human-in-the-loop
 * shapes. LangChain.js names their fields in camelCase; its Python edition and Agent Chat UI use
 * snake_case. A request has every field under both names, also in nested objects: LangGraph's SDK
 * replaces a snake_case list with the camelCase one, whose entries therefore need the snake_case
 * names too. An answer may use either.
 */
import type { ActionRequest, HITLRequest, ReviewConfig } from "langchain";
import { z } from "zod";
import { ConflictError } from "../../src/errors.ts";
import { withoutAbsent } from "../../src/json.ts";
import type { CustomerFeedbackWorkflow } from "../../src/workflows/customer-feedback/customer-feedback-workflow.ts";
import type { PendingResponse } from "../../src/workflows/customer-feedback/responses/approval.ts";

/**
 * The name of the action that a person decides on. No tool has this name, so a model can't call it.
 */
export const SEND_MAIL = "send_mail_to_customer";

/** An email as it is stored with a conversation. */
export type ShownMail = Omit<PendingResponse, "html">;

/** An email as people see it: without its digest, which every decision has to name. */
export type ReviewedMail = Omit<ShownMail, "rendering">;

/** An email to decide on. An edit may change `subject` and `text` in `args`. */
export interface MailAction extends ActionRequest {
  mail: ReviewedMail;
  /** Present if the email no longer waits, so that there is nothing to decide. */
  decided?: true;
  /** Why it is shown again, if it is. */
  note?: string;
}

interface MailReviewConfig extends ReviewConfig {
  action_name: string;
  allowed_decisions: string[];
  args_schema?: object;
}

/** The value of the interrupt: one action for each email that waits. */
export interface MailReviewRequest extends HITLRequest {
  actionRequests: MailAction[];
  reviewConfigs: MailReviewConfig[];
  action_requests: MailAction[];
  review_configs: MailReviewConfig[];
}

/**
 * A person's decision on one email. `edit` replaces the text and, if given, the subject. `null`
 * means not now, or decided elsewhere: the agent then checks the current state.
 */
export type MailDecision =
  | { type: "approve" }
  | { type: "edit"; text: string; subject?: string }
  | { type: "reject"; message?: string }
  | null;

const ARGS_SCHEMA = {
  type: "object",
  properties: {
    recipient: { type: "string", description: "Stays as it is." },
    subject: { type: "string" },
    text: { type: "string" },
  },
  required: ["text"],
  additionalProperties: false,
};

/** @param notes why an email is shown again, by its workflow id */
export function reviewRequest(mails: readonly ShownMail[], notes: Readonly<Record<string, string>>): MailReviewRequest {
  const actions = mails.map(({ rendering: _rendering, ...mail }): MailAction => ({
    name: SEND_MAIL,
    args: isHarmlessMarkdown(mail) ? { recipient: mail.recipient, subject: mail.subject, text: mail.text } : {},
    description: describe(mail, notes[mail.workflow_id]),
    mail,
    ...(notes[mail.workflow_id] !== undefined && { note: notes[mail.workflow_id]! }),
  }));
  // LangChain has one configuration for all actions with the same name. So if one email can't be
  // edited here, none can.
  const editable = actions.every(({ args }) => "text" in args);
  const allowed = (["approve", "edit", "reject"] as const).filter((one) => one !== "edit" || editable);
  const config: MailReviewConfig = {
    actionName: SEND_MAIL,
    allowedDecisions: allowed,
    action_name: SEND_MAIL,
    allowed_decisions: allowed,
    ...(editable && { argsSchema: ARGS_SCHEMA, args_schema: ARGS_SCHEMA }),
  };
  const configs = actions.map(() => config);
  return { actionRequests: actions, reviewConfigs: configs, action_requests: actions, review_configs: configs };
}

/** The text of an answer with this request, in place of the model's words. */
export function waitingText({ actionRequests: actions }: MailReviewRequest): string {
  // A service shows no email that someone has decided on in the meantime.
  if (actions.length === 0) return "A person has decided on every email in the meantime.";
  const mails = actions.map(({ mail }) => `the email for feedback ${mail.feedback_id} to customer ${mail.customer_id}`);
  return `Waiting for a person's decision: ${mails.join(", ")}.`;
}

/**
 * Whether the email contains no image, link or tag. Clients render `args` as Markdown, which loads
 * images from any address that its author names.
 */
const isHarmlessMarkdown = ({ recipient, subject, text }: ReviewedMail): boolean =>
  !/!\[|\]\(|\]\s*:|\]\s*\[|<\s*[a-z!/?]/iu.test(`${recipient}\n${subject}\n${text}`);

/**
 * The description of an action, which clients render as Markdown. Text from others is put into a
 * code block that the text can't end.
 */
function describe({ feedback_id, customer_id, ...mail }: ReviewedMail, note: string | undefined): string {
  const lines = [
    `feedback  ${oneLine(feedback_id)}`,
    `customer  ${oneLine(customer_id)}`,
    `judged    ${[mail.sentiment, ...certaintyWords(mail), ...mail.categories].join(", ")}`,
    `from      ${oneLine(mail.sender)}`,
    `to        ${oneLine(mail.recipient)}`,
    `subject   ${oneLine(mail.subject)}`,
    ...(mail.refusal === undefined ? [] : [`refused   ${oneLine(mail.refusal)}`]),
    "",
    mail.text.trimEnd(),
    // The customer's text comes last, with a mark on every line, so it can't look like a part of
    // the email.
    "",
    "The customer wrote:",
    mail.feedback_text.trimEnd().replaceAll(/^/gmu, "> "),
  ].join("\n");
  const longest = Math.max(2, ...(lines.match(/`+/gu) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${note === undefined ? "" : `**${note}**\n\n`}This email waits for your decision.\n\n${fence}text\n${lines}\n${fence}`;
}

const certaintyWords = ({ doubtful, unreadable }: Pick<ReviewedMail, "doubtful" | "unreadable">): string[] => [
  ...(doubtful === true ? ["doubtful"] : []),
  ...(unreadable === true ? ["not read"] : []),
];

const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");

type Waiting = Pick<CustomerFeedbackWorkflow, "getPendingResponse">;

/** The same request, in which the emails that no longer wait are marked. */
export async function withDecided(review: MailReviewRequest, workflow: Waiting): Promise<MailReviewRequest> {
  const actions = await Promise.all(
    review.actionRequests.map(async (action): Promise<MailAction> =>
      (await waits(action.mail.workflow_id, workflow)) ? action : { ...action, decided: true },
    ),
  );
  return { ...review, actionRequests: actions, action_requests: actions };
}

async function waits(id: string, workflow: Waiting): Promise<boolean> {
  try {
    return (await workflow.getPendingResponse(id)) !== undefined;
  } catch (error) {
    // The email was changed in the graph. It still waits, because it can be rejected.
    if (error instanceof ConflictError && error.code === "draft_changed") return true;
    throw error;
  }
}

/** Whether the value of an interrupt is a `MailReviewRequest`. */
export const isMailReview = (value: unknown): value is MailReviewRequest =>
  typeof value === "object" &&
  value !== null &&
  "actionRequests" in value &&
  Array.isArray(value.actionRequests) &&
  value.actionRequests.length > 0 &&
  (value.actionRequests as Partial<MailAction>[]).every(({ name, mail }) => name === SEND_MAIL && mail !== undefined);

const Edited = z.object({
  name: z.literal(SEND_MAIL),
  args: z.strictObject({ recipient: z.string().optional(), subject: z.string().optional(), text: z.string() }),
});

const WireDecision = z.union([
  z.null(),
  z.object({ type: z.literal("approve") }),
  z.object({ type: z.literal("reject"), message: z.string().nullish() }),
  z
    .object({ type: z.literal("edit"), editedAction: Edited.optional(), edited_action: Edited.optional() })
    .transform(({ editedAction, edited_action }) => editedAction ?? edited_action)
    .pipe(Edited)
    .transform(({ args }) => ({ type: "edit" as const, ...args })),
]);

const Response = z.object({ decisions: z.array(WireDecision) });

/**
 * Reads the decisions on these emails from an answer. An empty list decides on none of them.
 * Undefined if the answer can't be understood, has a different number of decisions, or would change
 * a recipient: then nothing in it counts, because it might be about other emails.
 */
export function readDecisions(response: unknown, mails: readonly ReviewedMail[]): MailDecision[] | undefined {
  const read = Response.safeParse(response);
  if (!read.success) return undefined;
  const { decisions } = read.data;
  if (decisions.length === 0) return mails.map(() => null);
  if (decisions.length !== mails.length) return undefined;
  const fits = decisions.every(
    (decision, index) =>
      decision?.type !== "edit" || (decision.recipient ?? mails[index]!.recipient) === mails[index]!.recipient,
  );
  return fits ? decisions.map(toDecision) : undefined;
}

function toDecision(decision: z.output<typeof WireDecision>): MailDecision {
  if (decision === null || decision.type === "approve") return decision;
  if (decision.type === "reject") return { type: "reject", ...(decision.message && { message: decision.message }) };
  const { text, subject } = decision;
  return { type: "edit", text, ...withoutAbsent({ subject }) };
}

/** Decisions in LangChain's shape. */
export const toResponse = (decisions: readonly MailDecision[]): object => ({
  decisions: decisions.map((decision) => {
    if (decision?.type !== "edit") return decision;
    const { type, ...args } = decision;
    return { type, editedAction: { name: SEND_MAIL, args } };
  }),
});
