import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { RefundWorkflow } from "../../examples/refund-workflow.ts";
import { createHttpApi, type HttpApi, type HttpApiOptions } from "../../src/interfaces/http/http-api.ts";
import { startHttpServer, type HttpServerOptions } from "../../src/interfaces/http/server.ts";
import { Tokens } from "../../src/interfaces/http/tokens.ts";
import { CustomerDataPipeline } from "../../src/pipelines/customer-data-pipeline.ts";
import { queryGraphOperation } from "../../src/questions/query-graph.ts";
import { Service } from "../../src/framework/service.ts";
import { startFeedback, type Feedback } from "./feedback.ts";

export const SECRETS = {
  ann: "ann-0123456789abcdef",
  reader: "reader-0123456789abcdef",
  writer: "writer-0123456789abcdef",
  admin: "admin-0123456789abcdef",
};

export const TOKENS = [
  `ann:approve:${SECRETS.ann}`,
  `reader:feedback:read:${SECRETS.reader}`,
  `writer:feedback:write+feedback:read:${SECRETS.writer}`,
  `admin:admin:${SECRETS.admin}`,
].join(",");

export type Token = keyof typeof SECRETS | undefined;

export interface Answer {
  status: number;
  headers: Headers;
  /** The parsed JSON; empty if the answer is not JSON. */
  body: Record<string, unknown>;
  text: string;
}

export interface CallOptions {
  /** Default: the one that may read and write; undefined sends none. */
  token?: Token;
  headers?: Record<string, string>;
  /** Sent as JSON unless it is a string. */
  body?: unknown;
}

export interface HttpService extends Feedback, HttpApi {
  service: Service;
  refunds: RefundWorkflow;
  url: string;
  port: number;
  call: (method: string, path: string, options?: CallOptions) => Promise<Answer>;
  /** Sends bytes over a new connection and resolves with everything received until the server closes it. */
  raw: (bytes: string) => Promise<string>;
  close: () => Promise<void>;
}

export const GRAPH_LIMITS = { timeoutMs: 30_000, maximumRows: 1000, maximumBytes: 10_000_000 };

interface Options {
  feedback?: Parameters<typeof startFeedback>[0];
  surroundings?: Parameters<typeof startFeedback>[1];
  api?: Partial<HttpApiOptions>;
  server?: Partial<HttpServerOptions>;
}

/** Customer feedback and the refund example, served over a real socket. */
export async function startHttpService({ feedback, surroundings, api, server }: Options = {}): Promise<HttpService> {
  const parts = await startFeedback(feedback, surroundings);
  const { engine, ontologyStore, workflow } = parts;
  const refunds = new RefundWorkflow({ engine, ontologyStore, limit: 100 });
  const customerDataPipeline = new CustomerDataPipeline({ customerSource: parts.source, ontologyStore });
  const service = new Service({
    engine,
    workflows: [workflow, refunds],
    pipelines: [customerDataPipeline],
    operations: [queryGraphOperation({ queryRunner: ontologyStore.queryRunner, store: "feedback_data" })],
  });
  const closing = new AbortController();
  const made = createHttpApi(service, {
    tokens: Tokens.fromSetting(TOKENS),
    version: "0.0.0",
    graph: { runner: ontologyStore.queryRunner, store: "feedback_data", ...GRAPH_LIMITS },
    closing: closing.signal,
    ...api,
  });
  const listening = await startHttpServer(made.app.fetch, { host: "127.0.0.1", port: 0, ...server });
  const { url } = listening;
  const port = Number(new URL(url).port);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing.abort();
    return (closed ??= listening.close());
  };
  onTestFinished(close);
  return { ...parts, ...made, service, refunds, url, port, close, call: caller(url), raw: (bytes) => raw(port, bytes) };
}

export const caller =
  (url: string) =>
  async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const { headers = {}, body } = options;
    const token = "token" in options ? options.token : "writer";
    const secret = token && SECRETS[token];
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        connection: "close",
        ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").endsWith("json");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson ? JSON.parse(text) : {}) as Record<string, unknown>,
    };
  };

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  // The server may break the connection, and tests want that; don't let the error escape.
  socket.on("error", () => {});
  return socket;
}

async function raw(port: number, bytes: string): Promise<string> {
  const socket = await open(port);
  socket.write(bytes);
  return text(socket);
}
