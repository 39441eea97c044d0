import { outboxFileName } from "../src/integrations/email/outbox/outbox-folder.ts";
import type { CustomerFeedbackOutput, CustomerFeedbackResult } from "../src/workflows/customer-feedback/result.ts";
import { join } from "node:path";
import { furtherCommand } from "./terminal/host.ts";
import { bold, dim, oneLine, outputWidth, styled, wrapped } from "./terminal/output.ts";

const SENTIMENT_COLORS: ReadonlyMap<string, "green" | "red" | "yellow"> = new Map([
  ["positive", "green"],
  ["negative", "red"],
  ["neutral", "yellow"],
]);

/** A sentiment in its colour, with or without its certainty after it; any other text unchanged. */
export function sentimentText(text: string): string {
  const [sentiment = ""] = /^\w*/.exec(text) ?? [];
  const color = SENTIMENT_COLORS.get(sentiment);
  if (color === undefined) return text;
  const certainty = text.slice(sentiment.length);
  return styled(color, sentiment) + (certainty === "" ? "" : dim(certainty));
}

/** `positive 0.58, doubtful`; unknown parts are left out. */
export function judgedText({
  sentiment,
  sentiment_score: score,
  doubtful,
  unreadable,
}: Partial<CustomerFeedbackOutput>): string {
  if (sentiment === undefined) return "";
  const sure = score === undefined ? "" : ` ${score.toFixed(2)}`;
  return `${sentiment}${sure}${doubtful === true ? ", doubtful" : ""}${unreadable === true ? ", not read" : ""}`;
}

/** Whether an email waits for a person's decision. */
export const isWaiting = ({ status }: { status?: unknown }): boolean => status === "waiting_for_approval";

/** Whether the run is still processing: a step keeps failing and is retried automatically. */
export const isDelayed = ({ status }: { status?: unknown }): boolean => status === "processing";

/**
 * What was done, in a few words: `answered by email`, `escalated to a person · customer told by
 * email · TICKET-G297234K0K`.
 */
export function outcomeText(result: CustomerFeedbackResult): string {
  const { action, response_id, response_withheld, ticket_id } = result;
  const waiting = isWaiting(result);
  const mail = waiting ? "the email waits for approval" : response_id === undefined ? "" : "customer told by email";
  const reply = waiting ? mail : response_id === undefined ? "not answered" : "answered by email";
  const withheld = response_withheld === undefined ? "" : oneLine(`no email: ${response_withheld}`);
  const parts = {
    auto_respond: [reply, withheld],
    escalate: ["escalated to a person", mail, withheld],
    no_action: ["stored, no answer wanted"],
  }[action ?? "no_action"];
  return [...parts, oneLine(ticket_id ?? "")].filter((part) => part !== "").join(" · ");
}

const fallbackText = (reason: string): string => styled("yellow", oneLine(`the embedded analysers, because ${reason}`));

/** Rows of `name  value`, the names dim and aligned. */
export function fields(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const indent = width + 4;
  return rows
    .map(([name, value]) => `  ${dim(name.padEnd(width))}  ${wrapped(value, indent, outputWidth() - indent)}`)
    .join("\n");
}

/**
 * One result for people.
 * @param outbox the folder with the emails; undefined if they are sent or written elsewhere
 */
export function resultText(result: CustomerFeedbackResult, outbox: string | undefined): string {
  // The result for invalid input may lack the ids.
  const { feedback_id: id, customer_id: customer, success, duplicate }: Partial<CustomerFeedbackResult> = result;
  const title = bold(oneLine(`Feedback ${id ?? "without id"} from customer ${customer ?? "unknown"}`));
  const steps = result.steps_completed.join(dim(" → ")) || dim("none");
  if (!success) {
    const delayed = isDelayed(result);
    const outlook = delayed ? ", retried automatically" : result.retriable === true ? ", may succeed later" : "";
    return [
      `${delayed ? styled("yellow", "…") : styled("red", "✗")} ${title}`,
      fields([
        ["problem", oneLine(result.error ?? "")],
        ["kind", `${result.error_type}${outlook}`],
        ["steps", steps],
        ...(delayed ? [["try it now", furtherCommand(`retry ${result.workflow_id}`)] as const] : []),
      ]),
    ].join("\n");
  }
  const again = duplicate === true ? dim("  processed before: nothing was done twice") : "";
  const isInOutbox = result.response_id !== undefined && outbox !== undefined;
  return [
    `${isWaiting(result) ? styled("yellow", "…") : styled("green", "✓")} ${title}${again}`,
    fields([
      ["sentiment", sentimentText(`${judgedText(result)}${result.doubtful === true ? ": not thanked" : ""}`)],
      ["categories", (result.categories ?? []).join(", ")],
      ...(result.analysis_fallback === undefined
        ? []
        : [["judged by", fallbackText(result.analysis_fallback)] as const]),
      ["outcome", outcomeText(result)],
      ...(result.reference === undefined ? [] : [["reference", result.reference] as const]),
      ["steps", steps],
      ...(isInOutbox ? [["email", oneLine(join(outbox, outboxFileName(result.response_id ?? "")))] as const] : []),
      ["graph", oneLine(result.feedback_uri ?? "")],
      ...(isWaiting(result) ? [["look at it", furtherCommand(`approvals show ${result.workflow_id}`)] as const] : []),
    ]),
  ].join("\n");
}
