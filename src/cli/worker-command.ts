import type { Command } from "commander";
import { addExamples, settingsFrom, type GlobalOptions } from "./command.ts";
import { INTERRUPTED } from "./interruption.ts";
import { note, print, printJson } from "./output.ts";
import { withApplication } from "./with-application.ts";

/** `worker`: executes runs that any process has started, until it is told to stop. */
export function addWorkerCommand(program: Command): void {
  const command = program
    .command("worker")
    .summary("execute runs until told to stop")
    .description(
      "Execute runs until Ctrl-C or SIGTERM: then the steps in hand are finished, and other workers go on with the rest at once. " +
        "With DATABASE_URL and ONTOLOGY_URL any number of workers share the work, on any number of machines; with the files of " +
        "a data directory there can be one. LOG_LEVEL=info shows what it does.",
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      // Whatever WORKER says to the processes beside it.
      const settings = { ...settingsFrom(options), worker: true };
      try {
        await withApplication(settings, async (_application, signal) => {
          if (options.json) printJson({ status: "ready" });
          else print("Ready: runs are executed until Ctrl-C or SIGTERM.");
          await aborted(signal);
        });
      } catch (error) {
        // Told to stop before it was ready.
        if (error !== INTERRUPTED) throw error;
      }
      note("Stopped. Runs that are not finished go on with the next worker.");
    });
  addExamples(
    command,
    ["worker", "one worker on a data directory"],
    ["worker --data worker-2", "one of several; DATABASE_URL and ONTOLOGY_URL name what they share"],
  );
}

/** Resolves at the abort, and keeps the process alive until then: an idle engine does not. */
function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const alive = setInterval(() => {}, 3_600_000);
  const end = (): void => {
    clearInterval(alive);
    resolve();
  };
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return promise;
}
