import type { Decision, Run } from "../../../engine/engine.ts";
import { ConflictError } from "../../../errors.ts";
import { withoutAbsent } from "../../../json.ts";
import type { EmailIntegration } from "../../../integrations/email/email-integration.ts";
import { parse } from "../../../framework/validation.ts";
import {
  ResponseApproval,
  ResponseEdit,
  ResponseRejection,
  type DecidedResponse,
  type PendingResponse,
  type ResponseDecision,
} from "./approval.ts";
import type { CustomerFeedbackInput } from "../parameters.ts";
import { certaintyOf, type CustomerFeedbackOutput } from "../result.ts";
import { draftChanged, renderingOf, type Draft, type ResponseDrafts } from "./response-drafts.ts";

interface Parts {
  drafts: ResponseDrafts;
  email: EmailIntegration;
  run(workflowId: string): Promise<Run>;
  decide(workflowId: string, rendering: string, decision: ResponseDecision): Promise<Decision>;
  /** See `WorkflowEngine.standingDecision`. */
  standing(workflowId: string, rendering: string, decision: ResponseDecision): Promise<Decision | undefined>;
}

/** People's decisions on the emails that wait for them. */
export class ResponseApprovals {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async pending(workflowId: string): Promise<PendingResponse | undefined> {
    const run = await this.#parts.run(workflowId);
    if (!run.waitingFor) return undefined;
    const { key: feedback_id, waitingFor } = run;
    const rendering = waitingFor.subject;
    const { message, refused } = await this.#draft(run, rendering);
    const { from: sender, to: recipient, subject, text, html } = message;
    const { customer_id, feedback_text } = run.input as CustomerFeedbackInput;
    const output = waitingFor.output as CustomerFeedbackOutput;
    const { sentiment, categories } = output;
    const judged = { feedback_text, sentiment, ...certaintyOf(output), categories };
    const mail = { rendering, sender, recipient, subject, text, html };
    const refusal = refused && { refusal: refused.refusal };
    return { workflow_id: run.id, feedback_id, customer_id, ...judged, ...mail, ...refusal };
  }

  async approve(workflowId: string, approval: ResponseApproval): Promise<DecidedResponse> {
    const { rendering, by, ...labels } = parse(ResponseApproval, approval);
    const run = await this.#parts.run(workflowId);
    await this.#draft(run, rendering);
    return this.#decide(run, rendering, { decision: "approve", by, ...withoutAbsent(labels) });
  }

  async edit(workflowId: string, edit: ResponseEdit): Promise<DecidedResponse> {
    const { rendering, by, subject, text, ...labels } = parse(ResponseEdit, edit);
    const run = await this.#parts.run(workflowId);
    const draft = await this.#draft(run, rendering);
    const message = this.#parts.email.rewrite(draft.message, { text, ...withoutAbsent({ subject }) });
    const rewritten = { ...draft, message };
    const decision = { decision: "edit", by, rendering: renderingOf(rewritten), ...withoutAbsent(labels) } as const;
    // Store the edited email before the decision, which names it, so that the run can send it. An
    // edit that comes too late is not stored.
    if (!(await this.#parts.standing(run.id, rendering, decision))) {
      await this.#parts.drafts.store(run.key, rewritten, { revisionOf: rendering });
    }
    return this.#decide(run, rendering, decision);
  }

  async reject(workflowId: string, rejection: ResponseRejection): Promise<DecidedResponse> {
    const { rendering, by, reason, ...labels } = parse(ResponseRejection, rejection);
    const run = await this.#parts.run(workflowId);
    const decision = {
      decision: "reject",
      by,
      ...withoutAbsent({ reason }),
      ...withoutAbsent(labels),
    } as const;
    // The waiting email can be rejected even if it was changed or deleted in the graph, because
    // nothing is sent.
    const known = run.waitingFor?.subject === rendering || (await this.#parts.standing(run.id, rendering, decision));
    if (!known) await this.#draft(run, rendering);
    return this.#decide(run, rendering, decision);
  }

  /**
   * An email that was drafted for a run, whether or not it still waits.
   * @throws ConflictError: `draft_changed`; `decision_outdated` if there was never such an email
   */
  async #draft({ key: feedbackId, waitingFor }: Run, rendering: string): Promise<Draft> {
    const draft = await this.#parts.drafts.find(feedbackId, rendering);
    if (draft) return draft;
    if (waitingFor?.subject === rendering) throw draftChanged(rendering);
    throw new ConflictError("There is no such email for this feedback. Look at the one that waits, then decide.", {
      code: "decision_outdated",
    });
  }

  async #decide(run: Run, rendering: string, decided: ResponseDecision): Promise<DecidedResponse> {
    const { time } = await this.#parts.decide(run.id, rendering, decided);
    const { decision, by, sentiment, categories } = decided;
    return {
      workflow_id: run.id,
      feedback_id: run.key,
      rendering,
      decision,
      by,
      decided_at: time.toISOString(),
      ...(decision === "edit" ? { edited_rendering: decided.rendering } : {}),
      ...withoutAbsent({ sentiment, categories }),
    };
  }
}
