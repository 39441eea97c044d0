/**
 * A real HTTP server that speaks OpenAI's Chat Completions and answers from a script, one answer per request.
 * In tests: `const server = await startOpenAiServer([reply("Hello")])`. As a process, for trying things by hand:
 * `node test/support/openai-server.ts script.json` prints its base URL; the file holds an array of `Answer`s.
 */
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import type { ChatRequest } from "../../testing/chat-completions/protocol.ts";
import {
  serveChatCompletions,
  type Answer,
  type ChatCompletionsServer,
} from "../../testing/chat-completions/server.ts";

export type { ChatMessage, ChatRequest } from "../../testing/chat-completions/protocol.ts";
export type { Answer, RawAnswer } from "../../testing/chat-completions/server.ts";

/** An answer, or a function that derives it from the request. */
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

export interface OpenAiServer extends ChatCompletionsServer {
  /** Every request, in the order of arrival. */
  readonly requests: readonly { readonly body: ChatRequest; readonly headers: IncomingHttpHeaders }[];
  /** Steps of the script that no request has used yet. */
  readonly unused: number;
}

/** Requests after the end of the script get a 400, and so do requests that OpenAI would refuse. */
export async function startOpenAiServer(script: readonly ScriptStep[]): Promise<OpenAiServer> {
  const steps = [...script];
  const requests: { body: ChatRequest; headers: IncomingHttpHeaders }[] = [];
  const server = await serveChatCompletions(
    (request) => {
      const step = steps.shift();
      if (step === undefined) throw new Error("the script of this server has ended");
      return typeof step === "function" ? step(request) : step;
    },
    (body, headers) => void requests.push({ body, headers }),
  );
  return {
    ...server,
    requests,
    get unused() {
      return steps.length;
    },
  };
}

if (import.meta.main) {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new Error("usage: node test/support/openai-server.ts <script.json>");
  const server = await startOpenAiServer(JSON.parse(readFileSync(path, "utf8")) as Answer[]);
  process.stdout.write(`${server.url}\n`);
}
