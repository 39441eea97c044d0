import { ToolMessage } from "@langchain/core/messages";
import { interrupt, task } from "@langchain/langgraph";
import { createMiddleware, type AgentMiddleware } from "langchain";
import { ConflictError, isAbiError } from "../../src/errors.ts";
import { withoutAbsent } from "../../src/json.ts";
import { describeCause, type Logger } from "../../src/log.ts";
import type { RunResult } from "../../src/framework/result.ts";
import type { MailApprovals } from "../feedback-agent.ts";
import { readDecisions, reviewRequest, type MailDecision, type ShownMail } from "./mail-review.ts";
import { recordedDecision, revised, waitingResults, type Decided } from "./waiting-results.ts";

/**
 * The name of the user behind a run of the graph, which signs decisions; undefined if that user may
 * not decide.
 */
export type Decider = (configurable: Readonly<Record<string, unknown>>) => string | undefined;

/** The outcome of one email. LangGraph stores it with the conversation, so it is plain data. */
type Outcome =
  | { state: "left" }
  | { state: "again"; note: string }
  | { state: "settled"; result: RunResult; decided?: Decided };

/**
 * Middleware between a tool's result and the model. If a run waits for a person, the middleware
 * interrupts the conversation to show the email, and later continues with the run's outcome.
 * LangGraph stores the emails that were shown, and then the outcomes, each as the result of a
 * `task`. So even if another process resumes the conversation, a decision applies to the email that
 * was on the screen, and is made once.
 */
export function mailApproval(approvals: MailApprovals, decider: Decider, logger: Logger): AgentMiddleware {
  const { workflow } = approvals;
  const steps = approvalSteps(workflow, logger);
  const revise = async (messages: readonly ToolMessage[], { result, decided }: Settled): Promise<ToolMessage[]> => {
    const record = await recordedDecision(workflow, messages[0]!, logger);
    // The record has the last decision, which may be about a later email than the one shown here.
    const known = record ? { ...record, ...(decided?.first && { first: true as const }) } : decided;
    return messages.map((message) => revised(message, result, known));
  };
  return createMiddleware({
    name: "MailApproval",
    beforeModel: async ({ messages }, { configurable = {}, signal }) => {
      const waiting = waitingResults(messages, workflow.process.name);
      if (waiting.size === 0) return undefined;
      const isAfterTools = ToolMessage.isInstance(messages.at(-1));
      // Users who may not decide see no email; the model tells them that it waits.
      if (isAfterTools && approvals.by && decider(configurable) === undefined) return undefined;
      const ids = [...waiting.keys()];
      const settled = isAfterTools
        ? await review(ids, steps, () => decider(configurable), signal)
        : await settledSince(ids, steps, signal);
      const changes = [...settled].map(([id, outcome]) => revise(waiting.get(id)!, outcome));
      return { messages: (await Promise.all(changes)).flat() };
    },
  });
}

type Steps = ReturnType<typeof approvalSteps>;
type Settled = Extract<Outcome, { state: "settled" }>;

/** Shows emails until none of them has to be shown again; returns the outcomes by workflow id. */
async function review(
  ids: readonly string[],
  { look, settle }: Steps,
  decider: () => string | undefined,
  signal: AbortSignal | undefined,
): Promise<Map<string, Settled>> {
  const settled = new Map<string, Settled>();
  const add = (id: string, outcome: Outcome): void => {
    if (outcome.state === "settled") settled.set(id, outcome);
  };
  let open = [...ids];
  let notes: Record<string, string> = {};
  while (open.length > 0) {
    const seen = await look(open, signal);
    for (const { id, outcome } of seen) if (outcome) add(id, outcome);
    const mails = seen.flatMap(({ mail }) => (mail ? [mail] : []));
    if (mails.length === 0) break;
    const answer: unknown = interrupt(reviewRequest(mails, notes));
    const outcomes = await settle(mails, answer, decider(), signal);
    notes = {};
    outcomes.forEach((outcome, index) => {
      const id = mails[index]!.workflow_id;
      add(id, outcome);
      if (outcome.state === "again") notes[id] = outcome.note;
    });
    open = Object.keys(notes);
  }
  return settled;
}

/**
 * The outcomes of emails that were decided on elsewhere, by workflow id. This is for a person who
 * writes instead of deciding: no email is shown again, but the model must not keep saying that an
 * email waits if it doesn't.
 */
async function settledSince(
  ids: readonly string[],
  { look }: Steps,
  signal: AbortSignal | undefined,
): Promise<Map<string, Settled>> {
  const seen = await look(ids, signal);
  return new Map(seen.flatMap(({ id, outcome }) => (outcome?.state === "settled" ? [[id, outcome] as const] : [])));
}

function approvalSteps(workflow: MailApprovals["workflow"], logger: Logger) {
  const resultOf = (id: string, signal: AbortSignal | undefined): Promise<RunResult> =>
    workflow.getWorkflowResult(id, signal ? { signal } : {});

  const lookAt = async (
    id: string,
    signal: AbortSignal | undefined,
  ): Promise<{ id: string; mail?: ShownMail; outcome?: Outcome }> => {
    try {
      for (;;) {
        const mail = await workflow.getPendingResponse(id);
        if (mail) {
          const { html: _html, ...shown } = mail;
          return { id, mail: shown };
        }
        const result = await resultOf(id, signal);
        // If the run still waits, a new email has taken the old one's place: look again.
        if (result.status !== "waiting_for_approval") return { id, outcome: { state: "settled", result } };
      }
    } catch (error) {
      signal?.throwIfAborted();
      // The conversation continues without the email, which keeps waiting.
      logger.error({ cause: describeCause(error), workflow_id: id }, "an email that waits could not be shown");
      return { id };
    }
  };

  const decide = ({ workflow_id: id, rendering }: ShownMail, decision: MailDecision & object, by: string) => {
    switch (decision.type) {
      case "approve":
        return workflow.approveResponse(id, { rendering, by });
      case "edit":
        return workflow.editResponse(id, { rendering, by, ...wordsOf(decision) });
      case "reject":
        return workflow.rejectResponse(id, { rendering, by, ...(decision.message && { reason: decision.message }) });
    }
  };

  /**
   * The current state of an email on which nothing was decided here. Someone may have decided
   * elsewhere.
   */
  const lookAgain = async (
    { workflow_id, rendering }: ShownMail,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> => {
    const { mail, outcome = { state: "left" } } = await lookAt(workflow_id, signal);
    return mail && mail.rendering !== rendering ? again("Another email waits in its place now.") : outcome;
  };

  const settleOne = async (
    mail: ShownMail,
    decision: MailDecision,
    by: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> => {
    const id = mail.workflow_id;
    try {
      if (decision === null) return await lookAgain(mail, signal);
      if (by === undefined)
        return again("Nobody here may decide. Decide in the console or with the `approvals` command.");
      const decided = await decideOrYield(mail, unchangedIsApproved(mail, decision), by);
      return await outcomeOf(id, decided, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ConflictError && error.code === "run_ended") return lookAgain(mail, signal);
      return again(explain(error));
    }
  };

  /** The outcome of a decision. The decision is stored, and no failure here undoes it. */
  const outcomeOf = async (id: string, decided: Decided, signal: AbortSignal | undefined): Promise<Outcome> => {
    const whose = decided.first ? `${decided.by} has decided first` : "Your decision was stored";
    try {
      const result = await resultOf(id, signal);
      if (result.status !== "waiting_for_approval") return { state: "settled", result, decided };
      return again(`${whose}, but another email waits now.`);
    } catch (error) {
      signal?.throwIfAborted();
      logger.error({ cause: describeCause(error), workflow_id: id }, "the result of a decision could not be read");
      return again(`${whose}; its result could not be read.`);
    }
  };

  /** The decision: this person's, or the one that someone else made first. */
  const decideOrYield = async (mail: ShownMail, wanted: MailDecision & object, by: string): Promise<Decided> => {
    try {
      const { decision, by: name, decided_at } = await decide(mail, wanted, by);
      return { decision, by: name, decided_at };
    } catch (error) {
      if (!(error instanceof ConflictError) || error.code !== "already_decided") throw error;
      const { decision, by: name, decided_at, reason } = error.standing as unknown as Decided;
      return { decision, by: name, decided_at, ...withoutAbsent({ reason }), first: true };
    }
  };

  const explain = (error: unknown): string => {
    if (error instanceof ConflictError && error.code === "decision_outdated") {
      return "The email has changed since it was shown. Nothing was decided: look at it again.";
    }
    if (isAbiError(error) && error.type !== "unexpected_error") return `Nothing was decided: ${error.message}`;
    logger.error({ cause: describeCause(error) }, "a decision could not be made");
    return "The decision could not be made. Try again.";
  };

  return {
    look: task("look", (ids: readonly string[], signal: AbortSignal | undefined) =>
      Promise.all(ids.map((id) => lookAt(id, signal))),
    ),
    settle: task(
      "settle",
      async (
        mails: readonly ShownMail[],
        answer: unknown,
        by: string | undefined,
        signal: AbortSignal | undefined,
      ): Promise<Outcome[]> => {
        const decisions = readDecisions(answer, mails);
        if (!decisions) {
          return mails.map(() => again(UNREADABLE));
        }
        return Promise.all(mails.map((mail, index) => settleOne(mail, decisions[index]!, by, signal)));
      },
    ),
  };
}

const UNREADABLE =
  "Nothing was decided: there must be one decision for each email, and an edit can change subject and text only.";

const again = (note: string): Outcome => ({ state: "again", note });

/** Clients send the whole form, so unchanged fields are not edits. */
function unchangedIsApproved(mail: ShownMail, decision: MailDecision & object): MailDecision & object {
  if (decision.type !== "edit") return decision;
  const { text, subject = mail.subject } = decision;
  if (text === mail.text && subject === mail.subject) return { type: "approve" };
  return { type: "edit", text, ...(subject !== mail.subject && { subject }) };
}

const wordsOf = ({ text, subject }: { text: string; subject?: string }) => ({
  text,
  ...withoutAbsent({ subject }),
});
