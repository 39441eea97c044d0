/**
 * What is tried again, how often and for how long. Times are milliseconds. Settings and options have their defaults from here.
 */
import { toMilliseconds } from "./duration.ts";

/** How often and how late a step is tried again after an error that may pass. Times are milliseconds. */
export interface RetryPolicy {
  /** Attempts in all, the first one included; at least 1. */
  readonly attempts: number;
  /** Before the second attempt; doubles from there. */
  readonly initialDelayMs: number;
  readonly maximumDelayMs: number;
}

/**
 * How long a step goes on being tried after its ordinary attempts: for what is away or busy for hours, such as a mail server that
 * greylists us. Times are milliseconds.
 */
export interface RetryBudget {
  /** From the first failure on. 0: no longer than the ordinary attempts. */
  readonly forMs: number;
  /** Delays double up to this, and up to an eighth of `forMs`. */
  readonly maximumDelayMs: number;
}

/** Steps of runs; `RETRY_ATTEMPTS` and `RETRY_DELAY_MS` change it. At most a quarter of a minute from the first failure to the last. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = { attempts: 6, initialDelayMs: 500, maximumDelayMs: 60_000 };

/** A day. RFC 5321 section 4.5.4.1 asks for days; a person who wrote to us would rather hear from somebody by then. */
export const MAIL_RETRY_FOR = "1d";

/**
 * Steps that send a mail; `MAIL_RETRY_FOR` changes it. Greylisting mostly opens after some five minutes, and who is away for longer is not
 * to be asked all the time.
 */
export const MAIL_RETRY_BUDGET: RetryBudget = { forMs: toMilliseconds(MAIL_RETRY_FOR), maximumDelayMs: 900_000 };

/** Notifications. A receiver may be away for a night, and for a weekend nobody waits. */
export const NOTIFICATION_RETRY_BUDGET: RetryBudget = { forMs: 86_400_000, maximumDelayMs: 900_000 };

/** The look at the run that a notification is about, which may have to be taken up again before it comes to rest. */
export const RUN_CHECK_RETRY_BUDGET: RetryBudget = { forMs: 86_400_000, maximumDelayMs: 60_000 };

/**
 * HTTP requests to services, each attempt after the first. Who asks for more patience than `longestAskedMs` is better served by the retries
 * of steps, which hold no worker meanwhile.
 */
export const HTTP_RETRY = { retries: 3, initialDelayMs: 200, maximumDelayMs: 5000, longestAskedMs: 30_000 } as const;

/** Notifications that are posted. Their steps have a budget of a day. */
export const WEBHOOK_RETRIES = 2;

/** A database that is away, by the engine, until it is back. */
export const DATABASE_RETRY = { initialDelayMs: 50, maximumDelayMs: 1000 } as const;

/** A flush that has failed. */
export const FLUSH_RETRY = { attempts: 10, delayMs: 200 } as const;

/** A mailbox that can't be reached, until it can. */
export const MAILBOX_RETRY = { initialDelayMs: 1000, maximumDelayMs: 300_000 } as const;

/** An agent's calls of its model, each attempt after the first. Who asks for more than `longestAskedMs` is not waited for. */
export const AGENT_MODEL_RETRY = {
  retries: 3,
  initialDelayMs: 500,
  maximumDelayMs: 8000,
  longestAskedMs: 60_000,
} as const;

/**
 * Judgements by a model, each attempt after the first: twice what the service may ask us to wait, and the calls themselves, have their
 * place in the time for a text.
 */
export const JUDGEMENT_RETRY = { retries: 2, longestAskedMs: 8000 } as const;
