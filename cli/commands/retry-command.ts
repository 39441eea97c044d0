import type { Command } from "commander";
import { addExamples, usageError, type GlobalOptions } from "../command.ts";

export interface RetryOptions extends GlobalOptions {
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
      const { retryRuns } = await import("./retry.ts");
      await retryRuns(ids, options);
    });
  addExamples(command, ["retry F-1", "one of them"], ["retry --failed", "all that have failed"]);
}
