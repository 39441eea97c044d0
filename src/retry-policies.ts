/**
 * All retry policies: what is retried, how often and for how long. Times are in milliseconds. The
 * defaults of settings and options come from here.
 */
import { toMilliseconds } from "./duration.ts";

/** How often, and after which delays, a step is tried again after a temporary error. */
export interface RetryPolicy {
  /** Total number of attempts, including the first one; at least 1. */
  readonly attempts: number;
  /** Delay before the second attempt. It doubles with each further attempt. */
  readonly initialDelayMs: number;
  readonly maximumDelayMs: number;
}

/**
 * How long a step is retried, beyond its ordinary attempts. This is for services that may be
 * unavailable for hours, such as a mail server that greylists us.
 */
export interface RetryBudget {
  /**
   * How long after its first failure the step is still retried. 0: no longer than the ordinary
   * attempts.
   */
  readonly forMs: number;
  /** Delays double up to this or an eighth of `forMs`, whichever is less. */
  readonly maximumDelayMs: number;
}

/**
 * Steps of runs; `RETRY_ATTEMPTS` and `RETRY_DELAY_MS` change this policy. Its delays add up to at
 * most 15.5 seconds, unless a service asks for longer ones.
 */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { attempts: 6, initialDelayMs: 500, maximumDelayMs: 60_000 };

/**
 * A day. RFC 5321 section 4.5.4.1 asks for several days, but by then a customer should have heard
 * from a person.
 */
export const MAIL_RETRY_FOR = "1d";

/**
 * Steps that send an email; the setting `MAIL_RETRY_FOR` changes `forMs`. Greylisting usually ends
 * after about five minutes. A server that is unavailable for longer should not be asked all the
 * time.
 */
export const MAIL_RETRY_BUDGET: RetryBudget = { forMs: toMilliseconds(MAIL_RETRY_FOR), maximumDelayMs: 900_000 };

/**
 * Notifications. A receiver may be unavailable for a night; after a whole weekend, the notification
 * is of no use.
 */
export const NOTIFICATION_RETRY_BUDGET: RetryBudget = { forMs: 86_400_000, maximumDelayMs: 900_000 };

/**
 * Reading the run that a notification is about. The run may have to be executed again before its
 * state is final.
 */
export const RUN_CHECK_RETRY_BUDGET: RetryBudget = { forMs: 86_400_000, maximumDelayMs: 60_000 };

/**
 * HTTP requests to services. `retries` doesn't count the first request. If a service asks for a
 * delay longer than `longestAskedMs`, the request is not repeated. Its step is retried instead,
 * which occupies no worker during the delay.
 */
export const HTTP_RETRY = { retries: 3, initialDelayMs: 200, maximumDelayMs: 5000, longestAskedMs: 30_000 } as const;

/**
 * How often the HTTP request for a notification is repeated. Its step has a retry budget of a day
 * as well.
 */
export const WEBHOOK_RETRIES = 2;

/**
 * What the engine repeats while its database is unavailable. Writes of runs are repeated until the
 * database is back.
 */
export const DATABASE_RETRY = { initialDelayMs: 50, maximumDelayMs: 1000 } as const;

/** Flushes of a SQLite file. `attempts` doesn't count the first one. */
export const FLUSH_RETRY = { attempts: 10, delayMs: 200 } as const;

/** Attempts to connect to a mailbox that can't be reached; they continue until one succeeds. */
export const MAILBOX_RETRY = { initialDelayMs: 1000, maximumDelayMs: 300_000 } as const;

/**
 * An agent's calls to its model. `retries` doesn't count the first call. If the service asks for a
 * delay longer than `longestAskedMs`, the call fails at once.
 */
export const AGENT_MODEL_RETRY = {
  retries: 3,
  initialDelayMs: 500,
  maximumDelayMs: 8000,
  longestAskedMs: 60_000,
} as const;

/**
 * A model's judgements of texts. `retries` doesn't count the first call. If the service asks for a
 * delay longer than `longestAskedMs`, the call fails at once. Two of the longest delays fit into
 * the default time limit for a text, which is 20 seconds.
 */
export const JUDGEMENT_RETRY = { retries: 2, longestAskedMs: 8000 } as const;
