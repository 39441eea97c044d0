import type { WorkflowEngine } from "../engine/engine.ts";
import type { GlobalOptions } from "./command.ts";
import { host } from "./host.ts";
import { oneLine, print, printJson } from "./output.ts";
import { findRun, reportUnknownRun, runView, withRuns } from "./runs.ts";

export const cancelRuns = (ids: readonly string[], options: GlobalOptions): Promise<void> =>
  withRuns(options, async (engine) => {
    for (const id of ids) await cancelRun(engine, id, options.json === true);
  });

async function cancelRun(engine: WorkflowEngine | undefined, id: string, json: boolean): Promise<void> {
  const run = await findRun(engine, id);
  if (!run || !engine) return reportUnknownRun(id, json);
  const stops = await engine.cancel(run.id);
  if (!stops) host().exitCode = 1;
  const now = (await engine.get(run.id)) ?? run;
  if (json) return printJson(runView(now));
  const key = oneLine(run.key);
  if (!stops) return print(`${key} has ended already: it is ${now.status}.`);
  print(now.status === "cancelled" ? `${key} is cancelled.` : `${key} stops before its next step.`);
}
