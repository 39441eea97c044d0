import type { Sql } from "postgres";
import { describeCause, type Logger } from "../../log.ts";

const CHANNEL = "abi_workflows";

/**
 * What processes on one database tell each other of runs, over LISTEN and NOTIFY. Its connection is taken up again by itself
 * when it is lost.
 */
export class PostgresChannel {
  readonly #sql: Sql;
  readonly #sender: string;
  readonly #logger: Logger;
  #closed = false;

  /** @param sender names this process: what it has announced itself it is not told */
  constructor(sql: Sql, sender: string, logger: Logger) {
    this.#sql = sql;
    this.#sender = sender;
    this.#logger = logger;
  }

  /** From now on a connection that fails is no news. */
  close(): void {
    this.#closed = true;
  }

  announce(runId: string): void {
    // Those who poll find it too.
    this.#sql.notify(CHANNEL, `${this.#sender} ${runId}`).catch(() => {});
  }

  listen(listener: (runId: string | undefined) => void): void {
    const onMessage = (message: string): void => {
      const [sender, runId] = message.split(" ");
      if (sender !== this.#sender) listener(runId);
    };
    // Called each time that it listens again.
    const onListening = (): void => listener(undefined);
    this.#sql.listen(CHANNEL, onMessage, onListening).catch((error: unknown) => {
      if (!this.#closed)
        this.#logger.warn({ cause: describeCause(error) }, "what other processes do is found by polling only");
    });
  }
}
