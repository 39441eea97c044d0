import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

interface SeenRequest {
  method: string;
  /** Path and query, exactly as they came over the wire. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** An answer, 200 unless told otherwise; `json` is written as JSON. Or a function that answers as it likes, or never. */
export type Reply =
  | { status?: number; headers?: Record<string, string>; body?: string; json?: unknown }
  | ((request: SeenRequest, response: ServerResponse) => void | Promise<void>);

export interface ScriptedServer {
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** All requests so far, in order. */
  requests: SeenRequest[];
  /** Resolves when so many requests have come in. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A real HTTP server on loopback that gives the replies one after the other, the last one for all requests after it. Closed when the test ends. */
export const serve = (...replies: [Reply, ...Reply[]]): Promise<ScriptedServer> => serveAt(0, ...replies);

/** The same on a port of the test's choice. */
export async function serveAt(port: number, ...replies: [Reply, ...Reply[]]): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(incoming);
    const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, body };
    const reply = replies[Math.min(requests.length, replies.length - 1)];
    requests.push(request);
    server.emit("scripted-request");
    if (typeof reply === "function") {
      await reply(request, response);
      return;
    }
    const { status = 200, headers = {}, json, body: content = JSON.stringify(json) ?? "" } = reply ?? {};
    response.writeHead(status, headers).end(content);
  };
  // A script that fails breaks the connection off, which the test sees.
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy());
  });
  await once(server.listen(port, "127.0.0.1"), "listening");

  const close = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await once(server.close(), "close");
  };
  onTestFinished(close);
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close,
    received: async (count) => {
      while (requests.length < count) await once(server, "scripted-request");
    },
  };
}
