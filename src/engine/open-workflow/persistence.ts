import pRetry from "p-retry";
import { describeCause, type Logger } from "../../log.ts";
import { isUnwritable } from "./postgres-error.ts";

/** How long it goes on while the engine closes. Milliseconds. */
const PATIENCE_AT_CLOSE_MS = 3000;
/** So many failures, about a second of them, are worth a line in the log. */
const FAILURES_TO_TELL = 5;

/** OpenWorkflow's words for "this run is no longer yours": no fault of the database, and no use trying again. */
export const isDisowned = (error: unknown): boolean => error instanceof Error && error.message.startsWith("Failed to ");

/**
 * What must reach the database, because what has happened would happen again otherwise: tried until it does, however long the
 * database is away. Only an engine that closes gives up, after three seconds, and what can never be written is not tried again.
 */
export class Persistence {
  readonly #logger: Logger;
  #closingSince: number | undefined;
  /** Whether something could not be written down before the end. */
  gaveUp = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  closeSoon(): void {
    this.#closingSince ??= performance.now();
  }

  async until<Result>(work: () => Promise<Result>): Promise<Result> {
    const start = performance.now();
    const givesUp = (): boolean => {
      if (this.#closingSince === undefined) return false;
      return performance.now() - Math.max(start, this.#closingSince) > PATIENCE_AT_CLOSE_MS;
    };
    return pRetry(work, {
      retries: Infinity,
      minTimeout: 50,
      maxTimeout: 1000,
      shouldRetry: ({ error, attemptNumber }) => {
        if (isDisowned(error) || isUnwritable(error)) return false;
        if (attemptNumber === FAILURES_TO_TELL) {
          const cause = describeCause(error);
          this.#logger.warn({ cause }, "the workflow database does not take what a run has done; trying on");
        }
        this.gaveUp ||= givesUp();
        return !this.gaveUp;
      },
    });
  }
}
