import type { WireError } from "../errors.ts";
import type { LoggedCause, Logger } from "../log.ts";

const REMINDER_MS = 3_600_000;
/** A run that has not failed for so long has gone on elsewhere: every step is tried again sooner. */
const FORGOTTEN_MS = 3 * REMINDER_MS;

/** A failure of one attempt that is not the last one. */
export interface LoggedFailure extends Pick<WireError, "error" | "error_code"> {
  readonly runId: string;
  readonly step: string;
  readonly attempt: number;
  readonly retryInMs: number;
  /** When the step failed first. */
  readonly since: Date;
  readonly cause?: LoggedCause | undefined;
}

/** One reason why a step keeps failing, in any number of runs. */
interface Trouble {
  readonly step: string;
  since: Date;
  /** When each run has failed last, by `performance.now()`. */
  readonly runs: Map<string, number>;
  loggedAt: number;
}

/**
 * What the log says about steps that are tried again for hours: once when a reason appears, with the other side's words, once an hour
 * while it lasts, and once when no run has it any more. The attempts between are there at the level `debug`.
 */
export class FailureLog {
  readonly #logger: Logger;
  readonly #troubles = new Map<string, Trouble>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  failed({ runId, step, attempt, retryInMs, since, error, error_code: code, cause }: LoggedFailure): void {
    const now = performance.now();
    this.#forgetOld(now);
    const key = JSON.stringify([step, code, error]);
    this.#forget(runId, step, key);
    const isNew = !this.#troubles.has(key);
    const trouble = this.#troubles.get(key) ?? { step, since, runs: new Map(), loggedAt: now };
    this.#troubles.set(key, trouble);
    trouble.runs.set(runId, now);
    if (since < trouble.since) trouble.since = since;
    const facts = { step, code, runs_failing: trouble.runs.size, failing_since: trouble.since.toISOString() };
    if (isNew || now - trouble.loggedAt > REMINDER_MS) {
      trouble.loggedAt = now;
      this.#logger.warn({ ...facts, run_id: runId, attempt, retry_in_ms: retryInMs, cause }, error);
    } else {
      this.#logger.debug({ ...facts, run_id: runId, attempt, retry_in_ms: retryInMs, cause }, error);
    }
  }

  /** A step has come to its end, or its run has. */
  passed(runId: string, step?: string): void {
    this.#forget(runId, step);
  }

  /** Another process has gone on with these runs, and what became of them is not known here. */
  #forgetOld(now: number): void {
    for (const [key, trouble] of this.#troubles) {
      for (const [run, failedAt] of trouble.runs) if (now - failedAt > FORGOTTEN_MS) trouble.runs.delete(run);
      this.#endIfOver(key, trouble);
    }
  }

  #forget(runId: string, step?: string, except?: string): void {
    for (const [key, trouble] of this.#troubles) {
      if (key === except || (step !== undefined && trouble.step !== step)) continue;
      if (trouble.runs.delete(runId)) this.#endIfOver(key, trouble);
    }
  }

  #endIfOver(key: string, { step, since, runs }: Trouble): void {
    if (runs.size > 0) return;
    this.#troubles.delete(key);
    this.#logger.info({ step, failing_since: since.toISOString() }, "no run fails for this reason any more");
  }
}
