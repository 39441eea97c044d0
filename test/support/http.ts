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

/** An answer (default status: 200; `json` is serialized), or a function that answers as it likes, or never. */
export type Reply =
  | { status?: number; headers?: Record<string, string>; body?: string; json?: unknown }
  | ((request: SeenRequest, response: ServerResponse) => void | Promise<void>);

export interface ScriptedServer {
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** All requests so far, in order. */
  requests: SeenRequest[];
  /** Resolves once this many requests have arrived. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A real HTTP server on loopback. It gives the replies in order and repeats the last one. It is closed when the test ends. */
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
  // If a reply function throws, the connection breaks, so that the test notices.
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
