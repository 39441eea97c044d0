import { Option, type Command } from "commander";
import { RUN_STATUSES, type RunStatus } from "../../src/engine/engine.ts";
import { addExamples, positiveNumber, type GlobalOptions } from "../command.ts";

export interface StatusOptions extends GlobalOptions {
  status?: RunStatus;
  workflow?: string;
  limit: number;
  history?: true;
}

/** `status`: looks at the runs without taking part, so that it works beside a process that executes them. */
export function addStatusCommand(program: Command): void {
  const command = program
    .command("status")
    .summary("show how far runs are")
    .description(
      "Show a run by its workflow id, its feedback id or the reference that the customer quotes, or the latest runs. " +
        "Works while another process is at work.",
    )
    .argument("[id]", "workflow id (workflow-…), feedback id or reference")
    .addOption(new Option("--status <status>", "only runs in this status").choices(RUN_STATUSES))
    .option("--workflow <name>", "only runs of this workflow")
    .option("--history", "with an id: every attempt of every step")
    .option("--limit <number>", "at most so many of the latest runs", positiveNumber, 20)
    .action(async (id: string | undefined, _options, command: Command) => {
      const { showStatus } = await import("./status.ts");
      await showStatus(id, command.optsWithGlobals<StatusOptions>());
    });
  addExamples(
    command,
    ["status", "the latest runs"],
    ["status 7Q4KD-0M2XF", "by the reference that a customer quotes; case, blanks, O and 0, I and 1 do not matter"],
    ["status F-1 --history", "one of them, with every attempt of its steps"],
    ["status --status failed --json", "what failed"],
  );
}
