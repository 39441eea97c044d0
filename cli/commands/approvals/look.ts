import type { Application } from "../../../src/application/application.ts";
import type { PendingResponse } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import type { GlobalOptions } from "../../command.ts";
import { note, plural, print, printJson } from "../../terminal/output.ts";
import { reportUnknownRun, serviceFor, withStoredRuns, withRuns, type Runs, type RunView } from "../../runs/runs.ts";
import { settingsFrom } from "../../settings.ts";
import { listAt, pendingAt } from "./at-service.ts";
import { mailText, waitingTable } from "./view.ts";

/** The runs whose emails wait for a person. */
export async function listWaiting({ limit, ...options }: GlobalOptions & { limit: number }): Promise<void> {
  const service = await serviceFor(options);
  if (service) return reportWaiting(await listAt(service, limit), limit, options);
  await withRuns(options, async (runs) => {
    reportWaiting((await runs?.list({ status: "waiting_for_approval", order: "oldest", limit })) ?? [], limit, options);
  });
}

function reportWaiting(waiting: readonly RunView[], limit: number, { json }: GlobalOptions): void {
  if (json) return printJson(waiting);
  if (waiting.length === 0) return note("No emails are waiting for a person.");
  print(waitingTable(waiting));
  const more = waiting.length === limit ? "; there may be more (--limit)" : "";
  note(`${plural(waiting.length, "email")} waiting, oldest first${more}`);
}

/** Shows the email of a waiting run. */
export async function showMail(id: string, options: GlobalOptions): Promise<void> {
  const find = async ({ service }: Application, runs: Runs): Promise<PendingResponse | undefined> => {
    const run = await runs.find(id);
    if (!run) return undefined;
    return (await service.callApproval("show", { workflow_id: run.workflow_id })) as PendingResponse;
  };
  const remote = await serviceFor(options);
  // Without a worker, because showing an email must not send any.
  const pending = remote
    ? await pendingAt(remote, id)
    : await withStoredRuns(settingsFrom(options), find, { worker: false });
  if (!pending) return reportUnknownRun(id, options.json === true);
  if (options.json) printJson(pending);
  else print(mailText(pending));
}
