import type { Sql } from "postgres";

const CHANNEL = "abi_workflows";

/**
 * What processes on one database tell each other of runs, over LISTEN and NOTIFY. Its connection is taken up again by itself
 * when it is lost.
 */
export class PostgresChannel {
  readonly #sql: Sql;
  readonly #sender: string;

  /** @param sender names this process: what it has announced itself it is not told */
  constructor(sql: Sql, sender: string) {
    this.#sql = sql;
    this.#sender = sender;
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
    this.#sql.listen(CHANNEL, onMessage, onListening).catch(() => {});
  }
}
