import { randomUUID } from "node:crypto";
import { z } from "zod";
import { ValidationError } from "../../errors.ts";
import { parse } from "../../framework/validation.ts";
import { jsonBody } from "./body.ts";
import { ChatStatus, Conversation, ConversationList, type Chat, type ChatEvent, type ChatRequest } from "./chat.ts";
import type { HttpContext, HttpParts, Parameter, Route } from "./route.ts";
import { json } from "./workflow-router.ts";
import { pageResponse } from "./run-routes.ts";
import { eventResponse, HEARTBEAT_INTERVAL_MS, HEARTBEAT, tooManyStreams } from "./server-sent-events.ts";
import { missingScope } from "./tokens.ts";

/** How many answers may be in progress at a time; each one keeps a model busy. */
const MAX_ANSWERS = 50;
const MAX_MESSAGE_LENGTH = 100_000;

const THREAD_ID: Parameter = {
  name: "thread_id",
  in: "path",
  description: "Id of a conversation.",
  required: true,
  schema: { type: "string" },
};

const LIMIT: Parameter = {
  name: "limit",
  in: "query",
  description: "How many to return at most; default 50.",
  schema: { type: "integer", minimum: 1, maximum: 200 },
};

const AFTER: Parameter = {
  name: "after",
  in: "query",
  description: "`next` of the previous page.",
  schema: { type: "string" },
};

const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().max(100).optional(),
});

const thread_id = z.uuid("must be an id from this service").describe("The conversation to continue.");

const Message = z.strictObject({
  message: z.string().trim().min(1, "must not be empty").max(MAX_MESSAGE_LENGTH).describe("What the agent should do."),
  thread_id: thread_id.optional().describe("The conversation to continue; default: a new one."),
});

const EVENTS = {
  200: {
    description:
      "Server-sent events, each with JSON as its `data`: `thread` (the conversation's id), `token` (the model's " +
      "words as they come), `call_started`, `call_progress`, `call_ended` (tool calls), and at the end `answer`, " +
      "`waiting` (emails wait for a decision) or `error`.",
    types: { "text/event-stream": { type: "string" } },
  },
} as const;

/**
 * Routes to talk to the agent, for people in a browser and for programs that act for them. They
 * offer no way to decide on emails.
 */
export function chatRoutes(parts: HttpParts): Route[] {
  const { chat, bodyTimeoutMs, closing } = parts;
  const answers = new Answers(closing);
  const base = { tag: "chat", access: "feedback:write", operations: [] } as const;
  return [
    {
      ...base,
      method: "GET",
      path: "/chat",
      id: "get-chat",
      summary: "Show which model answers",
      answers: { 200: { description: "The model.", types: { "application/json": ChatStatus } } },
      handle: () => json(chat?.status ?? { model: null, offline: false }),
    },
    {
      ...base,
      method: "POST",
      path: "/chat",
      id: "ask-agent",
      summary: "Ask the agent",
      description:
        "The agent has only the tools that you may call yourself. If you abort the request, the model stops; runs " +
        "that it has started continue. The token also needs the scope `feedback:read`, as for all conversations.",
      body: {
        description: "The message.",
        types: { "application/json": Message },
        required: true,
        example: { message: "What is the sentiment of: I love the new search!" },
      },
      answers: EVENTS,
      errors: [404, 503],
      handle: async (context) => {
        const { message, thread_id: given } = parse(
          Message,
          await jsonBody(context.req.raw, { timeoutMs: bodyTimeoutMs }),
        );
        const threadId = given ?? randomUUID();
        const agent = agentFor(chat, context);
        return answers.stream(context, threadId, (request) => agent.ask(message, request));
      },
    },
    // Must come before the route of a conversation by its id.
    {
      ...base,
      method: "GET",
      path: "/chat/conversations",
      id: "list-conversations",
      summary: "List conversations",
      description:
        'Your own conversations, latest first. The header `Link` with `rel="next"` has the next page; the last ' +
        "page has none.",
      parameters: [LIMIT, AFTER],
      answers: {
        200: {
          description: "One page of the list.",
          types: { "application/json": ConversationList },
          headers: ["Link"],
        },
      },
      handle: async (context) => {
        const url = new URL(context.req.url);
        const page = parse(Page, Object.fromEntries(url.searchParams));
        return pageResponse(
          url,
          await agentFor(chat, context).conversations({ caller: context.get("caller")!, ...page }),
        );
      },
    },
    {
      ...base,
      method: "GET",
      path: "/chat/:thread_id",
      id: "get-conversation",
      summary: "Show a conversation",
      parameters: [THREAD_ID],
      answers: { 200: { description: "The whole conversation.", types: { "application/json": Conversation } } },
      errors: [404],
      handle: async (context) => {
        const conversation = await agentFor(chat, context).conversation({
          caller: context.get("caller")!,
          threadId: threadOf(context),
        });
        if (conversation) return json(conversation);
        throw unknownConversation();
      },
    },
    {
      ...base,
      method: "DELETE",
      path: "/chat/:thread_id",
      id: "delete-conversation",
      summary: "Delete a conversation",
      description:
        "Only your own, permanently. An answer in progress is aborted. Runs that the agent has started continue, and emails keep waiting.",
      parameters: [THREAD_ID],
      answers: { 204: { description: "It is deleted.", types: {} } },
      errors: [404],
      handle: async (context) => {
        const isDeleted = await agentFor(chat, context).deleteConversation({
          caller: context.get("caller")!,
          threadId: threadOf(context),
        });
        if (isDeleted) return new Response(null, { status: 204 });
        throw unknownConversation();
      },
    },
    {
      ...base,
      method: "POST",
      path: "/chat/:thread_id/continue",
      id: "continue-conversation",
      summary: "Continue after decisions",
      description:
        "A conversation stops if emails wait for a decision. This continues it: the agent checks what people have " +
        "decided (`/approvals`), and says what still waits. It decides nothing itself.",
      parameters: [THREAD_ID],
      answers: EVENTS,
      errors: [404, 503],
      handle: (context) => {
        const threadId = threadOf(context);
        const agent = agentFor(chat, context);
        return answers.stream(context, threadId, (request) => agent.goOn(request));
      },
    },
  ];
}

/**
 * The agent, for a caller who also has the scope `feedback:read`, because the agent's answers
 * repeat what its tools have read.
 * @throws ValidationError (`scope_missing`, `token_missing`, `no_model`)
 */
function agentFor(chat: Chat | undefined, context: HttpContext): Chat {
  const caller = context.get("caller");
  if (!caller?.scopes.has("feedback:read")) throw missingScope("feedback:read", caller);
  if (chat) return chat;
  const message = "No model is set. Set OPENAI_API_KEY or OPENAI_BASE_URL, and restart the service.";
  throw new ValidationError(message, { code: "no_model" });
}

function threadOf({ req }: HttpContext): string {
  const read = thread_id.safeParse(req.param("thread_id"));
  if (read.success) return read.data;
  throw unknownConversation();
}

const unknownConversation = (): ValidationError =>
  new ValidationError("You have no such conversation.", { code: "not_found" });

/** The answers in progress. */
class Answers {
  readonly #closing: AbortSignal;
  #open = 0;

  constructor(closing: AbortSignal) {
    this.#closing = closing;
  }

  /** @throws IoError (`too_many_streams`) */
  stream(context: HttpContext, threadId: string, begin: (request: ChatRequest) => ReadableStream<ChatEvent>): Response {
    if (this.#open >= MAX_ANSWERS) {
      throw tooManyStreams("Too many conversations are in progress. Try again in a moment.");
    }
    const gone = new AbortController();
    const signal = AbortSignal.any([context.req.raw.signal, this.#closing, gone.signal]);
    const events = untilClosing(begin({ caller: context.get("caller")!, threadId, signal }), this.#closing);
    this.#open += 1;
    const body = eventStream(events, threadId, {
      cancel: () => gone.abort(),
      end: () => (this.#open -= 1),
    });
    return eventResponse(body);
  }
}

/** An answer ends with one of these events. */
const LAST: ReadonlySet<ChatEvent["type"]> = new Set(["answer", "waiting", "error"]);

const INTERRUPTED: ChatEvent = {
  type: "error",
  error: "The service is closing and has aborted the answer. Ask again when it is back; nothing is done twice.",
  error_code: "interrupted",
  error_type: "io_error",
  retriable: true,
};

/** An answer that is aborted because the service closes must not look complete. */
async function* untilClosing(events: AsyncIterable<ChatEvent>, closing: AbortSignal): AsyncGenerator<ChatEvent> {
  let isOver = false;
  for await (const event of events) {
    isOver ||= LAST.has(event.type);
    yield event;
  }
  if (!isOver && closing.aborted) yield INTERRUPTED;
}

function eventStream(
  events: AsyncIterable<ChatEvent>,
  threadId: string,
  { cancel, end }: { cancel: () => void; end: () => void },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const written = ({ type, ...data }: ChatEvent): Uint8Array =>
    encoder.encode(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  let heartbeat: NodeJS.Timeout | undefined;
  return new ReadableStream({
    start: async (controller) => {
      heartbeat = setInterval(() => {
        // No heartbeat is needed while something is still unread. If nobody reads any more,
        // `enqueue` would throw, and in a timer nobody could catch that.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(HEARTBEAT));
      }, HEARTBEAT_INTERVAL_MS);
      try {
        controller.enqueue(written({ type: "thread", thread_id: threadId }));
        for await (const event of events) controller.enqueue(written(event));
        controller.close();
      } catch (error) {
        // Without effect if the client has gone. If the agent has failed, the answer must not look
        // complete.
        controller.error(error);
      } finally {
        clearInterval(heartbeat);
        end();
      }
    },
    cancel: () => {
      clearInterval(heartbeat);
      cancel();
    },
  });
}
