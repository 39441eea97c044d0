/** A Node.js server for the service. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { IoError, UnexpectedError, ValidationError } from "../../errors.ts";
import { describeCause, silentLogger, type Logger } from "../../log.ts";
import { urlHost } from "../../loopback.ts";
import { problem, problemBody, PROBLEM_TYPE } from "./problem.ts";
import { statusOf } from "./status.ts";

/** The address to listen on, and time limits. */
export interface HttpServerOptions {
  host: string;
  /** 0 means any free port. */
  port: number;
  /** Milliseconds within which the headers of a request must arrive; default 10,000. */
  headersTimeoutMs?: number;
  /** Milliseconds to wait for requests in progress when the server closes; default 10,000. */
  drainMs?: number;
  logger?: Logger;
}

/** A listening server. */
export interface HttpServer {
  /** Such as `http://127.0.0.1:8008`. */
  readonly url: string;
  /**
   * Accepts no new requests, lets those in progress finish within `drainMs`, then closes the
   * remaining connections.
   */
  close(): Promise<void>;
}

/** The maximum size of all headers of a request together. Bytes. */
const MAXIMUM_HEADERS = 16_384;

/**
 * Starts a server for a `fetch` handler. It limits the size of headers and the time to send them,
 * and answers requests that are not valid HTTP with a problem document.
 * @throws IoError (`address_unavailable`) if it can't listen
 * @example
 * const { app } = createHttpApi(service, options);
 * const server = await startHttpServer(app.fetch, { host: "127.0.0.1", port: 8008 });
 */
export async function startHttpServer(
  handle: (request: Request, env: object) => Response | Promise<Response>,
  { host, port, headersTimeoutMs = 10_000, drainMs = 10_000, logger = silentLogger }: HttpServerOptions,
): Promise<HttpServer> {
  const listener = getRequestListener(handle, {
    errorHandler: (error) => errorAnswer(error, logger),
  });
  /** The answer to the last request on each connection. */
  const latest = new WeakMap<Socket, ServerResponse>();
  const server = createServer(
    {
      maxHeaderSize: MAXIMUM_HEADERS,
      // The listener refuses requests without a Host, and says why.
      requireHostHeader: false,
      headersTimeout: headersTimeoutMs,
      // No limit: streams may take long, and each body has a time limit of its own.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(1000, headersTimeoutMs),
    },
    (request, response) => {
      latest.set(request.socket, response);
      void listener(request, response);
    },
  );
  server.on("checkExpectation", refuseExpectation);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket, latest.get(socket)));
  try {
    await once(server.listen(port, host), "listening");
  } catch (cause) {
    throw unavailable(host, port, cause);
  }
  const { port: bound } = server.address() as AddressInfo;
  return { url: `http://${urlHost(host)}:${bound}`, close: () => close(server, drainMs) };
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there already",
  EACCES: "this user may not listen there",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "this machine has no such address",
};

function unavailable(host: string, port: number, cause: unknown): IoError {
  const { code } = cause as NodeJS.ErrnoException;
  const reason = LISTEN_PROBLEMS[code ?? ""] ?? `the system says ${code}`;
  const message =
    `Can't listen on ${host} port ${port}: ${reason}. ` +
    "Choose another port with --port, or another host with --host.";
  return new IoError(message, { code: "address_unavailable", cause });
}

async function close(server: Server, drainMs: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearTimeout(timer);
}

/**
 * Answers a request that the listener can't pass on, such as one with an invalid `Host`, or whose
 * handler throws.
 */
function errorAnswer(error: unknown, logger: Logger): Response {
  if (error instanceof Error && error.name === "RequestError") {
    return problem(new ValidationError("The target or the Host of the request is not valid.", { code: "bad_request" }));
  }
  logger.error({ cause: describeCause(error) }, "a request failed unexpectedly");
  return problem(new UnexpectedError(error));
}

const CLIENT_ERRORS: ReadonlyMap<string | undefined, readonly [code: string, message: string]> = new Map([
  ["HPE_HEADER_OVERFLOW", ["headers_too_large", `The headers are larger than ${MAXIMUM_HEADERS} bytes.`]],
  ["ERR_HTTP_REQUEST_TIMEOUT", ["request_timeout", "The request was sent too slowly."]],
]);

/** Refuses all `Expect` headers but `100-continue`, which Node.js handles itself. */
function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const message = "Only Expect: 100-continue is supported. Leave the header out.";
  const refusal = new ValidationError(message, { code: "expectation_failed" });
  const body = JSON.stringify(problemBody(refusal));
  // The body that may follow is not read.
  response.writeHead(statusOf(refusal), {
    "content-type": PROBLEM_TYPE,
    "content-length": Buffer.byteLength(body),
    connection: "close",
  });
  response.end(body);
}

const INCOMPLETE = ["incomplete_body", "The body ended before it was complete. Send it again."] as const;

/**
 * Answers a request that Node.js has refused, such as input that is not HTTP, if an answer is still
 * possible.
 * @param answer the answer to the last request on this connection
 */
function refuse(error: NodeJS.ErrnoException, socket: Socket, answer: ServerResponse | undefined): void {
  // If an answer is under way, the client would read a second one as a part of it.
  const isAnswering = answer?.headersSent === true && !answer.writableFinished;
  if (error.code === "ECONNRESET" || !socket.writable || isAnswering) return void socket.destroy();
  const isHalfBody = error.code === "HPE_INVALID_EOF_STATE" && answer?.req.complete === false;
  const [code, message] = isHalfBody
    ? INCOMPLETE
    : (CLIENT_ERRORS.get(error.code) ?? ["bad_request", "This is not a valid HTTP request."]);
  const refusal = new ValidationError(message, { code });
  const document = problemBody(refusal) as { title: string };
  const body = JSON.stringify(document);
  socket.end(
    `HTTP/1.1 ${statusOf(refusal)} ${document.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
