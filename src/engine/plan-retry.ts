import { IoError } from "../errors.ts";
import type { RetryBudget, RetryPolicy } from "../retry-policies.ts";

/**
 * How long to wait after the `attempt`-th failure (1-based), in milliseconds; undefined if no
 * attempt is left. Exponential back-off with "equal jitter": half fixed, half random, so runs that
 * failed together are not retried together.
 */
export function retryDelay(
  policy: RetryPolicy,
  attempt: number,
  random: () => number = Math.random,
): number | undefined {
  if (attempt >= policy.attempts) return undefined;
  const full = Math.min(policy.initialDelayMs * 2 ** (attempt - 1), policy.maximumDelayMs);
  return Math.round(full / 2 + (random() * full) / 2);
}

/**
 * The longest delay that we accept from the other side: a run must not sleep for days because of
 * one answer.
 */
const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * The delay that the other side has asked for (`Retry-After`), in milliseconds, at most an hour. It
 * is added to `retryDelay`, to keep the jitter.
 */
export const askedDelay = (error: unknown): number =>
  error instanceof IoError ? Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS) : 0;

/**
 * Once a step with a retry budget has been failing for longer than this, callers don't wait for it,
 * however many ordinary attempts it has left.
 */
const CALLERS_WAIT_MS = 60_000;

/** When to retry a step. */
export interface PlannedRetry {
  readonly delayMs: number;
  /**
   * When the retry budget ends. Only present if the step is on its budget. Callers then no longer
   * wait for it.
   */
  readonly until?: Date;
}

/**
 * Plans the retry after a temporary failure; undefined if the step has failed permanently.
 * @param failures the times of the step's failures since the run was accepted or last resumed,
 *   oldest first, this one included; only needed with a budget
 */
export function planRetry(
  policy: RetryPolicy,
  error: unknown,
  { attempt, budget, failures = [] }: { attempt: number; budget?: RetryBudget; failures?: readonly Date[] },
  random: () => number = Math.random,
): PlannedRetry | undefined {
  const asked = askedDelay(error);
  const ordinary = retryDelay(policy, attempt, random);
  const failedAt = failures.at(-1);
  const spent = budget ? spentMs(failures, budget) : 0;
  if (ordinary !== undefined && (!budget || spent + ordinary + asked <= CALLERS_WAIT_MS)) {
    return { delayMs: ordinary + asked };
  }
  if (!budget || !failedAt || spent >= budget.forMs) {
    return ordinary === undefined ? undefined : { delayMs: ordinary + asked };
  }
  const { initialDelayMs } = policy;
  const maximumDelayMs = Math.min(budget.maximumDelayMs, budget.forMs / 8);
  const backOff = retryDelay({ attempts: Infinity, initialDelayMs, maximumDelayMs }, attempt, random)!;
  const left = budget.forMs - spent;
  return { delayMs: Math.min(backOff + asked, left), until: new Date(failedAt.getTime() + left) };
}

/**
 * How much of a budget is spent: the sum of the recorded times between failures. Each pause counts
 * for at most a quarter of the budget and at least zero. So the budget doesn't end at once if the
 * clock was changed or the machine was off.
 */
function spentMs(failures: readonly Date[], { forMs }: RetryBudget): number {
  const pauses = failures.slice(1).map((time, at) => time.getTime() - failures[at]!.getTime());
  return pauses.reduce((sum, pause) => sum + Math.min(Math.max(pause, 0), forMs / 4), 0);
}
