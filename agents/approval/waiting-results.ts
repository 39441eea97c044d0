/** Results of a tool whose runs wait for a person, and the outcomes of these runs. */
import { ToolMessage, type BaseMessage } from "@langchain/core/messages";
import { isObject, withoutAbsent, type Json } from "../../src/json.ts";
import { describeCause, type Logger } from "../../src/log.ts";
import type { RunResult } from "../../src/framework/result.ts";
import type { DecidedResponse } from "../../src/workflows/customer-feedback/responses/approval.ts";
import { lastDecision, type MailDecided } from "../../src/workflows/customer-feedback/responses/feedback-mails.ts";
import type { MailApprovals } from "../feedback-agent.ts";

/**
 * What people and the model learn about a decision. Nothing in it could be used to decide on the
 * email.
 */
export interface Decided extends Pick<DecidedResponse, "decision" | "by" | "decided_at"> {
  /** Why it was rejected. */
  reason?: string;
  /** True if someone else had decided first. */
  first?: true;
}

/**
 * The results of runs that wait for a person, by workflow id. If the last message is a tool's
 * result, only those since the model's last turn; otherwise all of them.
 */
export function waitingResults(messages: readonly BaseMessage[], tool: string): Map<string, ToolMessage[]> {
  const found = new Map<string, ToolMessage[]>();
  const isAfterTools = ToolMessage.isInstance(messages.at(-1));
  for (const message of messages.toReversed()) {
    if (!ToolMessage.isInstance(message)) {
      if (isAfterTools) break;
      continue;
    }
    const artifact: unknown = message.artifact;
    if (message.name !== tool || !isObject(artifact) || artifact["status"] !== "waiting_for_approval") continue;
    const id = artifact["workflow_id"];
    if (typeof id === "string") found.set(id, [...(found.get(id) ?? []), message]);
  }
  return found;
}

/** The same message with the run's outcome. Its id tells LangGraph which message it replaces. */
export function revised(
  message: ToolMessage,
  result: RunResult,
  decided: (Decided & Partial<MailDecided>) | undefined,
): ToolMessage {
  const { feedback_id, customer_id } = message.artifact as Record<string, Json>;
  const outcome = { feedback_id, customer_id, ...result };
  const artifact = { ...outcome, ...withoutAbsent({ decided }) };
  // The model sees no part of the email, not even its subject.
  const { subject: _subject, ...forModel } = decided ?? {};
  return new ToolMessage({
    ...withoutAbsent({ id: message.id, name: message.name }),
    tool_call_id: message.tool_call_id,
    content: JSON.stringify({ ...outcome, ...(decided && { decided: forModel }) }),
    artifact,
  });
}

/**
 * The last decision on the emails for a piece of feedback, from the graph; undefined if nobody has
 * decided, or if it can't be read.
 */
export async function recordedDecision(
  workflow: MailApprovals["workflow"],
  { artifact }: ToolMessage,
  logger: Logger,
): Promise<MailDecided | undefined> {
  const { feedback_id } = artifact as { feedback_id: string };
  try {
    return lastDecision((await workflow.getFeedback(feedback_id)).mails);
  } catch (error) {
    // The outcome itself is known, so the conversation continues without this record.
    logger.error({ cause: describeCause(error), feedback_id }, "a decision could not be read");
    return undefined;
  }
}
