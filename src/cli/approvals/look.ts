import type { Application } from "../../application.ts";
import { ValidationError } from "../../errors.ts";
import type { WorkflowStatus } from "../../workflow/result.ts";
import type { PendingResponse } from "../../workflows/customer-feedback/approval.ts";
import type { GlobalOptions } from "../command.ts";
import { note, plural, print, printJson } from "../output.ts";
import { findRunOf, reportUnknownRun, runView, withKeptRuns, withRuns, WORKFLOW } from "../runs.ts";
import { settingsFrom } from "../settings.ts";
import { mailText, waitingTable } from "./view.ts";

/** The runs whose mails wait for a person. */
export async function listWaiting({ limit, ...options }: GlobalOptions & { limit: number }): Promise<void> {
  const filter = { workflow: WORKFLOW, status: "waiting_for_approval", limit } as const;
  await withRuns(options, async (engine) => {
    const runs = ((await engine?.list(filter)) ?? []).map(runView);
    if (options.json) return printJson(runs);
    if (runs.length === 0) return note("No mail waits for a person.");
    print(waitingTable(runs));
    note(`${plural(runs.length, "mail")} waiting, newest first`);
  });
}

/** The mail of one of them. */
export async function showMail(id: string, options: GlobalOptions): Promise<void> {
  const find = async ({ workflow }: Application): Promise<PendingResponse | undefined> => {
    const run = await findRunOf(workflow, id);
    if (!run) return undefined;
    const pending = await workflow.getPendingResponse(run.workflow_id);
    if (!pending) throw nothingWaits(run);
    return pending;
  };
  // Looking must not send anything.
  const pending = await withKeptRuns(settingsFrom(options), find, { worker: false });
  if (!pending) return reportUnknownRun(id, options.json === true);
  if (options.json) printJson(pending);
  else print(mailText(pending));
}

const nothingWaits = ({ status }: WorkflowStatus): ValidationError =>
  new ValidationError(`No mail waits for a person there: the run's status is ${status}.`, { code: "nothing_waits" });
