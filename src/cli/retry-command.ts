import type { Command } from "commander";
import type { Run, WorkflowEngine } from "../engine/engine.ts";
import { addExamples, usageError, type GlobalOptions } from "./command.ts";
import { host } from "./host.ts";
import { note, oneLine, plural, print, printJson } from "./output.ts";
import { allRuns, delayedRuns, findRun, reportUnknownRun, runView, withRuns } from "./runs.ts";

interface RetryOptions extends GlobalOptions {
  failed?: true;
}

/** `retry`: what has failed or was cancelled goes on, what waits for its mail server is tried now. */
export function addRetryCommand(program: Command): void {
  const command = program
    .command("retry")
    .summary("let runs that failed go on")
    .description(
      "Let runs that failed or were cancelled go on from the step where they stopped, and try those now that wait for their " +
        "mail server. They are executed by the process that is at work, or by the next one; this command does not wait for them.",
    )
    .argument("[id...]", "workflow ids (workflow-…) or feedback ids")
    .option("--failed", "all runs that have failed or wait for their mail server")
    .action(async (ids: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<RetryOptions>();
      if (ids.length === 0 && !options.failed) throw usageError("Name the runs to retry, or give --failed for all.");
      await withRuns(options, (engine) => retryRuns(engine, ids, options));
    });
  addExamples(command, ["retry F-1", "one of them"], ["retry --failed", "all that have failed"]);
}

async function retryRuns(
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
