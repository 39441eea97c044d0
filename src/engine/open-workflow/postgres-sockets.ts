import { Socket } from "node:net";

/** What postgres.js hands to its `socket` option. */
interface Address {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

/**
 * The sockets of a pool, so that they can be broken: postgres.js ends connections in good order only, and keeps waiting, and the process
 * with it, where the other side has fallen silent or a connection is still being made.
 */
export class PostgresSockets {
  readonly #open = new Set<Socket>();
  #hostIndex = 0;
  #closed = false;

  /** postgres.js's `socket` option. The one it gets is still connecting: it takes its errors like those of its own. */
  readonly create = ({ host, port, path }: Address): Socket => {
    if (this.#closed) throw new Error("the pool is closed");
    const socket = new Socket();
    this.#open.add(socket);
    const index = this.#hostIndex % host.length;
    socket.on("close", () => {
      this.#open.delete(socket);
      this.#hostIndex = index + 1; // of several hosts the next
    });
    if (path) return socket.connect(path);
    // postgres.js takes the name for TLS from here.
    return Object.assign(socket.connect(port[index]!, host[index]!), { host: host[index], port: port[index] });
  };

  /** Breaks all connections: what waits for an answer fails, and new ones are made when they are needed. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Breaks all connections for good. */
  close(): void {
    this.#closed = true;
    this.cut();
  }
}
