import { once } from "node:events";
import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type * as Restate from "@restatedev/restate-sdk";
import { IoError } from "../../errors.ts";
import { urlHost } from "../../loopback.ts";
import type { Logger } from "../../log.ts";

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** The HTTP/2 endpoint on which this process listens for the Restate server. */
export class WorkerEndpoint {
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Until the services are ready, the server is told to try again. */
  #handle: Handler = (_, response) => void response.writeHead(503).end();

  private constructor(server: Http2Server) {
    this.#server = server;
    server.on("request", (request, response) => this.#handle(request, response));
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
  }

  /**
   * @throws IoError (`in_use`) if the port is taken, or the host is not an address of this machine
   */
  static async open({ host, port }: { host: string; port: number }): Promise<WorkerEndpoint> {
    const server = createServer();
    server.listen(port, host);
    try {
      await once(server, "listening");
    } catch (cause) {
      throw new IoError(
        `Can't listen for the Restate server at ${urlHost(host)}:${port}: another process listens there, or the address is not this ` +
          "machine's. If another process executes the runs, set WORKER=off for this one. If both should execute runs, give this one another " +
          "address (RESTATE_LISTEN), and set RESTATE_WORKER_URL of both to a load balancer in front of them.",
        { code: "in_use", cause },
      );
    }
    // Listening alone must not keep the process alive.
    server.unref();
    return new WorkerEndpoint(server);
  }

  /**
   * Answers requests with these services from now on.
   * @param options `streams`: how many calls the server may send over one connection at a time. For
   *   more, it opens another connection, which may lead to another worker. Without this limit,
   *   added workers would get no work. `identityKey`: only requests signed with the matching key
   *   are answered
   */
  serve(
    restate: typeof Restate,
    services: Restate.EndpointOptions["services"],
    { streams, identityKey, logger }: { streams: number; identityKey?: string | undefined; logger: Logger },
  ): void {
    const settings = { maxConcurrentStreams: streams };
    this.#server.updateSettings(settings);
    for (const session of this.#sessions) session.settings(settings);
    this.#handle = restate.createEndpointHandler({
      services,
      ...(identityKey !== undefined && { identityKeys: [identityKey] }),
      // The server reports broken connections and everything else that is retried.
      logger: ({ context }, message: unknown) => logger.debug({ run_id: context?.key }, String(message)),
    });
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${urlHost(address)}:${port}`;
  }

  /**
   * Asks the server to send no new calls over its connections. Running calls continue. The server
   * opens another connection for new calls, which may lead to another worker. New connections are
   * still accepted: if there is no other worker, this one must answer the calls that end its runs.
   * Closing the connections instead would break off running calls.
   */
  turnAway(): void {
    for (const session of this.#sessions) session.settings({ maxConcurrentStreams: 0 });
  }

  /** Answers the requests that have arrived, and accepts no more. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A session that accepts no new requests ends with its last stream.
    for (const session of this.#sessions) session.close();
    await closed;
  }

  /** Aborts the remaining requests. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }
}
