/**
 * The agent behind a service's `/chat`. It has the tools of all workflows and those that query the
 * graph; each caller gets only the tools that they may call themselves.
 */
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { HumanMessage, type BaseMessage } from "@langchain/core/messages";
import { DEFAULT_MODEL } from "../src/chat-completions/open-chat-model.ts";
import type { Application } from "../src/application/application.ts";
import { KeyedQueue } from "../src/concurrency/keyed-queue.ts";
import { ConflictError, isAbiError, toWireError } from "../src/errors.ts";
import type { Chat, ChatEvent, ChatRequest, Conversation, ConversationList } from "../src/interfaces/http/chat.ts";
import { describeCause, silentLogger, type Logger } from "../src/log.ts";
import { dataFile } from "../src/application/parts.ts";
import { namesModel, type Settings } from "../src/application/settings.ts";
import type { Scope } from "../src/framework/operation.ts";
import { createKnowledgeGraphTools } from "../tools/index.ts";
import type { MailReviewRequest } from "./approval/mail-review.ts";
import { stateOf, type AgentAnswer, type AskOptions } from "./ask.ts";
import { entriesOf } from "./chat-entries.ts";
import { createChatModel } from "./chat-model.ts";
import { createSharingAgent, type FeedbackAgent } from "./feedback-agent.ts";
import { checkpointConfig } from "./memory/checkpoint-config.ts";
import { SqliteCheckpointSaver } from "./memory/sqlite-checkpoint-saver.ts";

/** The settings that `openChat` needs: the model, and where conversations are stored. */
export type ChatSettings = Pick<
  Settings,
  "openaiApiKey" | "openaiBaseUrl" | "openaiModel" | "dataDirectory" | "graphTools"
>;

/**
 * Opens the agent that people talk to in the console, for `openHttpService`. The agent can't decide
 * on emails that wait. People who may decide see these emails, and decide in their own name. If the
 * settings name no model, the offline demo model answers.
 * @param options `logger` logs unexpected failures; default: no log
 * @throws ValidationError (`package_missing`), IoError
 * @example
 * const chat = await openChat(application, settings);
 * const service = await openHttpService(application, settings, { version: "1.0.0", chat });
 */
export async function openChat(
  application: Application,
  settings: ChatSettings,
  { logger = silentLogger }: { logger?: Logger } = {},
): Promise<Chat> {
  const isOffline = !namesModel(settings);
  const model = await createChatModel(settings);
  const checkpointer = new SqliteCheckpointSaver(dataFile(settings, "conversations.sqlite"));
  const tools = await scopedTools(application, settings);
  return new AgentChat(
    { application, model, checkpointer, tools, logger },
    {
      model: isOffline ? "offline demo model" : (settings.openaiModel ?? DEFAULT_MODEL),
      offline: isOffline,
    },
  );
}

interface ScopedTool {
  tool: DynamicStructuredTool;
  scope: Scope;
}

/**
 * The tools of all workflows, and for the questions to the graph that the settings allow, each with
 * the scope that it needs.
 */
async function scopedTools({ service, ontologyStore }: Application, settings: ChatSettings): Promise<ScopedTool[]> {
  const scopes = new Map(service.operations.map(({ operation: { name, scope } }) => [name, scope]));
  const questions =
    settings.graphTools === "off"
      ? []
      : await createKnowledgeGraphTools({ ontologyStore, freeQuery: settings.graphTools === "query" });
  const tools = [...[...service.workflows.values()].flatMap((workflow) => workflow.as_tools()), ...questions];
  // A tool without a scope is not offered.
  return tools.flatMap((tool) => {
    const scope = scopes.get(tool.name);
    return scope === undefined ? [] : [{ tool, scope }];
  });
}

interface Parts {
  application: Application;
  model: BaseChatModel;
  checkpointer: SqliteCheckpointSaver;
  tools: readonly ScopedTool[];
  logger: Logger;
}

class AgentChat implements Chat {
  readonly status: Chat["status"];
  readonly #parts: Parts;
  /** The agents, by the scopes of their callers. */
  readonly #agents = new Map<string, Promise<FeedbackAgent>>();
  readonly #queue = new KeyedQueue();
  /** Controllers that abort the current requests, by thread. */
  readonly #requests = new Map<string, Set<AbortController>>();

  constructor(parts: Parts, status: Chat["status"]) {
    this.#parts = parts;
    this.status = status;
  }

  ask(message: string, request: ChatRequest): ReadableStream<ChatEvent> {
    return this.#events(request, (agent, options) => agent.ask(message, options));
  }

  goOn(request: ChatRequest): ReadableStream<ChatEvent> {
    return this.#events(request, (agent, options) => agent.decide([], options));
  }

  async conversation({ caller, threadId }: Omit<ChatRequest, "signal">): Promise<Conversation | undefined> {
    const agent = await this.#agentFor(caller);
    const thread_id = threadOf(caller, threadId);
    const { messages } = await stateOf(agent.agent, thread_id);
    if (messages.length === 0) return undefined;
    const review = caller.scopes.has("approve") ? await agent.waiting(thread_id) : undefined;
    const waiting = review ? waitingMails(review) : [];
    return {
      thread_id: threadId,
      entries: entriesOf(messages),
      waiting,
      decided: review !== undefined && waiting.length === 0,
    };
  }

  async conversations({ caller, limit, after }: Parameters<Chat["conversations"]>[0]): Promise<ConversationList> {
    const { checkpointer } = this.#parts;
    const prefix = threadOf(caller, "");
    const threads = checkpointer.threadsOf(prefix, { limit: limit + 1, before: after });
    const shown = threads.slice(0, limit);
    const conversations = await Promise.all(
      shown.map(async ({ threadId, checkpointId }) => {
        const { checkpoint } = (await checkpointer.getTuple(checkpointConfig(threadId, "", checkpointId)))!;
        const { messages = [] } = checkpoint.channel_values as { messages?: BaseMessage[] };
        const first = messages.find((message) => HumanMessage.isInstance(message))?.text ?? "";
        return { thread_id: threadId.slice(prefix.length), first_words: firstWords(first), time: checkpoint.ts };
      }),
    );
    return { conversations, ...(threads.length > limit && { next: shown.at(-1)!.checkpointId }) };
  }

  async deleteConversation({ caller, threadId }: Omit<ChatRequest, "signal">): Promise<boolean> {
    const { checkpointer } = this.#parts;
    const thread_id = threadOf(caller, threadId);
    const reason = new ConflictError("This conversation was deleted.", { code: "conversation_deleted" });
    for (const request of this.#requests.get(thread_id) ?? []) request.abort(reason);
    // Wait for a turn on the thread, because an aborted request still stores its state.
    return this.#queue.run(thread_id, async () => {
      const isThere = (await checkpointer.getTuple({ configurable: { thread_id } })) !== undefined;
      await checkpointer.deleteThread(thread_id);
      return isThere;
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map(async (agent) => (await agent).close()));
    this.#parts.checkpointer.close();
  }

  /**
   * The agent with the tools that this caller may use. Callers who may not decide don't see emails;
   * their agent says that the emails wait.
   */
  #agentFor({ scopes }: ChatRequest["caller"]): Promise<FeedbackAgent> {
    const key = [...scopes].toSorted().join(" ");
    const known = this.#agents.get(key);
    if (known) return known;
    const { application, model, checkpointer, tools, logger } = this.#parts;
    const options = {
      tools: tools.filter(({ scope }) => scopes.has(scope)).map(({ tool }) => tool),
      model,
      checkpointer,
      approval: { workflow: application.workflow, ...(!scopes.has("approve") && { by: () => undefined }) },
      logger,
    };
    const made = createSharingAgent(options, this.#queue);
    this.#agents.set(key, made);
    // Don't keep a failed agent: the next request tries again, and `close` must not fail because of
    // it.
    made.catch(() => this.#agents.delete(key));
    return made;
  }

  #events(
    { caller, threadId, signal }: ChatRequest,
    work: (agent: FeedbackAgent, options: AskOptions & { threadId: string }) => Promise<AgentAnswer>,
  ): ReadableStream<ChatEvent> {
    return new ReadableStream({
      start: async (controller) => {
        const tell = (event: ChatEvent): void => controller.enqueue(event);
        const thread = threadOf(caller, threadId);
        const breakOff = new AbortController();
        const requests = this.#requests.get(thread) ?? new Set();
        this.#requests.set(thread, requests.add(breakOff));
        try {
          const ended = AbortSignal.any([signal, breakOff.signal]);
          const options = { ...listeners(tell), threadId: thread, signal: ended };
          const answer = await work(await this.#agentFor(caller), options);
          if (answer.review) tell({ type: "waiting", mails: waitingMails(answer.review) });
          else tell({ type: "answer", text: answer.text, complete: answer.complete });
        } catch (error) {
          if (!signal.aborted) tell({ type: "error", ...this.#wireError(error) });
        } finally {
          requests.delete(breakOff);
          if (requests.size === 0) this.#requests.delete(thread);
        }
        controller.close();
      },
    });
  }

  #wireError(error: unknown) {
    if (!isAbiError(error) || error.type === "unexpected_error")
      this.#parts.logger.error({ cause: describeCause(error) }, "a conversation failed unexpectedly");
    return toWireError(error);
  }
}

const MAX_FIRST_WORDS_LENGTH = 120;

/** The beginning of a text on one line, cut between characters. */
const firstWords = (text: string): string =>
  Array.from(text.replaceAll(/\s+/gu, " ").trim()).slice(0, MAX_FIRST_WORDS_LENGTH).join("");

/** Conversations belong to their caller: nobody else can read one by its id. */
const threadOf = ({ name }: ChatRequest["caller"], threadId: string): string => `service ${name} ${threadId}`;

const listeners = (tell: (event: ChatEvent) => void): AskOptions => ({
  onToken: (text) => tell({ type: "token", text }),
  onToolStart: ({ id, name, args }) => tell({ type: "call_started", id, name, args }),
  onToolProgress: ({ id }, progress) => tell({ type: "call_progress", id, progress }),
  onToolEnd: ({ id, name, args, content, artifact, failed }) =>
    tell({ type: "call_ended", id, name, args, result: artifact ?? content, failed }),
});

const waitingMails = ({ actionRequests }: MailReviewRequest) =>
  actionRequests
    .filter(({ decided }) => !decided)
    .map(({ mail: { workflow_id, feedback_id } }) => ({ workflow_id, key: feedback_id }));
