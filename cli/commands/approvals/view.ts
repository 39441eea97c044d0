import type { PendingResponse } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import type { CustomerFeedbackResult } from "../../../src/workflows/customer-feedback/result.ts";
import { escapedText, oneLine } from "../../terminal/output.ts";
import { fields, judgedText, sentimentText } from "../../result-view.ts";
import type { RunView } from "../../runs/runs.ts";
import { table } from "../../terminal/table.ts";

/** Runs that wait, one a line. */
export function waitingTable(runs: readonly RunView[]): string {
  const columns = [
    { title: "feedback", whole: true },
    { title: "customer" },
    { title: "sentiment" },
    { title: "categories", spare: true },
    { title: "text", flexible: true },
    { title: "action", spare: true },
    { title: "started (UTC)", spare: true },
    { title: "workflow id", whole: true },
  ];
  const rows = runs.map(({ key, workflow_id, start_time = "", result, excerpt }) => {
    const judged: Partial<CustomerFeedbackResult> = result ?? {};
    const { customer_id, categories, action } = judged;
    const cells = [key, customer_id, judgedText(judged), categories?.join(", "), excerpt, action];
    return [...cells.map((cell) => cell ?? ""), start_time.slice(0, 19), workflow_id];
  });
  return table(columns, rows, sentimentText);
}

/** Shows people an email as it would go out, and the feedback that it answers. */
export const mailText = ({
  feedback_id,
  customer_id,
  workflow_id,
  rendering,
  ...mail
}: Omit<PendingResponse, "rendering" | "html" | "feedback_text"> & Partial<PendingResponse>): string =>
  [
    fields([
      ["feedback", oneLine(feedback_id)],
      ["customer", oneLine(customer_id)],
      ["workflow id", workflow_id],
      ["sentiment", sentimentText(judgedText(mail))],
      ["categories", mail.categories.join(", ")],
      ...(rendering === undefined ? [] : [["rendering", rendering] as const]),
      ["from", oneLine(mail.sender)],
      ["to", oneLine(mail.recipient)],
      ["subject", oneLine(mail.subject)],
      ...(mail.refusal === undefined ? [] : [["refused before", oneLine(mail.refusal)] as const]),
    ]),
    "",
    escapedText(mail.text.trimEnd()),
    // Missing in a chat conversation that was stored before this field was added.
    ...(mail.feedback_text === undefined ? [] : ["", "The customer wrote:", quoted(mail.feedback_text)]),
  ].join("\n");

/** Marks every line, so that the customer's text can't look like a part of the email. */
const quoted = (text: string): string => escapedText(text.trimEnd()).replaceAll(/^/gm, "> ");
