import type { Application } from "../application.ts";
import type { Settings } from "../settings.ts";
import { interruptible } from "./interruption.ts";

/** Opens the application for the time of `work`, which Ctrl-C asks to end; the steps in hand are finished either way. */
export const withApplication = <Result>(
  settings: Settings,
  work: (application: Application, signal: AbortSignal) => Promise<Result>,
): Promise<Result> =>
  interruptible(async (signal) => {
    const { openApplication } = await import("../application.ts");
    const application = await openApplication(settings);
    try {
      signal.throwIfAborted();
      return await work(application, signal);
    } finally {
      await application.close();
    }
  });
