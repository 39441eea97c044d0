import { setTimeout as pause } from "node:timers/promises";
import type { ImapFlow } from "imapflow";
import { IoError, isAbiError, ValidationError } from "../../errors.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import { MAILBOX_RETRY } from "../../retry-policies.ts";
import { MAX_MAIL_BYTES } from "./incoming-mail.ts";
import { parseImapUrl, type ImapMailbox } from "./imap-url.ts";

/** The keyword for emails that were processed. */
export const TAKEN_KEYWORD = "abi-taken";

const FLAGGED = String.raw`\Flagged`;

/** IDLE is restarted after this time, because some servers end a longer one. Milliseconds. */
const MAX_IDLE_MS = 5 * 60_000;
/**
 * IDLE is sent this long after the last command, so that the server reports new emails.
 * Milliseconds.
 */
const IDLE_AFTER_MS = 200;
const CONNECTION_TIMEOUT_MS = 10_000;
/** After this many failures in a row, the emails are unlikely to be the cause. */
const MAX_FAILURES = 5;
/**
 * If the watcher is closed while it receives an email, its connection is closed after this time.
 * Milliseconds.
 */
const CLOSE_GRACE_MS = 10_000;
/** An idle connection is silent for less than this. */
const SOCKET_TIMEOUT_MS = MAX_IDLE_MS + 60_000;

export interface MailboxWatcherOptions {
  /** See `parseImapUrl`. */
  url: string;
  /**
   * Folder to which emails are moved when they are done; it is created if it is missing. Default:
   * they stay where they are, with the keyword `abi-taken`.
   */
  doneFolder?: string | undefined;
  /**
   * Accepts an email and resolves when its outcome is durable; only then is the email marked or
   * moved. If the process dies before that, the email comes again after a restart. With the status
   * `needs_person`, the email is flagged (`\Flagged`).
   * @throws IoError if it can't accept the email now; then it gets the email again later
   * @throws ValidationError if it never can; then the email is flagged for a person
   */
  receive: (raw: Uint8Array) => Promise<{ status: string }>;
  logger?: Logger;
  /**
   * Delay before the watcher reconnects, in milliseconds. It doubles with each failure, up to the
   * maximum. Default: 1 s, at most 5 min. An email that can't be accepted for now is retried after
   * the maximum.
   */
  retry?: { initialDelayMs: number; maximumDelayMs: number };
}

/** Watches a mailbox on an IMAP server (RFC 9051), and passes each incoming email to a receiver. */
export class MailboxWatcher {
  readonly #mailbox: ImapMailbox;
  #client: ImapFlow | undefined;
  #hasNews = false;
  /** UIDs of emails that couldn't be taken. The one that was tried last comes last. */
  readonly #failed = new Set<number>();
  #isReceiving = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #options: MailboxWatcherOptions;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #delayMs = 0;
  #watching: Promise<void> | undefined;
  #wake = (): void => {};

  /** @throws ValidationError (`invalid_configuration`) for an invalid URL or folder */
  constructor(options: MailboxWatcherOptions) {
    this.#mailbox = parseImapUrl(options.url);
    if (options.doneFolder === this.#mailbox.folder) {
      throw misconfigured(
        "Processed emails can't be moved to the folder that is watched. Name another one in IMAP_DONE_FOLDER.",
      );
    }
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  /**
   * Starts to watch. Resolves when the mailbox is open, and also if it can't be reached at the
   * moment; the watcher then keeps trying. Call `start` only once.
   * @throws ValidationError (`invalid_configuration`) if the server refuses the login or a folder,
   *   or if emails can't be marked as processed
   */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#watching ??= this.#watch(resolve, reject);
    await promise;
  }

  /** Finishes the current email, and leaves the rest to the next start. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#retry);
    this.#wake();
    if (this.#watching === undefined) return;
    // Don't wait for a silent server. If an email is being received, keep the connection a little
    // longer, so that it can still be marked; an unmarked email is delivered again.
    if (!this.#isReceiving) this.#client?.close();
    const timer = setTimeout(() => this.#client?.close(), CLOSE_GRACE_MS);
    await this.#watching.finally(() => clearTimeout(timer));
  }

  async #watch(started: () => void, failed: (error: unknown) => void): Promise<void> {
    let isFirst = true;
    while (!this.#closing.signal.aborted) {
      try {
        await this.#session(() => {
          isFirst = false;
          started();
        });
      } catch (error) {
        if (isFirst && error instanceof ValidationError) return failed(error);
        this.#logger.warn({ cause: describeCause(error) }, "the mailbox can't be read; retrying");
      }
      isFirst = false;
      started();
      await this.#waitBeforeNext();
    }
  }

  async #waitBeforeNext(): Promise<void> {
    const { initialDelayMs, maximumDelayMs } = this.#options.retry ?? MAILBOX_RETRY;
    this.#delayMs = Math.min(Math.max(2 * this.#delayMs, initialDelayMs), maximumDelayMs);
    const { signal } = this.#closing;
    await pause(this.#delayMs, undefined, { signal }).catch(() => {});
  }

  /** One connection, from its beginning to its end. */
  async #session(opened: () => void): Promise<void> {
    const client = await this.#connect();
    this.#client = client;
    this.#hasNews = true;
    let problem: Error | undefined;
    const end = (error?: Error): void => {
      problem ??= error;
      this.#wake();
    };
    client.on("error", end);
    client.on("close", () => end());
    client.on("exists", () => {
      this.#hasNews = true;
      this.#wake();
    });
    try {
      await this.#open(client);
      opened();
      while (client.usable && !this.#closing.signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        if (this.#hasNews) {
          this.#hasNews = false;
          await this.#takeAll(client);
          this.#delayMs = 0;
        } else await promise;
      }
      if (problem) throw problem;
    } finally {
      this.#client = undefined;
      if (this.#closing.signal.aborted) client.close();
      else await leave(client);
    }
  }

  async #connect(): Promise<ImapFlow> {
    const { ImapFlow } = await import("imapflow");
    const { host, port, secure, requireTls, user, password } = this.#mailbox;
    const client = new ImapFlow({
      host,
      port,
      secure,
      ...(!secure && { doSTARTTLS: requireTls }),
      auth: { user, pass: password },
      logger: false,
      autoIdleDelay: IDLE_AFTER_MS,
      maxIdleTime: MAX_IDLE_MS,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
    });
    // A listener until the session adds its own, because an error without a listener ends the
    // process.
    client.on("error", () => {});
    try {
      await client.connect();
    } catch (cause) {
      await leave(client);
      const { authenticationFailed } = cause as { authenticationFailed?: boolean };
      if (authenticationFailed === true) {
        throw misconfigured("The IMAP server refuses the user or the password. Check IMAP_URL.", cause);
      }
      throw new IoError("The IMAP server can't be reached.", { code: "mailbox_unavailable", cause });
    }
    return client;
  }

  async #open(client: ImapFlow): Promise<void> {
    const { folder } = this.#mailbox;
    const { doneFolder } = this.#options;
    try {
      if (doneFolder !== undefined) await client.mailboxCreate(doneFolder);
      const { permanentFlags, readOnly } = await client.mailboxOpen(folder);
      const keepsKeywords = permanentFlags?.has(String.raw`\*`) === true || permanentFlags?.has(TAKEN_KEYWORD) === true;
      if (readOnly === true || (doneFolder === undefined && !keepsKeywords)) {
        throw misconfigured(
          "The mailbox can't mark emails as processed. Set IMAP_DONE_FOLDER to a folder to which they can be moved. If that is already set, the mailbox is read-only.",
        );
      }
    } catch (cause) {
      if (isAbiError(cause)) throw cause;
      if (!client.usable)
        throw new IoError("The IMAP server has closed the connection.", { code: "mailbox_unavailable", cause });
      throw misconfigured("The IMAP server does not open the folder. Check IMAP_URL and IMAP_DONE_FOLDER.", cause);
    }
  }

  async #takeAll(client: ImapFlow): Promise<void> {
    const { doneFolder } = this.#options;
    const left = doneFolder === undefined ? { unKeyword: TAKEN_KEYWORD, deleted: false } : { deleted: false };
    const uids = (await client.search(left, { uid: true })) || [];
    let failures = 0;
    for (const uid of this.#inOrder(uids)) {
      if (this.#closing.signal.aborted) return;
      try {
        this.#failed.delete(uid);
        await this.#take(client, String(uid));
        failures = 0;
      } catch (error) {
        // One email that fails for now must not hold up the others. If several in a row fail, close
        // the connection and try again later.
        failures += 1;
        this.#failed.add(uid);
        if (!(error instanceof IoError) || !client.usable || failures === MAX_FAILURES) throw error;
        this.#logger.warn(
          { uid, cause: describeCause(error) },
          "an email can't be accepted for now; it will be retried",
        );
        this.#retryLater();
      }
    }
  }

  /**
   * Puts failed emails at the end, so they can't keep the others from being taken, however many
   * failed ones there are. Among them, those whose last attempt is the longest ago come first.
   */
  #inOrder(uids: readonly number[]): number[] {
    const left = new Set(uids);
    for (const uid of this.#failed) if (!left.has(uid)) this.#failed.delete(uid);
    return [...uids.filter((uid) => !this.#failed.has(uid)), ...this.#failed];
  }

  /** Retries the remaining emails even if no new email arrives. */
  #retryLater(): void {
    if (this.#retry !== undefined) return;
    const { maximumDelayMs } = this.#options.retry ?? MAILBOX_RETRY;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#hasNews = true;
      this.#wake();
    }, maximumDelayMs).unref();
  }

  async #take(client: ImapFlow, uid: string): Promise<void> {
    const query = { source: { start: 0, maxLength: MAX_MAIL_BYTES + 1 } };
    const message = await client.fetchOne(uid, query, { uid: true });
    // Another client may have moved the email in the meantime.
    if (message === false || message.source === undefined) return;
    this.#isReceiving = true;
    const outcome = await this.#receive(uid, message.source).finally(() => (this.#isReceiving = false));
    if (outcome === "needs_person") await client.messageFlagsAdd(uid, [FLAGGED], { uid: true });
    const { doneFolder } = this.#options;
    if (doneFolder === undefined) await client.messageFlagsAdd(uid, [TAKEN_KEYWORD], { uid: true });
    else await client.messageMove(uid, doneFolder, { uid: true });
  }

  /**
   * After any error but an `IoError`, a person must look at the email, because a retry would fail
   * in the same way.
   * @throws IoError if the email can't be accepted for now
   */
  async #receive(uid: string, raw: Uint8Array): Promise<"taken" | "needs_person"> {
    try {
      const { status } = await this.#options.receive(raw);
      return status === "needs_person" ? status : "taken";
    } catch (error) {
      if (error instanceof IoError) throw error;
      const isExpected = isAbiError(error) && error.type !== "unexpected_error";
      const text = "an email in the mailbox can't be accepted; it is flagged for a person";
      this.#logger[isExpected ? "warn" : "error"]({ uid, cause: describeCause(error) }, text);
      return "needs_person";
    }
  }
}

const misconfigured = (message: string, cause?: unknown): ValidationError =>
  new ValidationError(message, { code: "invalid_configuration", cause });

/** Logs out if the server still listens. */
async function leave(client: ImapFlow): Promise<void> {
  try {
    if (client.usable) await client.logout();
  } catch {
    // The connection is already gone.
  } finally {
    client.close();
  }
}
