import type { RunContext } from "../../engine/engine.ts";
import type { Json } from "../../json.ts";
import { ConflictError } from "../../errors.ts";
import type { ResponseDecision } from "./approval.ts";
import type { Customers } from "./customers.ts";
import type { FeedbackGraph } from "./feedback-graph.ts";
import type { CustomerFeedbackInput } from "./parameters.ts";
import type { ResponseDrafts } from "./response-drafts.ts";
import { ResponseWithheld, type ResponseRequest, type Responses, type SentResponse } from "./responses.ts";
import type { CustomerFeedbackOutput } from "./result.ts";

/** A mail that is due. */
export type DueResponse = { feedback: CustomerFeedbackInput } & Pick<
  ResponseRequest,
  "categories" | "isPriority" | "kind"
>;

type ResponseOutput = Pick<CustomerFeedbackOutput, "response_id" | "response_withheld">;
type Withheld = { withheld: string };

interface Parts {
  responses: Responses;
  drafts: ResponseDrafts;
  customers: Customers;
  graph: FeedbackGraph;
  /** Whether a person has to agree also to mails of runs that were accepted where that was not asked for. */
  approval: boolean;
}

/** The mail to the customer as steps of a run. */
export class ResponseSteps {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Sends one mail as the named step, unless something or somebody speaks against it, and notes it in the graph.
   * @param output what the run knows so far, for those who have to agree
   */
  async respond(
    context: RunContext,
    name: "response_sent" | "acknowledgment_sent",
    due: DueResponse,
    output: Json,
  ): Promise<ResponseOutput> {
    const { step } = context;
    const feedbackId = due.feedback.feedback_id;
    const permission = await step.unlisted("response_permitted", () => this.#permission(due));
    if (typeof permission === "string") return { response_withheld: permission };
    try {
      const sent =
        permission === null
          ? await step(name, () => this.#send(due))
          : await this.#sendApproved(context, name, due, output);
      if ("withheld" in sent) return { response_withheld: sent.withheld };
      await step.unlisted("response_recorded", () =>
        this.#parts.graph.recordMail(feedbackId, sent.response_id, new Date(sent.sent_at)),
      );
      return { response_id: sent.response_id };
    } catch (error) {
      if (error instanceof ResponseWithheld) return { response_withheld: error.message };
      throw error;
    }
  }

  /**
   * Null where the mail may go out, the reason where it must not. A person has to agree where the process that accepted the feedback
   * said so, or this one does. That is kept with the run: it must not depend on how the process that goes on with it is set.
   */
  async #permission({ feedback }: DueResponse): Promise<string | null | { approval: true }> {
    const { responses, customers, approval } = this.#parts;
    const withheld = await responses.withheld(feedback.feedback_id, await customers.get(feedback.customer_id));
    return withheld ?? (approval || feedback.approval === true ? { approval: true } : null);
  }

  /** A mail that a person has stopped must not keep the next one from the customer. */
  async #withdrawPermission({ feedback }: DueResponse): Promise<void> {
    const { uri } = await this.#parts.customers.get(feedback.customer_id);
    await this.#parts.graph.withdrawPermission(feedback.feedback_id, uri);
  }

  async #send(due: DueResponse): Promise<SentResponse> {
    const request = await this.#request(due);
    return this.#parts.responses.send(this.#parts.responses.compose(request), request.customer);
  }

  /**
   * Drafts the mail, waits until a person agrees, and sends exactly what was agreed to. Where the customer's address is another
   * one by then, all of it begins anew.
   */
  async #sendApproved(
    { step, decision, runId }: RunContext,
    name: "response_sent" | "acknowledgment_sent",
    due: DueResponse,
    output: Json,
  ): Promise<SentResponse | Withheld> {
    /** The rendering with a person's own words, which a new draft keeps. */
    let written: string | undefined;
    for (let round = 1; ; round++) {
      const nth = (step: string): string => (round === 1 ? step : `${step}_${round}`);
      const draft = await step.unlisted(nth("response_drafted"), () => this.#draft(due, runId, written));
      if ("withheld" in draft) return draft;
      const { value, time } = await decision(draft.rendering, output);
      const decided = value as ResponseDecision;
      await step.unlisted(nth("decision_recorded"), () =>
        this.#parts.drafts.recordDecision(draft.rendering, decided, time),
      );
      if (decided.decision === "reject") {
        await step.unlisted("permission_withdrawn", () => this.#withdrawPermission(due));
        return { withheld: rejection(decided) };
      }
      const rendering = decided.decision === "edit" ? decided.rendering : draft.rendering;
      if (decided.decision === "edit" || written !== undefined) written = rendering;
      // A result, not an error: repeated after a crash, the run must take the same way.
      const isCurrent = await step.unlisted(nth("recipient_checked"), () => this.#isCurrent(due, rendering));
      if (isCurrent) return step(name, () => this.#sendDraft(due, rendering));
    }
  }

  async #draft(
    due: DueResponse,
    runId: string,
    written: string | undefined,
  ): Promise<{ rendering: string } | Withheld> {
    const { responses, drafts } = this.#parts;
    const request = await this.#request(due);
    const { feedbackId, customer } = request;
    const withheld = await responses.withheld(feedbackId, customer);
    if (withheld !== null) return { withheld };
    const composed = responses.compose(request);
    if (written === undefined) return { rendering: await drafts.store(feedbackId, composed, { runId }) };
    const message = { ...(await this.#stored(feedbackId, written)), to: composed.to };
    return { rendering: await drafts.store(feedbackId, message, { revisionOf: written }) };
  }

  /** Whether the mail is written to where the customer is reached now; for one who has objected that makes no difference. */
  async #isCurrent({ feedback }: DueResponse, rendering: string): Promise<boolean> {
    const { to } = await this.#stored(feedback.feedback_id, rendering);
    const { doNotContact, email } = await this.#parts.customers.get(feedback.customer_id);
    return doNotContact || email === to;
  }

  /** The address is looked at once more: between two attempts there can be hours. */
  async #sendDraft({ feedback }: DueResponse, rendering: string): Promise<SentResponse> {
    const message = await this.#stored(feedback.feedback_id, rendering);
    const customer = await this.#parts.customers.get(feedback.customer_id);
    if (customer.doNotContact || customer.email === message.to) return this.#parts.responses.send(message, customer);
    throw new ConflictError(
      "The customer's address has changed since a person agreed to the mail, which did not go out. Write to the customer yourself, or " +
        "put the address right and submit the feedback again.",
      { code: "address_changed" },
    );
  }

  async #stored(feedbackId: string, rendering: string) {
    const message = await this.#parts.drafts.find(feedbackId, rendering);
    if (message) return message;
    throw new ConflictError("The mail that was agreed to is not in the knowledge graph any more.", {
      code: "draft_changed",
    });
  }

  async #request({ feedback, ...mail }: DueResponse): Promise<ResponseRequest> {
    const { feedback_id: feedbackId, customer_id, subject, message_id: inReplyTo } = feedback;
    const customer = await this.#parts.customers.get(customer_id);
    return { feedbackId, subject, customer, ...mail, ...(inReplyTo === undefined ? {} : { inReplyTo }) };
  }
}

const rejection = ({ by, reason }: { by: string; reason?: string }): string =>
  `rejected by ${by}${reason === undefined ? "" : `: ${reason}`}`;
