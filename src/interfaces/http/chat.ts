/** The port for talking to an agent. The agent is passed in: the service itself knows no models. */
import { z } from "zod";
import type { WireError } from "../../errors.ts";
import type { Caller } from "./tokens.ts";

const callBase = { id: z.string(), name: z.string() };

/**
 * An email that waits for a person. People with the scope `approve` can read it and decide on it at
 * `/approvals/{workflow_id}`.
 */
const WaitingMail = z.object({
  workflow_id: z.string(),
  key: z.string().describe("The key of its run, such as a feedback id."),
});
export type WaitingMail = z.output<typeof WaitingMail>;

/** One entry of a conversation. */
export const ChatEntry = z.discriminatedUnion("type", [
  z.object({ type: z.literal("user"), text: z.string() }),
  z.object({ type: z.literal("assistant"), text: z.string() }),
  z.object({
    type: z.literal("call"),
    ...callBase,
    args: z.record(z.string(), z.unknown()),
    result: z.unknown().optional().describe("Absent if the call was aborted."),
    failed: z.boolean().optional(),
  }),
]);
export type ChatEntry = z.output<typeof ChatEntry>;

/** A conversation with its entries in order, and the emails that it waits for. */
export const Conversation = z.object({
  thread_id: z.string(),
  entries: z.array(ChatEntry),
  waiting: z.array(WaitingMail).describe("Emails whose decisions the conversation waits for."),
  decided: z
    .boolean()
    .describe("Whether nothing waits any more, but the agent has not heard the outcome: continue the conversation."),
});
export type Conversation = z.output<typeof Conversation>;

/** A list of conversations, without their content. */
export const ConversationList = z.object({
  conversations: z.array(
    z.object({
      thread_id: z.string(),
      first_words: z.string().describe("The first words of the conversation."),
      time: z.iso.datetime().describe("Time of the last message. ISO 8601, UTC."),
    }),
  ),
  next: z.string().optional().describe("The value of `after` for the next page; absent on the last page."),
});
export type ConversationList = z.output<typeof ConversationList>;

/** The model that answers. */
export const ChatStatus = z.object({
  model: z.string().nullable().describe("Name of the model that answers; null if none is set, so there is no chat."),
  offline: z.boolean().describe("Whether this is the demo model, which follows fixed rules and is no language model."),
});
export type ChatStatus = z.output<typeof ChatStatus>;

/** The events of an answer in progress. */
export type ChatEvent =
  | { type: "thread"; thread_id: string }
  | { type: "token"; text: string }
  | { type: "call_started"; id: string; name: string; args: Record<string, unknown> }
  | { type: "call_progress"; id: string; progress: unknown }
  /** Comes again for the same call if a decision on its email has changed the result. */
  | { type: "call_ended"; id: string; name: string; args: Record<string, unknown>; result: unknown; failed: boolean }
  | { type: "waiting"; mails: WaitingMail[] }
  | { type: "answer"; text: string; complete: boolean }
  | ({ type: "error" } & WireError);

/** Options of one request. */
export interface ChatRequest {
  /** The agent may do what the caller may do. */
  caller: Caller;
  /** A conversation of this caller. Those of others can't be reached, whatever the id. */
  threadId: string;
  signal: AbortSignal;
}

/** An agent to talk to. */
export interface Chat {
  readonly status: ChatStatus;
  /** Answers a message. If something fails, the last event is an `error`. */
  ask(message: string, request: ChatRequest): ReadableStream<ChatEvent>;
  /**
   * Continues a conversation that waits for decisions: the agent checks what people have decided on
   * the emails. It decides nothing itself.
   */
  goOn(request: ChatRequest): ReadableStream<ChatEvent>;
  /** The caller's conversations, latest first. `after`: the previous page's `next`. */
  conversations(request: { caller: Caller; limit: number; after?: string | undefined }): Promise<ConversationList>;
  /** Undefined if there is no such conversation. */
  conversation(request: Omit<ChatRequest, "signal">): Promise<Conversation | undefined>;
  /**
   * Deletes a conversation of this caller and aborts an answer in progress. What the agent has done
   * stays done. False if there is no such conversation.
   */
  deleteConversation(request: Omit<ChatRequest, "signal">): Promise<boolean>;
  close(): Promise<void>;
}
