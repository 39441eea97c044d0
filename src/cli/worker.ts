import type { GlobalOptions } from "./command.ts";
import { INTERRUPTED } from "./interruption.ts";
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
      await aborted(signal);
    });
  } catch (error) {
    // Told to stop before it was ready.
    if (error !== INTERRUPTED) throw error;
  }
  note("Stopped. Runs that are not finished go on with the next worker.");
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
