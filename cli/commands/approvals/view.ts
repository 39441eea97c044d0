import type { PendingResponse } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import type { CustomerFeedbackResult } from "../../../src/workflows/customer-feedback/result.ts";
import { escapedText, oneLine } from "../../terminal/output.ts";
import { fields, sentimentText } from "../../result-view.ts";
import type { RunView } from "../../runs/runs.ts";
import { table } from "../../terminal/table.ts";

/** Runs that wait, one a line. */
export function waitingTable(runs: readonly RunView[]): string {
  const columns = [
    { title: "feedback", whole: true },
    { title: "customer" },
    { title: "sentiment" },
    { title: "action", spare: true },
    { title: "started (UTC)", spare: true },
    { title: "workflow id", whole: true },
  ];
  const rows = runs.map(({ key, workflow_id, start_time = "", result }) => {
    const { customer_id, sentiment, action }: Partial<CustomerFeedbackResult> = result ?? {};
    const judged = [key, customer_id, sentiment, action].map((value) => value ?? "");
    return [...judged, start_time.slice(0, 19), workflow_id];
  });
  return table(columns, rows, sentimentText);
}

/** A mail as it would go out, for people. */
export const mailText = ({
  feedback_id,
  customer_id,
  workflow_id,
  rendering,
  ...mail
}: Omit<PendingResponse, "rendering" | "html"> & Partial<PendingResponse>): string =>
  [
    fields([
      ["feedback", oneLine(feedback_id)],
      ["customer", oneLine(customer_id)],
      ["workflow id", workflow_id],
      ["sentiment", mail.sentiment],
      ["categories", mail.categories.join(", ")],
      ...(rendering === undefined ? [] : [["rendering", rendering] as const]),
      ["from", oneLine(mail.sender)],
      ["to", oneLine(mail.recipient)],
      ["subject", oneLine(mail.subject)],
      ...(mail.refusal === undefined ? [] : [["refused before", oneLine(mail.refusal)] as const]),
    ]),
    "",
    escapedText(mail.text.trimEnd()),
  ].join("\n");
