import { host } from "../terminal/host.ts";
import { note, oneLine, plural, print, printJson } from "../terminal/output.ts";
import type { RetryOptions } from "./retry-command.ts";
import { allRuns, delayedRuns, reportUnknownRun, withRuns, type Runs, type RunView } from "../runs/runs.ts";

export const retryRuns = (ids: readonly string[], options: RetryOptions): Promise<void> =>
  withRuns(options, (runs) => retryAll(runs, ids, options));

async function retryAll(runs: Runs | undefined, ids: readonly string[], { failed, json }: RetryOptions): Promise<void> {
  let resumed = 0;
  const retry = async (run: RunView): Promise<void> => {
    const continues = (await runs?.retry(run.workflow_id)) === true;
    if (continues) resumed += 1;
    else host().exitCode = 1;
    if (json) printJson((await runs?.get(run.workflow_id)) ?? run);
    else
      print(continues ? `${oneLine(run.key)} continues.` : `${oneLine(run.key)} has not failed: it is ${run.status}.`);
  };
  for (const id of ids) {
    const run = await runs?.find(id);
    await (run ? retry(run) : reportUnknownRun(id, json === true));
  }
  // List the runs before any is retried, so one that fails again is not retried forever.
  const all = failed && runs ? [...(await allRuns(runs, "failed")), ...(await delayedRuns(runs))] : [];
  for (const run of all) await retry(run);
  if (resumed > 0)
    note(`${plural(resumed, "run")} will be executed by the running process, or the next one that starts.`);
  else if (failed && ids.length === 0) note("No run has failed.");
}
