import { host, runIn } from "./host.ts";
import { note } from "./output.ts";

/**
 * The reason of the signal that Ctrl-C or SIGTERM has aborted. Unfinished runs are stored and
 * continue at the next start.
 */
export const INTERRUPTED = new DOMException("Interrupted.", "AbortError");

export const RESUME_NOTE = "Stopped. Run the same command again to continue: finished work is not repeated.";

export const INTERRUPTED_EXIT_CODE = 130;

export const FINISHING_NOTE = "Finishing the current steps. Press Ctrl-C again to end at once.";

/**
 * A terminal sends Ctrl-C to all of its processes, and npm and `node --watch` also pass it on to
 * their children. So a signal within this time counts as a copy of the first. Milliseconds.
 */
const COPIES_MS = 500;

/**
 * Runs `work` with a signal that Ctrl-C (SIGINT) and SIGTERM abort, with `INTERRUPTED` as the
 * reason, so that it can stop cleanly. A second signal ends the process at once.
 * @param message what the user reads while the work ends
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  message = FINISHING_NOTE,
): Promise<Result> {
  const controller = new AbortController();
  const current = host();
  let first = 0;
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - first > COPIES_MS) current.exit(INTERRUPTED_EXIT_CODE);
      return;
    }
    first = performance.now();
    controller.abort(INTERRUPTED);
    // A progress bar removes itself in its own listener first.
    setImmediate(() => runIn(current, () => note(message)));
  };
  current.on("SIGINT", interrupt);
  current.on("SIGTERM", interrupt);
  try {
    return await work(controller.signal);
  } finally {
    current.off("SIGINT", interrupt);
    current.off("SIGTERM", interrupt);
  }
}

/** Resolves at the abort. Keeps the process alive until then, which an idle engine doesn't do. */
export function untilAborted(signal: AbortSignal): Promise<void> {
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
