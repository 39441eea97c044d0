/**
 * All retry policies: what is retried, how often and for how long. Times are in milliseconds. The
 * defaults of settings and options come from here.
 */
import { toMilliseconds } from "./duration.ts";

/**
 * How often, and after which delays, a step is retried after a temporary error. Times are in
 * milliseconds.
 */
export interface RetryPolicy {
  /** Total number of attempts, including the first one; at least 1. */
  readonly attempts: number;
  /** Delay before the second attempt. It doubles with each further attempt. */
  readonly initialDelayMs: number;
  readonly maximumDelayMs: number;
}

/**
 * How long a step is retried after its ordinary attempts. This is for services that may be
 * unavailable for hours, such as a mail server that greylists us. Times are in milliseconds.
 */
export interface RetryBudget {
  /** Time since the first failure. 0: no longer than the ordinary attempts. */
  readonly forMs: number;
  /** Delays double up to this, and up to an eighth of `forMs`. */
  readonly maximumDelayMs: number;
}

/**
 * Steps of runs; `RETRY_ATTEMPTS` and `RETRY_DELAY_MS` change it. The last failure comes at most a
 * quarter of a minute after the first.
 */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { attempts: 6, initialDelayMs: 500, maximumDelayMs: 60_000 };

/**
 * A day. RFC 5321 section 4.5.4.1 asks for several days, but by then a customer should hear from a
 * person.
 */
export const MAIL_RETRY_FOR = "1d";

/**
 * Steps that send an email; `MAIL_RETRY_FOR` changes it. Greylisting usually ends after about five
 * minutes. A server that is unavailable for longer should not be asked all the time.
 */
export const MAIL_RETRY_BUDGET: RetryBudget = { forMs: toMilliseconds(MAIL_RETRY_FOR), maximumDelayMs: 900_000 };

/**
 * Notifications. A receiver may be unavailable for a night; after a whole weekend, the notification
 * is of no use.
 */
export const NOTIFICATION_RETRY_BUDGET: RetryBudget = { forMs: 86_400_000, maximumDelayMs: 900_000 };

/**
 * Reading the run that a notification is about. The run may first have to be executed again before
 * its state is final.
 */
export const RUN_CHECK_RETRY_BUDGET: RetryBudget = { forMs: 86_400_000, maximumDelayMs: 60_000 };

/**
 * HTTP requests to services, for each attempt after the first. If a service asks for a delay longer
 * than `longestAskedMs`, the step is retried instead, which occupies no worker in the meantime.
 */
export const HTTP_RETRY = { retries: 3, initialDelayMs: 200, maximumDelayMs: 5000, longestAskedMs: 30_000 } as const;

/** Notifications that are posted. Their steps have a retry budget of a day as well. */
export const WEBHOOK_RETRIES = 2;

/** The engine's retries while a database is unavailable; they continue until it is back. */
export const DATABASE_RETRY = { initialDelayMs: 50, maximumDelayMs: 1000 } as const;

/** Repeating a flush that has failed. */
export const FLUSH_RETRY = { attempts: 10, delayMs: 200 } as const;

/** Connections to a mailbox that can't be reached; they continue until it can. */
export const MAILBOX_RETRY = { initialDelayMs: 1000, maximumDelayMs: 300_000 } as const;

/**
 * An agent's calls to its model, for each attempt after the first. If the service asks for a delay
 * longer than `longestAskedMs`, we don't wait.
 */
export const AGENT_MODEL_RETRY = {
  retries: 3,
  initialDelayMs: 500,
  maximumDelayMs: 8000,
  longestAskedMs: 60_000,
} as const;

/**
 * Judgements by a model, for each attempt after the first. The time limit for a text covers the
 * calls and two of the longest delays that the service may ask for.
 */
export const JUDGEMENT_RETRY = { retries: 2, longestAskedMs: 8000 } as const;
