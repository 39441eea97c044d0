import type { Run, WorkflowEngine } from "../engine/engine.ts";
import { host } from "./host.ts";
import { note, oneLine, plural, print, printJson } from "./output.ts";
import type { RetryOptions } from "./retry-command.ts";
import { allRuns, delayedRuns, findRun, reportUnknownRun, runView, withRuns } from "./runs.ts";

export const retryRuns = (ids: readonly string[], options: RetryOptions): Promise<void> =>
  withRuns(options, (engine) => retryAll(engine, ids, options));

async function retryAll(
  engine: WorkflowEngine | undefined,
  ids: readonly string[],
  { failed, json }: RetryOptions,
): Promise<void> {
  let resumed = 0;
  const retry = async (run: Run): Promise<void> => {
    const goesOn = (await engine?.retry(run.id)) === true;
    if (goesOn) resumed += 1;
    else host().exitCode = 1;
    if (json) printJson(runView((await engine?.get(run.id)) ?? run));
    else print(goesOn ? `${oneLine(run.key)} goes on.` : `${oneLine(run.key)} has not failed: it is ${run.status}.`);
  };
  for (const id of ids) {
    const run = await findRun(engine, id);
    await (run ? retry(run) : reportUnknownRun(id, json === true));
  }
  // Before any is retried: one that fails again meanwhile is not to be retried for ever.
  const all = failed && engine ? [...(await allRuns(engine, "failed")), ...(await delayedRuns(engine))] : [];
  for (const run of all) await retry(run);
  if (resumed > 0) note(`${plural(resumed, "run")} will be executed by the process at work, or the next one.`);
  else if (failed && ids.length === 0) note("No run has failed.");
}
