/**
 * A real HTTP server that speaks OpenAI's Chat Completions and answers from a script, one answer a request.
 * In tests: `const server = await startOpenAiServer([reply("Hello")])`. As a process, for trying things by hand:
 * `node test/support/openai-server.ts script.json` prints its base URL; the file holds an array of `Answer`s.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { completion, completionChunks, protocolFault, type ChatRequest, type ScriptedCall } from "./openai-protocol.ts";

export type { ChatMessage, ChatRequest, ScriptedCall } from "./openai-protocol.ts";

/** What the server says to one request. `drop` cuts the connection: before any byte, or in the middle of a stream. */
export type Answer =
  | { reply: string; toolCalls?: ScriptedCall[] }
  | { toolCalls: ScriptedCall[] }
  | { status: number; retryAfter?: number; message?: string }
  | { drop: "before" | "midway" }
  | RawAnswer;

/** What another server sends, byte for byte: the events of a stream, or a body. */
export type RawAnswer =
  | {
      /** Each is the data of one event: text as it is, everything else as JSON. */
      events: readonly unknown[];
      /** Whether `[DONE]` follows. Default true. */
      done?: boolean;
      contentType?: string;
    }
  | { body: string | object; status?: number; contentType?: string };

/** An answer, or one that depends on what was asked. */
export type ScriptStep = Answer | ((request: ChatRequest) => Answer);

export const reply = (text: string): Answer => ({ reply: text });
export const toolCall = (name: string, args: unknown): Answer => toolCalls([name, args]);
export const toolCalls = (...calls: [name: string, args: unknown][]): Answer => ({
  toolCalls: calls.map(([name, args]) => ({ name, arguments: JSON.stringify(args) })),
});
/** A tool call whose arguments are exactly this text. */
export const rawToolCall = (name: string, args: string): Answer => ({ toolCalls: [{ name, arguments: args }] });
export const status = (code: number, options: { retryAfter?: number; message?: string } = {}): Answer => ({
  status: code,
  ...options,
});
export const dropConnection = (when: "before" | "midway" = "before"): Answer => ({ drop: when });

export interface OpenAiServer extends AsyncDisposable {
  /** Base URL, ends in `/v1`. */
  readonly url: string;
  /** Every request, in the order of arrival. */
  readonly requests: readonly { readonly body: ChatRequest; readonly headers: IncomingHttpHeaders }[];
  /** Steps of the script that no request has used yet. */
  readonly unused: number;
  close(): Promise<void>;
}

/** Starts on a free port of the loopback interface. Requests beyond the script's end, and such as OpenAI would refuse, get a 400. */
export async function startOpenAiServer(script: readonly ScriptStep[]): Promise<OpenAiServer> {
  const steps = [...script];
  const requests: { body: ChatRequest; headers: IncomingHttpHeaders }[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse(await readBody(request)) as ChatRequest;
    requests.push({ body, headers: request.headers });
    const fault = request.url === "/v1/chat/completions" ? protocolFault(body) : `there is no ${request.url}`;
    const step = steps[0];
    if (fault !== undefined) return refuse(response, 400, fault);
    if (step === undefined) return refuse(response, 400, "the script of this server has ended");
    steps.shift();
    await answer(response, body, typeof step === "function" ? step(body) : step, requests.length);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => refuse(response, 400, String(error)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get unused() {
      return steps.length;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function answer(response: ServerResponse, request: ChatRequest, step: Answer, nth: number): Promise<void> {
  if ("drop" in step && step.drop === "before") {
    response.destroy();
  } else if ("events" in step || "body" in step) {
    sendRaw(response, step);
  } else if ("status" in step) {
    if (step.retryAfter !== undefined) response.setHeader("retry-after", String(step.retryAfter));
    refuse(response, step.status, step.message ?? `scripted status ${step.status}`);
  } else {
    const message = "drop" in step ? { reply: "This answer never comes to its end." } : step;
    if (request.stream !== true) {
      response.setHeader("content-type", "application/json").end(JSON.stringify(completion(request, message, nth)));
      return;
    }
    response.setHeader("content-type", "text/event-stream");
    const chunks = completionChunks(request, message, nth);
    for (const chunk of "drop" in step ? chunks.slice(0, 3) : chunks) {
      const written = Promise.withResolvers<void>();
      response.write(`data: ${JSON.stringify(chunk)}\n\n`, () => written.resolve());
      await written.promise;
    }
    if ("drop" in step) response.destroy();
    else response.end("data: [DONE]\n\n");
  }
}

function sendRaw(response: ServerResponse, answer: RawAnswer): void {
  if ("body" in answer) {
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
    response.writeHead(answer.status ?? 200, { "content-type": answer.contentType ?? "application/json" }).end(text);
    return;
  }
  response.setHeader("content-type", answer.contentType ?? "text/event-stream");
  const data = answer.events.map((event) => (typeof event === "string" ? event : JSON.stringify(event)));
  const lines = [...data, ...(answer.done === false ? [] : ["[DONE]"])].map((text) => `data: ${text}\n\n`);
  response.end(lines.join(""));
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.statusCode = code;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ error: { message, type: "scripted", code: null, param: null } }));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

if (import.meta.main) {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new Error("usage: node test/support/openai-server.ts <script.json>");
  const server = await startOpenAiServer(JSON.parse(readFileSync(path, "utf8")) as Answer[]);
  process.stdout.write(`${server.url}\n`);
}
