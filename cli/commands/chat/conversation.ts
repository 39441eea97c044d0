import { host } from "../../terminal/host.ts";
import { truncated, escapedText, jsonText, note, oneLine, print, printPart } from "../../terminal/output.ts";
import { isWaiting } from "../../result-view.ts";
import type { AskOptions, ToolCallEnd, ToolCallStart } from "../../../agents/index.ts";
import type { ToolProgress } from "../../../src/framework/progress.ts";

const MAX_VALUE_LENGTH = 32;
const MAX_RESULT_LENGTH = 160;

/** A planned call on one line, without arguments that are null. */
export function callText({ name, args }: Pick<ToolCallStart, "name" | "args">): string {
  const given = Object.entries(args).filter(([, value]) => value !== null && value !== undefined);
  const values = given.map(([key, value]) => {
    return `${oneLine(key)}: ${typeof value === "string" ? `"${truncated(oneLine(value), MAX_VALUE_LENGTH)}"` : jsonText(value)}`;
  });
  return `${oneLine(name)}(${values.join(", ")})`;
}

interface ToolResult {
  customer_id?: string;
  error?: string;
  sentiment?: string;
  doubtful?: boolean;
  categories?: string[];
  action?: string;
  ticket_id?: string;
  response_id?: string;
  response_withheld?: string;
  status?: string;
  duplicate?: boolean;
  decided?: { decision: string; by: string; first?: true };
}

/** Who made which decision, in a few words. */
export const decisionText = ({ decision, by, first }: { decision: string; by: string; first?: true }): string => {
  const what = { approve: "approved", edit: "edited", reject: "rejected" }[decision] ?? decision;
  return first ? `${by} was first: ${what}` : `${what} by ${by}`;
};

/** The result of a call, on one line. */
export function resultText({ artifact, content, failed }: ToolCallEnd): string {
  const result = (artifact ?? {}) as ToolResult;
  // Name the customer, because several calls may run at the same time.
  const who = result.customer_id === undefined ? "" : `${result.customer_id}: `;
  if (failed || result.error !== undefined)
    return `✗ ${oneLine(who + truncated(result.error ?? content, MAX_RESULT_LENGTH))}`;
  const parts = [
    result.doubtful === true ? `${result.sentiment}, doubtful` : result.sentiment,
    result.categories?.join(", "),
    result.action,
    result.ticket_id,
    ...(result.response_id === undefined ? [] : ["email sent"]),
    ...(isWaiting(result) ? ["the email waits for approval"] : []),
    // After a rejection, the next part says why no email went out.
    ...(result.decided?.decision === "reject" ? [] : [result.response_withheld]),
    ...(result.decided === undefined ? [] : [decisionText(result.decided)]),
    ...(result.duplicate === true ? ["processed before, nothing done twice"] : []),
  ].filter((part) => part !== undefined);
  return `✓ ${oneLine(who + truncated(parts.length > 0 ? parts.join(" · ") : content, MAX_RESULT_LENGTH))}`;
}

/**
 * Shows an answer as it arrives: the words on standard output, and the agent's actions, dimmed, on
 * standard error.
 */
export function liveView(): AskOptions & { end: () => void } {
  const { stdout } = host();
  let midLine = false;
  const aside = (text: string): void => {
    // On a terminal, both streams are shown together, so a note begins on a line of its own.
    if (midLine && stdout.isTTY) print();
    if (stdout.isTTY) midLine = false;
    note(text);
  };
  return {
    onToken: (token) => {
      const text = escapedText(token);
      // Skip the line break between two messages if a note has already made one.
      if (text === "\n" && !midLine && stdout.isTTY) return;
      printPart(text);
      midLine = !text.endsWith("\n");
    },
    onToolStart: (call) => aside(`→ ${callText(call)}`),
    onToolProgress: (_call, progress) => {
      const { step, phase, retry_in_ms } = progress as ToolProgress;
      if (phase === "completed") aside(`  · ${step}`);
      else if (phase === "failed") aside(`  · ${step} failed${retry_in_ms === undefined ? "" : ", will be retried"}`);
    },
    onToolEnd: (call) => aside(`  ${resultText(call)}`),
    end: () => {
      if (midLine) print();
    },
  };
}
