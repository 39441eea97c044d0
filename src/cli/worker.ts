import type { GlobalOptions } from "./command.ts";
import { INTERRUPTED, untilAborted } from "./interruption.ts";
import { note, print, printJson } from "./output.ts";
import { settingsFrom } from "./settings.ts";
import { withApplication } from "./with-application.ts";

/** Executes runs until it is told to stop. */
export async function work(options: GlobalOptions): Promise<void> {
  // Whatever WORKER says to the processes beside it.
  const settings = { ...settingsFrom(options), worker: true };
  try {
    await withApplication(settings, async (_application, signal) => {
      if (options.json) printJson({ status: "ready" });
      else print("Ready: runs are executed until Ctrl-C or SIGTERM.");
      await untilAborted(signal);
    });
  } catch (error) {
    // Told to stop before it was ready.
    if (error !== INTERRUPTED) throw error;
  }
  note("Stopped. Runs that are not finished go on with the next worker.");
}
