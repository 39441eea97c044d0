import { setImmediate, setTimeout } from "node:timers/promises";
import { describeCause, type Logger } from "../../log.ts";
import { DATABASE_RETRY } from "../../retry-policies.ts";
import { settlesWithin } from "../../concurrency/settles-within.ts";
import type { PostgresConnections } from "./connections.ts";

const CHANNEL = "abi_workflows";
/**
 * Pause between two notifications, so that a busy process doesn't send one statement per run.
 * Milliseconds.
 */
const PAUSE_MS = 20;
/** Log after this many failed attempts to listen, which is a second or two. */
const FAILURES_TO_TELL = 5;
/**
 * How long closing waits for this channel. Closing the connections then ends what is left.
 * Milliseconds.
 */
const END_TIMEOUT_MS = 1000;

const NOTIFY = {
  name: "notify",
  text: `SELECT set_config('synchronous_commit', 'off', true), pg_notify('${CHANNEL}', payload) FROM unnest($1::text[]) AS payload`,
};

/**
 * Notifies other processes on the same database that a run has changed, with LISTEN and NOTIFY.
 * If a notification is lost, polling makes up for it. Notifications have transactions of their own:
 * PostgreSQL commits transactions with a NOTIFY one after the other, so in the transactions of the
 * writes they would serialize the flushes of all workers.
 */
export class PostgresChannel {
  readonly #connections: PostgresConnections;
  readonly #sender: string;
  readonly #logger: Logger;
  readonly #toAnnounce = new Set<string>();
  #announcing: Promise<void> | undefined;
  readonly #closing = new AbortController();

  /** @param sender identifies this process, which ignores its own notifications */
  constructor(connections: PostgresConnections, sender: string, logger: Logger) {
    this.#connections = connections;
    this.#sender = sender;
    this.#logger = logger;
  }

  announce(id: string): void {
    this.#toAnnounce.add(id);
    this.#announcing ??= this.#announceAll();
  }

  async #announceAll(): Promise<void> {
    while (this.#toAnnounce.size > 0) {
      await setImmediate(); // one statement for everything from this turn of the event loop
      const payloads = [...this.#toAnnounce].map((id) => `${this.#sender} ${id}`);
      this.#toAnnounce.clear();
      await this.#connections.query(NOTIFY, [payloads]).catch(() => {}); // the others poll
      await setTimeout(PAUSE_MS);
    }
    this.#announcing = undefined;
  }

  /**
   * Calls `listener` with what others announce, and with undefined each time it begins to listen.
   */
  listen(listener: (id: string | undefined) => void): void {
    void this.#listenOn(listener);
  }

  async #listenOn(listener: (id: string | undefined) => void): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#listenOnce(listener, () => (failures = 0));
      } catch (error) {
        failures += 1;
        if (failures === FAILURES_TO_TELL && !signal.aborted) {
          this.#logger.warn({ cause: describeCause(error) }, "changes by other processes are found by polling only");
        }
      }
      const pause = Math.min(DATABASE_RETRY.initialDelayMs * 2 ** failures, DATABASE_RETRY.maximumDelayMs);
      await setTimeout(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** Resolves when the connection has been lost. */
  async #listenOnce(listener: (id: string | undefined) => void, onListening: () => void): Promise<void> {
    const session = await this.#connections.openSession();
    const lost = new Promise<void>((resolve) => void session.once("end", resolve));
    const end = (): void => void session.end().catch(() => {});
    this.#closing.signal.addEventListener("abort", end);
    try {
      session.on("notification", ({ payload = "" }) => {
        const [sender, id] = payload.split(" ");
        if (sender !== this.#sender) listener(id);
      });
      await session.query(`LISTEN ${CHANNEL}`);
      (session as unknown as { unref(): void }).unref(); // not in its types
      onListening();
      listener(undefined);
      if (this.#closing.signal.aborted) end();
      await lost;
    } finally {
      this.#closing.signal.removeEventListener("abort", end);
      await settlesWithin(session.end(), END_TIMEOUT_MS);
    }
  }

  /** Stops listening, and sends the announcements that are left. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#announcing) await settlesWithin(this.#announcing, END_TIMEOUT_MS);
  }
}
