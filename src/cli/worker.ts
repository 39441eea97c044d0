import type { GlobalOptions } from "./command.ts";
import { INTERRUPTED, untilAborted } from "./interruption.ts";
import { note, print, printJson } from "./output.ts";
import { openMailboxWatcher } from "../parts.ts";
import { settingsFrom } from "./settings.ts";
import { withApplication } from "./with-application.ts";

/** Executes runs until it is told to stop. */
export async function work(options: GlobalOptions): Promise<void> {
  // Whatever WORKER says to the processes beside it.
  const settings = { ...settingsFrom(options), worker: true };
  try {
    await withApplication(settings, async ({ service }, signal) => {
      const mailbox = await openMailboxWatcher(settings, service);
      await mailbox?.start();
      if (options.json) printJson({ status: "ready" });
      else print(`Ready: runs are executed${mailbox ? " and mails taken in" : ""} until Ctrl-C or SIGTERM.`);
      try {
        await untilAborted(signal);
      } finally {
        await mailbox?.close();
      }
    });
  } catch (error) {
    // Told to stop before it was ready.
    if (error !== INTERRUPTED) throw error;
  }
  note("Stopped. Runs that are not finished go on with the next worker.");
}
