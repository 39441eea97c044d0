import type { Command } from "commander";
import { addExamples, type GlobalOptions } from "../command.ts";

/** `worker`: executes runs that any process has started, until it is told to stop. */
export function addWorkerCommand(program: Command): void {
  const command = program
    .command("worker")
    .summary("execute runs until told to stop")
    .description(
      "Execute runs until Ctrl-C or SIGTERM: then the steps in hand are finished, and other workers go on with the rest at once. " +
        "With DATABASE_URL and ONTOLOGY_URL any number of workers share the work, on any number of machines; with the files of " +
        "a data directory there can be one. With IMAP_URL it also takes in the mails of that mailbox. LOG_LEVEL=info shows what it does.",
    )
    .action(async (_options, command: Command) => {
      const { runWorker } = await import("./worker.ts");
      await runWorker(command.optsWithGlobals<GlobalOptions>());
    });
  addExamples(
    command,
    ["worker", "one worker on a data directory"],
    ["worker --data worker-2", "one of several; DATABASE_URL and ONTOLOGY_URL name what they share"],
  );
}
