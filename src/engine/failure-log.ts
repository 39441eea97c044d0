import type { WireError } from "../errors.ts";
import type { LoggedCause, Logger } from "../log.ts";

const REMINDER_MS = 3_600_000;
/**
 * A run whose retry has been due for longer than this is assumed to be executed elsewhere, because
 * its step would have failed or passed here by now.
 */
const STALE_MS = 3 * REMINDER_MS;

/** One failed attempt that will be retried. */
export interface LoggedFailure extends Pick<WireError, "error" | "error_code"> {
  readonly runId: string;
  readonly step: string;
  readonly attempt: number;
  readonly retryInMs: number;
  /** When the step first failed. */
  readonly since: Date;
  readonly cause?: LoggedCause | undefined;
}

/** Why a step keeps failing, in any number of runs. */
interface FailureReason {
  readonly step: string;
  since: Date;
  /** When each run is to be forgotten unless it fails again, by `performance.now()`. */
  readonly runs: Map<string, number>;
  loggedAt: number;
}

/**
 * Logs steps that are retried for hours without flooding the log: once when a reason appears, once
 * an hour while it lasts, and once when no run has it any more. All other failures are logged at
 * level `debug`.
 */
export class FailureLog {
  readonly #logger: Logger;
  readonly #reasons = new Map<string, FailureReason>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  failed({ runId, step, attempt, retryInMs, since, error, error_code: code, cause }: LoggedFailure): void {
    const now = performance.now();
    this.#forgetOld(now);
    const key = JSON.stringify([step, code, error]);
    this.#forget(runId, step, key);
    const isNew = !this.#reasons.has(key);
    const reason = this.#reasons.get(key) ?? { step, since, runs: new Map(), loggedAt: now };
    this.#reasons.set(key, reason);
    reason.runs.set(runId, now + retryInMs + STALE_MS);
    if (since < reason.since) reason.since = since;
    const facts = { step, code, runs_failing: reason.runs.size, failing_since: reason.since.toISOString() };
    if (isNew || now - reason.loggedAt > REMINDER_MS) {
      reason.loggedAt = now;
      this.#logger.warn({ ...facts, run_id: runId, attempt, retry_in_ms: retryInMs, cause }, error);
    } else {
      this.#logger.debug({ ...facts, run_id: runId, attempt, retry_in_ms: retryInMs, cause }, error);
    }
  }

  /** Call this when the step, or the whole run, has ended. */
  ended(runId: string, step?: string): void {
    this.#forget(runId, step);
  }

  /** Forgets runs that another process has taken over. */
  #forgetOld(now: number): void {
    for (const [key, reason] of this.#reasons) {
      for (const [run, staleAt] of reason.runs) if (now > staleAt) reason.runs.delete(run);
      this.#endIfOver(key, reason);
    }
  }

  #forget(runId: string, step?: string, except?: string): void {
    for (const [key, reason] of this.#reasons) {
      if (key === except || (step !== undefined && reason.step !== step)) continue;
      if (reason.runs.delete(runId)) this.#endIfOver(key, reason);
    }
  }

  #endIfOver(key: string, { step, since, runs }: FailureReason): void {
    if (runs.size > 0) return;
    this.#reasons.delete(key);
    this.#logger.info({ step, failing_since: since.toISOString() }, "no run fails for this reason any more");
  }
}
