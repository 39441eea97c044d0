import type { Decision, Run } from "../../engine/engine.ts";
import { ConflictError } from "../../errors.ts";
import type { EmailIntegration } from "../../integrations/email/email-integration.ts";
import type { MailMessage } from "../../integrations/email/mail-transport.ts";
import { parse } from "../../workflow/validation.ts";
import {
  ResponseApproval,
  ResponseEdit,
  ResponseRejection,
  type DecidedResponse,
  type PendingResponse,
  type ResponseDecision,
} from "./approval.ts";
import type { CustomerFeedbackInput } from "./parameters.ts";
import type { ResponseDrafts } from "./response-drafts.ts";

interface Parts {
  drafts: ResponseDrafts;
  email: EmailIntegration;
  run(workflowId: string): Promise<Run>;
  decide(workflowId: string, rendering: string, decision: ResponseDecision): Promise<Decision>;
}

/** What people decide on the mails that wait for them. */
export class ResponseApprovals {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async pending(workflowId: string): Promise<PendingResponse | undefined> {
    const { key: feedback_id, input, waitingFor } = await this.#parts.run(workflowId);
    const message = waitingFor && (await this.#parts.drafts.find(feedback_id, waitingFor.subject));
    if (!message) return undefined;
    const { from: sender, to: recipient, subject, text, html } = message;
    const { customer_id } = input as CustomerFeedbackInput;
    const identity = { workflow_id: workflowId, feedback_id, customer_id, rendering: waitingFor.subject };
    return { ...identity, sender, recipient, subject, text, html };
  }

  async approve(workflowId: string, approval: ResponseApproval): Promise<DecidedResponse> {
    const { rendering, by } = parse(ResponseApproval, approval);
    const { feedbackId } = await this.#drafted(workflowId, rendering);
    return this.#decide(workflowId, feedbackId, rendering, { decision: "approve", by });
  }

  async edit(workflowId: string, edit: ResponseEdit): Promise<DecidedResponse> {
    const { rendering, by, subject, text } = parse(ResponseEdit, edit);
    const { feedbackId, message } = await this.#drafted(workflowId, rendering);
    const rewritten = this.#parts.email.rewrite(message, { text, ...(subject === undefined ? {} : { subject }) });
    // In the graph before it is decided on: the decision names it, and the run sends it.
    const edited = await this.#parts.drafts.store(feedbackId, rewritten, { revisionOf: rendering });
    return this.#decide(workflowId, feedbackId, rendering, { decision: "edit", by, rendering: edited });
  }

  async reject(workflowId: string, rejection: ResponseRejection): Promise<DecidedResponse> {
    const { rendering, by, reason } = parse(ResponseRejection, rejection);
    const { feedbackId } = await this.#drafted(workflowId, rendering);
    const why = reason === undefined ? {} : { reason };
    return this.#decide(workflowId, feedbackId, rendering, { decision: "reject", by, ...why });
  }

  /** A mail that was drafted for a run, be it still the one that waits or not. */
  async #drafted(workflowId: string, rendering: string): Promise<{ feedbackId: string; message: MailMessage }> {
    const { key: feedbackId } = await this.#parts.run(workflowId);
    const message = await this.#parts.drafts.find(feedbackId, rendering);
    if (message) return { feedbackId, message };
    throw new ConflictError("There is no such mail for this feedback. Look at the one that waits, then decide.", {
      code: "decision_outdated",
    });
  }

  async #decide(
    workflowId: string,
    feedbackId: string,
    rendering: string,
    decided: ResponseDecision,
  ): Promise<DecidedResponse> {
    const { time } = await this.#parts.decide(workflowId, rendering, decided);
    const { decision, by } = decided;
    return {
      workflow_id: workflowId,
      feedback_id: feedbackId,
      rendering,
      decision,
      by,
      decided_at: time.toISOString(),
      ...(decision === "edit" ? { edited_rendering: decided.rendering } : {}),
    };
  }
}
