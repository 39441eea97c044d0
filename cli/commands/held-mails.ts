import { existsSync } from "node:fs";
import { ownOutbox, runsAndGraph } from "../../src/application/parts.ts";
import type { Settings } from "../../src/application/settings.ts";
import { withoutAbsent } from "../../src/json.ts";
import type { DirectOperation } from "../../src/framework/operation.ts";
import { parse } from "../../src/framework/validation.ts";
import type {
  HeldMailAssignment,
  HeldMailSummary,
  ShownHeldMail,
} from "../../src/workflows/customer-feedback/incoming-mail/held-mail-operations.ts";
import type { CustomerFeedbackResult } from "../../src/workflows/customer-feedback/result.ts";
import type { GlobalOptions } from "../command.ts";
import type { AssignOptions } from "./held-mails-command.ts";
import { host } from "../terminal/host.ts";
import { readText } from "../terminal/input.ts";
import { interruptible } from "../terminal/interruption.ts";
import { count, escapedText, note, oneLine, plural, print, printJson } from "../terminal/output.ts";
import { fields, resultText } from "../result-view.ts";
import { FEEDBACK_WORKFLOW, serviceFor } from "../runs/runs.ts";
import { RESULT_NOT_SHOWN, type ServiceClient } from "../service-client.ts";
import { requireDataDirectory, settingsFrom } from "../settings.ts";
import { withApplication } from "../with-application.ts";

export async function listHeldMails({ limit, ...options }: GlobalOptions & { limit: number }): Promise<void> {
  const found = await callOperation<{ mails: HeldMailSummary[]; total: number }>("list_held_mails", { limit }, options);
  const { mails, total } = found ?? { mails: [], total: 0 };
  if (options.json) return printJson(mails);
  if (total === 0) return note("No emails are waiting for a person.");
  const { table } = await import("../terminal/table.ts");
  print(table(COLUMNS, mails.map(rowOf)));
  const more = total - mails.length;
  note(`${plural(total, "email")} waiting, oldest first${more > 0 ? `; ${count(more)} not shown` : ""}`);
}

export async function showHeldMail(id: string, options: GlobalOptions): Promise<void> {
  report(id, await callOperation<ShownHeldMail>("get_held_mail", { mail_id: id }, options), options);
}

export async function dismissHeldMail(id: string, options: GlobalOptions): Promise<void> {
  report(id, await callOperation<ShownHeldMail>("dismiss_held_mail", { mail_id: id }, options), options);
}

/** Assigns an email to a customer, and waits for the result. */
export async function assignHeldMail(id: string, options: AssignOptions): Promise<void> {
  const { customerId, subject, textFile, response } = options;
  const text = textFile === undefined ? undefined : await readText(textFile);
  const assignment: HeldMailAssignment = {
    mail_id: id,
    customer_id: customerId,
    send_response: response,
    ...withoutAbsent({ subject, feedback_text: text }),
  };
  const service = await serviceFor(options);
  const settings = settingsFrom(options);
  if (!service && !isThere(settings)) return report(id, undefined, options);
  const result = service
    ? await interruptible(async (signal) => {
        const { workflow_id } = (await callAt(service, "assign_held_mail", assignment, signal)) as Assigned;
        return (await service.resultIfAllowed(workflow_id, signal)) ?? reportAssigned(id, workflow_id, options);
      })
    : await withApplication(settings, async ({ workflow }, signal) => {
        const { workflow_id } = await workflow.assignHeldMail(assignment);
        return workflow.getWorkflowResult(workflow_id, { signal });
      });
  if (!result) return;
  if (options.json) printJson(result);
  else print(resultText(result as CustomerFeedbackResult, service ? undefined : ownOutbox(settings)));
  host().exitCode = result.success ? 0 : 1;
}

function reportAssigned(id: string, workflow_id: string, { json }: GlobalOptions): undefined {
  if (json) printJson({ mail_id: id, status: "assigned", workflow_id });
  note(`${oneLine(id)} is assigned; its feedback is processed in the run ${workflow_id}. ${RESULT_NOT_SHOWN}`);
}

interface Assigned {
  workflow_id: string;
}

type OperationName = "list_held_mails" | "get_held_mail" | "assign_held_mail" | "dismiss_held_mail";

const callAt = (service: ServiceClient, name: OperationName, json: object, signal?: AbortSignal): Promise<unknown> =>
  service.call(`/workflows/${FEEDBACK_WORKFLOW}/operations/${name}`, { json, ...withoutAbsent({ signal }) });

/**
 * Calls an operation at the service that the options name, or on the graph that the settings name,
 * without executing any run. If that graph is a file that doesn't exist yet, creates nothing and
 * returns undefined.
 */
async function callOperation<Output>(
  name: OperationName,
  input: object,
  options: GlobalOptions,
): Promise<Output | undefined> {
  const service = await serviceFor(options);
  if (service) return (await callAt(service, name, input)) as Output;
  const settings = settingsFrom(options);
  if (!isThere(settings)) return undefined;
  return withApplication(
    settings,
    async ({ workflow }) => {
      const operation = workflow.operations.find((one) => one.name === name) as DirectOperation;
      return (await operation.run(parse(operation.input, input), {})) as Output;
    },
    { worker: false },
  );
}

function isThere(settings: Settings): boolean {
  if (settings.ontologyUrl !== undefined) return true;
  requireDataDirectory(settings);
  return existsSync(runsAndGraph(settings));
}

function report(id: string, mail: ShownHeldMail | undefined, { json }: GlobalOptions): void {
  if (mail === undefined) {
    host().exitCode = 1;
    if (json) printJson({ mail_id: id, status: "not_found" });
    else print(`There is no held email ${oneLine(id)} here.`);
  } else if (json) printJson(mail);
  else print(mailText(mail));
}

const COLUMNS = [
  { title: "email", whole: true },
  { title: "received (UTC)", spare: true },
  { title: "reason" },
  { title: "from", flexible: true },
  { title: "subject", flexible: true },
];

const rowOf = ({ mail_id, received, reason, sender = "", subject }: HeldMailSummary): string[] => [
  mail_id,
  received.slice(0, 19),
  reason,
  sender,
  subject,
];

const mailText = ({ text, ...mail }: ShownHeldMail): string =>
  [
    fields([
      ["email", mail.mail_id],
      ["status", mail.status],
      ["received", mail.received],
      ["why", mail.message],
      ["from", oneLine(mail.sender ?? "")],
      ["subject", oneLine(mail.subject)],
      ["attachments", count(mail.attachments)],
      ...(mail.reply_to === undefined ? [] : [["answers feedback", oneLine(mail.reply_to)] as const]),
    ]),
    "",
    escapedText(text),
  ].join("\n");
