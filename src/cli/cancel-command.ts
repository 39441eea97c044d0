import type { Command } from "commander";
import type { WorkflowEngine } from "../engine/engine.ts";
import { addExamples, type GlobalOptions } from "./command.ts";
import { host } from "./host.ts";
import { oneLine, print, printJson } from "./output.ts";
import { findRun, reportUnknownRun, runView, withRuns } from "./runs.ts";

/** `cancel`: stops runs before their next step. */
export function addCancelCommand(program: Command): void {
  const command = program
    .command("cancel")
    .summary("stop runs before their next step")
    .description(
      "Stop runs before their next step. What their steps have done stays done; `retry`, or the same feedback submitted " +
        "again, lets them go on.",
    )
    .argument("<id...>", "workflow ids (workflow-…) or feedback ids")
    .action(async (ids: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      await withRuns(options, async (engine) => {
        for (const id of ids) await cancelRun(engine, id, options.json === true);
      });
    });
  addExamples(command, ["cancel F-1", "one that need not go on"]);
}

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
