import { call, respond } from "../api.ts";

export interface ChatStatus {
  /** Name of the model that answers; null if none is set. */
  model: string | null;
  /** Whether this is the demo model, which follows fixed rules. */
  offline: boolean;
}

/** An email whose decision the conversation waits for. */
export interface WaitingMail {
  workflow_id: string;
  key: string;
}

export interface ToolCall {
  type: "call";
  id: string;
  name: string;
  args: Readonly<Record<string, unknown>>;
  result?: unknown;
  failed?: boolean;
}

export type Entry = { type: "user" | "assistant"; text: string } | ToolCall;

export interface StoredConversation {
  entries: readonly Entry[];
  waiting: readonly WaitingMail[];
  /** Whether nothing waits any more, but the agent has not heard the outcome. */
  decided: boolean;
}

export type ChatEvent =
  | { type: "thread"; thread_id: string }
  | { type: "token"; text: string }
  | ({ type: "call_started" | "call_ended" } & Omit<ToolCall, "type">)
  | { type: "call_progress"; id: string; progress: { step?: string; phase?: string } }
  | { type: "waiting"; mails: readonly WaitingMail[] }
  | { type: "answer"; text: string; complete: boolean }
  | { type: "error"; error: string; error_code: string };

export interface ConversationPage {
  conversations: readonly { thread_id: string; first_words: string; time: string }[];
  next?: string;
}

/** Your own conversations, latest first. */
export const listConversations = (limit: number, signal: AbortSignal): Promise<ConversationPage> =>
  call(`/chat/conversations?limit=${limit}`, { signal });

export const getStatus = (signal: AbortSignal): Promise<ChatStatus> => call("/chat", { signal });

export const getConversation = (id: string, signal: AbortSignal): Promise<StoredConversation> =>
  call(`/chat/${encodeURIComponent(id)}`, { signal });

export const deleteConversation = (id: string): Promise<void> =>
  call(`/chat/${encodeURIComponent(id)}`, { method: "DELETE" });

/**
 * Sends a message, and yields the events of the answer.
 * @throws ApiError; the abort reason of `signal`; TypeError if the connection is lost
 */
export const ask = (message: string, threadId: string | undefined, signal: AbortSignal): AsyncGenerator<ChatEvent> =>
  events("/chat", { message, ...(threadId !== undefined && { thread_id: threadId }) }, signal);

/** Lets the agent check what people have decided. @throws as `ask` */
export const goOn = (threadId: string, signal: AbortSignal): AsyncGenerator<ChatEvent> =>
  events(`/chat/${encodeURIComponent(threadId)}/continue`, {}, signal);

/** Used instead of `EventSource`, which can't post. */
async function* events(path: string, body: object, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const response = await respond(path, { body, signal, headers: { accept: "text/event-stream" } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, type, data] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
      if (type !== undefined && data !== undefined) yield { type, ...(JSON.parse(data) as object) } as ChatEvent;
    }
  }
}
