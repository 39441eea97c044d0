import type { GlobalOptions } from "../command.ts";
import { host } from "../terminal/host.ts";
import { oneLine, print, printJson } from "../terminal/output.ts";
import { reportUnknownRun, withRuns, type Runs } from "../runs/runs.ts";

export const cancelRuns = (ids: readonly string[], options: GlobalOptions): Promise<void> =>
  withRuns(options, async (runs) => {
    for (const id of ids) await cancelRun(runs, id, options.json === true);
  });

async function cancelRun(runs: Runs | undefined, id: string, json: boolean): Promise<void> {
  const run = await runs?.find(id);
  if (!run || !runs) return reportUnknownRun(id, json);
  const stops = await runs.cancel(run.workflow_id);
  if (!stops) host().exitCode = 1;
  const now = (await runs.get(run.workflow_id)) ?? run;
  if (json) return printJson(now);
  const key = oneLine(run.key);
  if (!stops) return print(`${key} has already ended: it is ${now.status}.`);
  print(now.status === "cancelled" ? `${key} is cancelled.` : `${key} will stop between two steps.`);
}
