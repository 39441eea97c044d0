import { IoError } from "../errors.ts";

/** How often and how late a step is tried again after an error that may pass. Times are milliseconds. */
export interface RetryPolicy {
  /** Attempts in all, the first one included; at least 1. */
  readonly attempts: number;
  /** Before the second attempt; doubles from there. */
  readonly initialDelayMs: number;
  readonly maximumDelayMs: number;
}

/** At most a quarter of a minute from the first failure to the last. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { attempts: 6, initialDelayMs: 500, maximumDelayMs: 60_000 };

/**
 * Milliseconds to wait after the `attempt`-th failure (1-based), or undefined where no attempt is left.
 * Exponential back-off with "equal jitter": half fixed, half random, so that runs that failed together do not come back together.
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

/** Who asks for more patience than this has to do with less: a run must not sleep for days because of one answer. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** What the other side has asked for (`Retry-After`), in milliseconds, at most an hour. It comes on top of `retryDelay`, for its jitter. */
export const askedDelay = (error: unknown): number =>
  error instanceof IoError ? Math.min(error.retryAfterMs, LONGEST_RETRY_AFTER_MS) : 0;
