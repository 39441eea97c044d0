import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `worker`: executes runs that any process has started, until it is stopped. */
export function addWorkerCommand(program: Command): void {
  const command = program
    .command("worker")
    .summary("execute runs until stopped")
    .description(
      "Execute runs until Ctrl-C or SIGTERM; then finish the current steps, and let other workers continue the " +
        "rest at once. With DATABASE_URL and ONTOLOGY_URL, any number of workers share the work, on any number of " +
        "machines; a data directory can have only one. With IMAP_URL, it also processes the emails of that mailbox. " +
        "LOG_LEVEL=info shows what it does.",
    )
    .action(async (_options, command: Command) => {
      const { runWorker } = await import("./worker.ts");
      await runWorker(command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(
    command,
    ["worker", "run one worker on a data directory"],
    ["worker --data worker-2", "run one of several workers, which share DATABASE_URL and ONTOLOGY_URL"],
  );
}
