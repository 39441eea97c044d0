import { Option, type Command } from "commander";
import { RUN_STATUSES, type RunStatus } from "../../src/engine/engine.ts";
import { addExamples, positiveNumber, type GlobalOptions } from "../command.ts";

export interface StatusOptions extends GlobalOptions {
  status?: RunStatus;
  workflow?: string;
  limit: number;
  history?: true;
}

/** `status`: only reads the runs, so it works while another process executes them. */
export function addStatusCommand(program: Command): void {
  const command = program
    .command("status")
    .summary("show the status of runs")
    .description(
      "Show a run by its workflow id, its feedback id or the reference that the customer quotes. Without an id, " +
        "list the latest runs. Works while another process is executing runs.",
    )
    .argument("[id]", "workflow id (workflow-…), feedback id or reference")
    .addOption(new Option("--status <status>", "only runs with this status").choices(RUN_STATUSES))
    .option("--workflow <name>", "only runs of this workflow")
    .option("--history", "with an id: show every attempt of every step")
    .option("--limit <number>", "how many of the latest runs to show at most", positiveNumber, 20)
    .action(async (id: string | undefined, _options, command: Command) => {
      const { showStatus } = await import("./status.ts");
      await showStatus(id, command.optsWithGlobals<StatusOptions>());
    });
  addExamples(
    command,
    ["status", "list the latest runs"],
    [
      "status 7Q4KD-0M2XF",
      "find a run by the reference that a customer quotes; case, spaces, O or 0, and I, L or 1 don't matter",
    ],
    ["status F-1 --history", "show one run, with every attempt of its steps"],
    ["status --status failed --json", "list what failed"],
  );
}
