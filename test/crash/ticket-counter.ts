import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/**
 * A real ticket system over HTTP: one ticket for each `Idempotency-Key`, however often it is
 * requested.
 */
export class TicketCounter implements AsyncDisposable {
  /** In order of creation. */
  readonly tickets: { key: string; identity: string }[] = [];
  /** How often an existing ticket was requested again. */
  repetitions = 0;
  readonly #ids = new Map<string, string>();
  readonly #server = createServer((request, response) => {
    // The request is cut off if its sender was killed in the middle of it.
    this.#answer(request, response).catch(() => response.destroy());
  });

  async listen(): Promise<this> {
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/tickets`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as { feedback_id: string };
    const id = this.#ticket(String(request.headers["idempotency-key"]), body);
    response.writeHead(201).end(JSON.stringify({ id }));
  }

  #ticket(identity: string, { feedback_id: key }: { feedback_id: string }): string {
    const known = this.#ids.get(identity);
    if (known !== undefined) {
      this.repetitions += 1;
      return known;
    }
    // Derived from the key only, so that the graphs of two runs are the same.
    const id = `T-${identity}`;
    this.#ids.set(identity, id);
    this.tickets.push({ key, identity });
    return id;
  }
}
