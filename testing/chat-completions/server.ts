import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { completion, completionChunks, protocolFault, type ChatRequest, type ScriptedCall } from "./protocol.ts";

/**
 * The server's answer to one request. `drop` cuts the connection before any byte, or in the middle
 * of a stream. (`midway` has no effect if the request doesn't ask for a stream.)
 */
export type Answer =
  | { reply: string; toolCalls?: ScriptedCall[] }
  | { toolCalls: ScriptedCall[] }
  | { status: number; retryAfter?: number; message?: string }
  | { drop: "before" | "midway" }
  | RawAnswer;

/** An answer that need not have OpenAI's format: the events of a stream, or a body. */
export type RawAnswer =
  | {
      /** Each is the data of one event: text is sent unchanged, everything else as JSON. */
      events: readonly unknown[];
      /** Whether `[DONE]` follows. Default true. */
      done?: boolean;
      contentType?: string;
    }
  | { body: string | object; status?: number; contentType?: string };

/** A server on a free port of the loopback interface. */
export interface ChatCompletionsServer extends AsyncDisposable {
  /** Base URL, ends in `/v1`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves OpenAI's Chat Completions, with and without streaming.
 * @param decide returns the answer; `nth` counts all requests from 1. A request gets a 400 if
 *   OpenAI would refuse it (then `decide` is not called), or if `decide` throws.
 * @param onRequest called for every request with a JSON body, including refused ones
 */
export async function serveChatCompletions(
  decide: (request: ChatRequest, nth: number) => Answer,
  onRequest: (request: ChatRequest, headers: IncomingHttpHeaders) => void = () => {},
): Promise<ChatCompletionsServer> {
  let count = 0;
  const server = createServer((incoming, response) => {
    const handle = async (): Promise<void> => {
      const request = (await json(incoming)) as ChatRequest;
      count += 1;
      const nth = count;
      onRequest(request, incoming.headers);
      const fault = incoming.url === "/v1/chat/completions" ? protocolFault(request) : `there is no ${incoming.url}`;
      if (fault !== undefined) return refuse(response, 400, fault);
      return send(response, request, decide(request, nth), nth);
    };
    handle().catch((error: unknown) => refuse(response, 400, error instanceof Error ? error.message : String(error)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return { url, close, [Symbol.asyncDispose]: close };
}

async function send(response: ServerResponse, request: ChatRequest, answer: Answer, nth: number): Promise<void> {
  if ("drop" in answer && answer.drop === "before") {
    response.destroy();
  } else if ("events" in answer || "body" in answer) {
    sendRaw(response, answer);
  } else if ("status" in answer) {
    if (answer.retryAfter !== undefined) response.setHeader("retry-after", String(answer.retryAfter));
    refuse(response, answer.status, answer.message ?? `scripted status ${answer.status}`);
  } else {
    const message = "drop" in answer ? { reply: "This answer is never completed." } : answer;
    if (request.stream !== true) {
      response.setHeader("content-type", "application/json").end(JSON.stringify(completion(request, message, nth)));
      return;
    }
    response.setHeader("content-type", "text/event-stream");
    const chunks = completionChunks(request, message, nth);
    for (const chunk of "drop" in answer ? chunks.slice(0, 3) : chunks) {
      const written = Promise.withResolvers<void>();
      response.write(`data: ${JSON.stringify(chunk)}\n\n`, () => written.resolve());
      await written.promise;
    }
    if ("drop" in answer) response.destroy();
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
