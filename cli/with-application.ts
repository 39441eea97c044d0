import { openApplication, type Application } from "../src/application/application.ts";
import type { Settings } from "../src/application/settings.ts";
import { interruptible } from "./terminal/interruption.ts";
import { executesRuns, loggerFor } from "./settings.ts";

/**
 * Opens the application for the duration of `work`. Ctrl-C aborts the signal of `work`; the current
 * steps are finished before the application closes.
 * @param options `worker`: whether to execute runs, whatever the settings say. Default: see
 *   `executesRuns`
 */
export const withApplication = <Result>(
  settings: Settings,
  work: (application: Application, signal: AbortSignal) => Promise<Result>,
  options: { worker?: boolean } = {},
): Promise<Result> =>
  interruptible(async (signal) => {
    const application = await openApplication(settings, loggerFor(settings), {
      worker: executesRuns(settings),
      ...options,
    });
    try {
      signal.throwIfAborted();
      return await work(application, signal);
    } finally {
      await application.close();
    }
  });
