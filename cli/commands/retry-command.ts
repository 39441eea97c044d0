import type { Command } from "commander";
import { addExamples, usageError, type GlobalOptions } from "../command.ts";

export interface RetryOptions extends GlobalOptions {
  failed?: true;
}

/** `retry`: resumes failed or cancelled runs, and retries emails that wait for their server. */
export function addRetryCommand(program: Command): void {
  const command = program
    .command("retry")
    .summary("resume failed runs")
    .description(
      "Resume failed or cancelled runs at the step where they stopped, and immediately retry runs that wait for " +
        "their mail server. A running process executes them, or the next one that starts; this command doesn't wait " +
        "for them.",
    )
    .argument("[id...]", "workflow ids (workflow-…), feedback ids or references")
    .option("--failed", "retry all runs that have failed or wait for their mail server")
    .action(async (ids: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<RetryOptions>();
      if (ids.length === 0 && !options.failed) throw usageError("Name the runs to retry, or use --failed for all.");
      const { retryRuns } = await import("./retry.ts");
      await retryRuns(ids, options);
    });
  addExamples(command, ["retry F-1", "resume one run"], ["retry --failed", "resume all failed runs"]);
}
