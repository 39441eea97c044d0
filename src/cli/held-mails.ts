import { existsSync } from "node:fs";
import type { Application } from "../application.ts";
import { dataFile, outboxFolder } from "../parts.ts";
import type { Settings } from "../settings.ts";
import type { HeldMailSummary, ShownHeldMail } from "../workflows/customer-feedback/held-mail-operations.ts";
import type { CustomerFeedbackResult } from "../workflows/customer-feedback/result.ts";
import type { GlobalOptions } from "./command.ts";
import type { AssignOptions } from "./held-mails-command.ts";
import { host } from "./host.ts";
import { readText } from "./input.ts";
import { count, harmless, note, oneLine, plural, print, printJson } from "./output.ts";
import { fields, resultText } from "./result-view.ts";
import { requireDataDirectory, settingsFrom } from "./settings.ts";
import { withApplication } from "./with-application.ts";

export async function listHeldMails({ limit, ...options }: GlobalOptions & { limit: number }): Promise<void> {
  const settings = settingsFrom(options);
  const mails = (await lookingOn(settings, ({ workflow }) => workflow.listHeldMails())) ?? [];
  const shown = mails.slice(0, limit);
  if (options.json) return printJson(shown);
  if (mails.length === 0) return note("No mail waits for a person.");
  const { table } = await import("./table.ts");
  print(table(COLUMNS, shown.map(rowOf)));
  const more = mails.length - shown.length;
  note(`${plural(mails.length, "mail")} waiting, the oldest first${more > 0 ? `; ${count(more)} not shown` : ""}`);
}

export async function showHeldMail(id: string, options: GlobalOptions): Promise<void> {
  const mail = await lookingOn(settingsFrom(options), ({ workflow }) => workflow.getHeldMail(id));
  report(id, mail, options);
}

export async function dismissHeldMail(id: string, options: GlobalOptions): Promise<void> {
  const mail = await lookingOn(settingsFrom(options), ({ workflow }) => workflow.dismissHeldMail(id));
  report(id, mail, options);
}

/** Says whose it is, and waits for the result. */
export async function assignHeldMail(id: string, options: AssignOptions): Promise<void> {
  const { customerId, subject, textFile, response } = options;
  const settings = settingsFrom(options);
  const text = textFile === undefined ? undefined : await readText(textFile);
  if (!isThere(settings)) return report(id, undefined, options);
  const result = await withApplication(settings, async ({ workflow }, signal) => {
    const { workflow_id } = await workflow.assignHeldMail({
      mail_id: id,
      customer_id: customerId,
      send_response: response,
      ...(subject !== undefined && { subject }),
      ...(text !== undefined && { feedback_text: text }),
    });
    return workflow.getWorkflowResult(workflow_id, { signal });
  });
  if (options.json) printJson(result);
  else print(resultText(result as CustomerFeedbackResult, outboxFolder(settings)));
  host().exitCode = result.success ? 0 : 1;
}

/** Without executing anything; undefined where nothing is kept yet, and nothing is made then. */
async function lookingOn<Result>(
  settings: Settings,
  work: (application: Application) => Promise<Result>,
): Promise<Result | undefined> {
  return isThere(settings) ? withApplication(settings, work, { worker: false }) : undefined;
}

function isThere(settings: Settings): boolean {
  if (settings.ontologyUrl !== undefined) return true;
  requireDataDirectory(settings);
  return existsSync(dataFile(settings, "ontology.sqlite"));
}

function report(id: string, mail: ShownHeldMail | undefined, { json }: GlobalOptions): void {
  if (mail === undefined) {
    host().exitCode = 1;
    if (json) printJson({ mail_id: id, status: "not_found" });
    else print(`There is no held mail ${oneLine(id)} here.`);
  } else if (json) printJson(mail);
  else print(mailText(mail));
}

const COLUMNS = [
  { title: "mail", whole: true },
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
      ["mail", mail.mail_id],
      ["status", mail.status],
      ["received", mail.received],
      ["why", mail.message],
      ["from", oneLine(mail.sender ?? "")],
      ["subject", oneLine(mail.subject)],
      ["attachments", count(mail.attachments)],
      ...(mail.reply_to === undefined ? [] : [["answers feedback", oneLine(mail.reply_to)] as const]),
    ]),
    "",
    harmless(text),
  ].join("\n");
