import type { ChatEntry } from "../../../src/interfaces/http/chat.ts";
import type { FeedbackAgent } from "../../../agents/index.ts";
import { isAbiError } from "../../../src/errors.ts";
import { isObject } from "../../../src/json.ts";
import type { FeedbackDetails } from "../../../src/workflows/customer-feedback/feedback-schemas.ts";
import { lastDecision, type MailDecided } from "../../../src/workflows/customer-feedback/responses/feedback-mails.ts";
import { isWaiting } from "../../result-view.ts";
import { note, oneLine } from "../../terminal/output.ts";
import { decisionText } from "./conversation.ts";

/** The agent that the user at the terminal talks to: one in this process, or that of a service. */
export interface TalkingAgent extends Pick<FeedbackAgent, "ask" | "decide" | "waiting"> {
  /** The messages and tool calls of a conversation so far. */
  entries(threadId: string): Promise<readonly ChatEntry[]>;
  getFeedback(id: string): Promise<FeedbackDetails>;
}

/** Prints who decided what about the emails of a resumed conversation. */
export async function showEarlierDecisions(
  agent: Pick<TalkingAgent, "entries" | "getFeedback">,
  threadId: string,
): Promise<void> {
  const entries = await agent.entries(threadId);
  const results = entries.flatMap((entry) => (entry.type === "call" && isObject(entry.result) ? [entry.result] : []));
  const lines = await Promise.all(results.map((result) => lineOf(result, agent)));
  const known = lines.filter((line) => line !== undefined);
  if (known.length === 0) return;
  note("Decided earlier in this conversation:");
  for (const line of known) note(`  ${line}`);
}

async function lineOf(
  result: Readonly<Record<string, unknown>>,
  agent: Pick<TalkingAgent, "getFeedback">,
): Promise<string | undefined> {
  const { feedback_id } = result;
  if (typeof feedback_id !== "string") return undefined;
  const stored = result["decided"] as MailDecided | undefined;
  // An email that was left to wait may have been decided on elsewhere since.
  const decided = stored ?? (isWaiting(result) ? await decidedSince(feedback_id, agent) : undefined);
  if (!decided) return undefined;
  const { decision, by, decided_at: at, subject, reason } = decided;
  const parts = [
    feedback_id,
    subject,
    decisionText({ decision, by }),
    `${at.slice(0, 16).replace("T", " ")} UTC`,
    reason,
  ];
  return oneLine(parts.filter((part) => part !== undefined).join(" · "));
}

async function decidedSince(id: string, agent: Pick<TalkingAgent, "getFeedback">): Promise<MailDecided | undefined> {
  try {
    const { status, mails } = await agent.getFeedback(id);
    return isWaiting({ status }) ? undefined : lastDecision(mails);
  } catch (error) {
    // If the lookup fails, continue without this line.
    if (isAbiError(error)) return undefined;
    throw error;
  }
}
