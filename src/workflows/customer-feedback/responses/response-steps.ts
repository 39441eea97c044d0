import type { RunContext, StepOptions } from "../../../engine/engine.ts";
import { withoutAbsent, type Json } from "../../../json.ts";
import type { MailMessage } from "../../../integrations/email/mail-transport.ts";
import { ConflictError, isAbiError, ValidationError, type AbiError } from "../../../errors.ts";
import { oneLine } from "../../../integrations/email/reply-subject.ts";
import { describeCause } from "../../../log.ts";
import { MAIL_RETRY_BUDGET } from "../../../retry-policies.ts";
import type { ResponseDecision } from "./approval.ts";
import type { Customer, Customers } from "../customers.ts";
import type { FeedbackGraph } from "../feedback-graph.ts";
import type { CustomerFeedbackInput } from "../parameters.ts";
import { answeredSubject, shownId, shownReference } from "../reflection.ts";
import { draftChanged, type Draft, type ResponseDrafts } from "./response-drafts.ts";
import {
  isResponseWithheld,
  responseWithheld,
  countWithheld,
  type ResponseRequest,
  type Responses,
  type SentResponse,
} from "./responses.ts";
import type { CustomerFeedbackOutput } from "../result.ts";

/** An email that is due. */
export type DueResponse = { feedback: CustomerFeedbackInput } & Pick<
  ResponseRequest,
  "categories" | "isPriority" | "kind" | "messageId"
>;

type ResponseOutput = Pick<CustomerFeedbackOutput, "response_id" | "response_withheld">;
type Withheld = { withheld: string };
/** The steps that send an email. They complete only if it was sent. */
export const MAIL_STEPS = ["response_sent", "acknowledgment_sent"] as const;
type MailStep = (typeof MAIL_STEPS)[number];

/**
 * Whether a step sends the email or prepares it. If one of these steps keeps failing, callers are
 * told that the email is retried.
 */
export const isMailStep = (step: string): boolean =>
  MAIL_STEPS.some((name) => name === step) || /^(?:response_permitted|response_drafted|draft_checked)/.test(step);

/**
 * The state of an approved email before it is sent: ready, to an address that is no longer the
 * customer's, refused by the mail server, or already replaced by another one.
 */
type Standing = "current" | "outdated" | "refused" | "superseded";

interface Parts {
  responses: Responses;
  drafts: ResponseDrafts;
  customers: Customers;
  graph: FeedbackGraph;
  /**
   * Whether a person has to approve all emails, even those of runs that were accepted without
   * approval.
   */
  approval: boolean;
  /** How long an email is retried; see `CustomerFeedbackWorkflowConfiguration`. */
  retryForMs: number;
}

/** Sends the email to the customer in steps of a run. */
export class ResponseSteps {
  readonly #parts: Parts;
  /**
   * For the steps that send an email, and for those that read the customer again before that,
   * because the customer source may be unavailable too.
   */
  readonly #patience: StepOptions;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#patience = { retryBudget: { ...MAIL_RETRY_BUDGET, forMs: parts.retryForMs } };
  }

  /**
   * Sends one email as the named step, unless a rule or a person forbids it, and records it in the
   * graph.
   * @param output what the run knows so far, for the people who approve
   */
  async respond(context: RunContext, name: MailStep, due: DueResponse, output: Json): Promise<ResponseOutput> {
    const { step } = context;
    // Eager, because the permission doesn't depend on the results that may not be stored yet.
    const permission = await step.unlisted("response_permitted", () => this.#permission(due), {
      ...this.#patience,
      eager: true,
    });
    if (typeof permission === "string") return { response_withheld: permission };
    const sent = await (
      permission === null
        ? step(name, () => this.#send(context, due), this.#patience)
        : this.#sendApproved(context, name, due, output)
    ).catch(withheldBy);
    if ("withheld" in sent) {
      await step.unlisted(anew("permission_withdrawn", context), () => this.#withhold(due));
      return { response_withheld: sent.withheld };
    }
    const record = () =>
      this.#parts.graph.record(due.feedback.feedback_id, {
        responseSent: true,
        responseId: sent.response_id,
        responseTime: new Date(sent.sent_at),
      });
    await step.unlisted("response_recorded", record, { flush: false });
    return { response_id: sent.response_id };
  }

  /**
   * Null if the email may be sent, `{ approval: true }` if a person has to approve it first,
   * otherwise the reason why it must not be sent. It needs approval if that is on in this process,
   * or was on in the one that accepted the feedback. The answer is stored with the run, so it
   * doesn't depend on the settings of a process that continues the run.
   */
  async #permission({ feedback }: DueResponse): Promise<string | null | { approval: true }> {
    const { responses, customers, approval } = this.#parts;
    if (feedback.automatic_mail !== undefined) {
      const header = feedback.automatic_mail;
      return countWithheld(
        "automatic_mail",
        `no automatic email answers one that was sent automatically (its header ${header})`,
      );
    }
    const withheld = await responses.withheld(feedback.feedback_id, await customers.refreshed(feedback.customer_id));
    return withheld ?? (approval || feedback.approval === true ? { approval: true } : null);
  }

  /** Records that the email is not sent after all, and stops counting it toward the limit. */
  async #withhold({ feedback }: DueResponse): Promise<void> {
    const { graph, customers } = this.#parts;
    await graph.record(feedback.feedback_id, { responseWithheld: true });
    const { uri } = await customers.get(feedback.customer_id);
    await graph.withdrawPermission(feedback.feedback_id, uri);
  }

  async #send(context: RunContext, due: DueResponse): Promise<SentResponse> {
    const request = this.#request(due, await this.#parts.customers.current(due.feedback.customer_id));
    return this.#sendPermitted(context, due, this.#parts.responses.compose(request), request.customer);
  }

  /**
   * A resumed run may have returned its place under the limit. It then takes a new one; otherwise
   * it keeps the one that it has.
   */
  async #sendPermitted(
    { resumedAt }: RunContext,
    { feedback }: DueResponse,
    message: MailMessage,
    customer: Customer,
  ): Promise<SentResponse> {
    const { responses } = this.#parts;
    const withheld = resumedAt === undefined ? null : await responses.withheld(feedback.feedback_id, customer);
    if (withheld !== null) throw responseWithheld(withheld);
    return responses.send(message, customer);
  }

  /**
   * Drafts the email, waits until a person approves it, and sends exactly the approved email. If
   * the customer's address has changed by then, everything starts over. The same happens if a run
   * has failed because the mail server refused the email permanently, or because the address
   * changed between attempts, and is then resumed. The run never returns to an earlier round, so
   * later decisions stay valid.
   */
  async #sendApproved(
    context: RunContext,
    name: MailStep,
    due: DueResponse,
    output: Json,
  ): Promise<SentResponse | Withheld> {
    const { step, decision, runId } = context;
    /** The rendering with a person's own text, which a new draft keeps. */
    let written: string | undefined;
    /** The rendering that the next draft replaces because the mail server has refused it. */
    let refused: string | undefined;
    for (let round = 1; ; round++) {
      const nth = (step: string, n = round): string => (n === 1 ? step : `${step}_${n}`);
      const draft = await step.unlisted(
        nth("response_drafted"),
        () => this.#draft(due, { runId, written, refused }),
        this.#patience,
      );
      if ("withheld" in draft) return draft;
      const { value, time } = await decision(draft.rendering, output);
      const decided = value as ResponseDecision;
      await step.unlisted(nth("decision_recorded"), async () => {
        await this.#parts.drafts.recordDecision(draft.rendering, decided, time);
        if (decided.decision === "reject") countWithheld("rejected", rejection(decided));
      });
      if (decided.decision === "reject") return { withheld: rejection(decided) };
      const rendering = decided.decision === "edit" ? decided.rendering : draft.rendering;
      if (decided.decision === "edit" || written !== undefined) written = rendering;
      // The step returns a result even if the email can't be sent: if the run is repeated after a
      // crash, it must take the same path. If it is resumed, the step has another name, so the run
      // may take another path.
      const check = anew(nth("draft_checked"), context);
      const next = nth("response_drafted", round + 1);
      const standing = await step.unlisted(
        check,
        () => this.#standing(context, { name, next }, due, rendering),
        this.#patience,
      );
      if (standing === "current") {
        return step(name, () => this.#sendDraft(context, name, due, rendering), this.#patience);
      }
      refused = standing === "refused" ? rendering : undefined;
    }
  }

  async #draft(
    due: DueResponse,
    { runId, written, refused }: { runId: string; written: string | undefined; refused: string | undefined },
  ): Promise<{ rendering: string } | Withheld> {
    const { responses, drafts } = this.#parts;
    const request = this.#request(due, await this.#parts.customers.refreshed(due.feedback.customer_id));
    const { feedbackId, customer } = request;
    const withheld = await responses.withheld(feedbackId, customer);
    if (withheld !== null) return { withheld };
    const composed = responses.compose(request);
    const replaced = refused === undefined ? {} : { refused: { rendering: refused } };
    if (written === undefined) {
      return { rendering: await drafts.store(feedbackId, { message: composed, ...replaced }, { runId }) };
    }
    const message = { ...(await this.#stored(feedbackId, written)).message, to: composed.to };
    return { rendering: await drafts.store(feedbackId, { message, ...replaced }, { revisionOf: written }) };
  }

  /**
   * The state of an approved email. If the customer has objected, the address makes no difference.
   * A sent email counts as sent even if the address has changed since, or if an earlier version of
   * this package, without this step, sent it.
   * @param steps `name`: the step that sends the email. `next`: the one that drafts its replacement
   */
  async #standing(
    { history }: RunContext,
    steps: { name: MailStep; next: string },
    { feedback }: DueResponse,
    rendering: string,
  ): Promise<Standing> {
    const { drafts, customers } = this.#parts;
    const attempts = await history();
    const isCompleted = (wanted: string): boolean =>
      attempts.some(({ step, status }) => step === wanted && status === "completed");
    if (isCompleted(steps.next)) return "superseded";
    if (isCompleted(steps.name)) return "current";
    if (await drafts.isRefused(rendering)) return "refused";
    const { message } = await this.#stored(feedback.feedback_id, rendering);
    const { isGone, doNotContact, email } = await customers.refreshed(feedback.customer_id);
    return isGone || doNotContact || email === message.to ? "current" : "outdated";
  }

  /** Checks the address again, because hours may pass between two attempts. */
  async #sendDraft(context: RunContext, name: MailStep, due: DueResponse, rendering: string): Promise<SentResponse> {
    const { feedback } = due;
    const { message } = await this.#stored(feedback.feedback_id, rendering);
    const customer = await this.#parts.customers.current(feedback.customer_id);
    if (!customer.isGone && !customer.doNotContact && customer.email !== message.to) {
      throw new ConflictError(
        `The customer's address has changed since a person agreed to the email. Nothing is sent to the old one any more. ${MAY_HAVE_GONE} ${ASK_AGAIN}`,
        { code: "address_changed" },
      );
    }
    try {
      return await this.#sendPermitted(context, due, message, customer);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.#parts.drafts.recordRefusal(rendering, serverWords(error));
      const { code, cause } = error;
      const isFirst = (await context.history()).filter(({ step }) => step === name).length === 1;
      throw new ValidationError(`${error.message} ${isFirst ? "" : `${MAY_HAVE_GONE} `}${ASK_AGAIN}`, { code, cause });
    }
  }

  async #stored(feedbackId: string, rendering: string): Promise<Draft> {
    const draft = await this.#parts.drafts.find(feedbackId, rendering);
    if (draft) return draft;
    throw draftChanged(rendering);
  }

  #request({ feedback, ...mail }: DueResponse, customer: Customer): ResponseRequest {
    const { feedback_id: feedbackId, message_id: inReplyTo } = feedback;
    const shown = {
      subject: answeredSubject(feedback),
      shownId: shownId(feedback),
      reference: shownReference(feedback),
    };
    return { feedbackId, ...shown, customer, ...mail, ...withoutAbsent({ inReplyTo }) };
  }
}

/** If the server's answer is lost, nobody knows whether it has accepted the email. */
const MAY_HAVE_GONE = "If an earlier attempt ended without an answer, the email may have gone out.";

const ASK_AGAIN =
  "Retry the run, or submit the feedback again: the email, to the customer's current address, then waits for a person again.";

const rejection = ({ by, reason }: { by: string; reason?: string }): string =>
  `rejected by ${by}${reason === undefined ? "" : `: ${reason}`}`;

/** The name of a step that is repeated whenever the run is resumed. */
const anew = (step: string, { resumedAt }: RunContext): string =>
  resumedAt === undefined ? step : `${step}_${resumedAt.getTime()}`;

function withheldBy(error: unknown): Withheld {
  if (isResponseWithheld(error)) return { withheld: error.message };
  throw error;
}

const isRefusal = (error: unknown): error is AbiError => isAbiError(error) && error.code === "mail_rejected";

/** What the mail server said, on one line and without addresses. */
const serverWords = ({ cause, message }: AbiError): string => oneLine(describeCause(cause)?.message ?? message);
