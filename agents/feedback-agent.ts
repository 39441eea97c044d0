import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { createAgent, type ReactAgent } from "langchain";
import { silentLogger, type Logger } from "../src/log.ts";
import { ask, type AgentAnswer, type AskOptions } from "./ask.ts";
import { createChatModel } from "./chat-model.ts";
import { interruptedCalls } from "./guard-rails/interrupted-calls.ts";
import { DEFAULT_LIMITS, requestLimits, type AgentLimits } from "./guard-rails/limits.ts";
import { malformedCalls } from "./guard-rails/malformed-calls.ts";
import { modelRetries } from "./guard-rails/model-retries.ts";
import { toolErrors } from "./guard-rails/tool-errors.ts";
import { SqliteCheckpointSaver } from "./memory/sqlite-checkpoint-saver.ts";
import { SYSTEM_PROMPT } from "./system-prompt.ts";
import { KeyedQueue } from "./keyed-queue.ts";

/** What an agent is made of. */
export interface FeedbackAgentOptions {
  /** What the agent can do: the tools of a workflow. */
  tools: readonly DynamicStructuredTool[];
  /** Any LangChain chat model that supports tools; default the `OfflineChatModel`. */
  model?: BaseChatModel;
  /** Keeps conversations by thread; without one every request stands alone. */
  checkpointer?: BaseCheckpointSaver;
  systemPrompt?: string;
  limits?: AgentLimits;
  /** Learns why tools failed; the model never does. */
  logger?: Logger;
}

/** An agent that is ready to be asked. */
export interface FeedbackAgent {
  /** The compiled LangGraph agent, with all guard rails: `invoke`, `stream`, `streamEvents`. */
  readonly agent: ReactAgent;
  /**
   * Sends one message and resolves when the answer is complete; tokens and progress of tools come on the way.
   * Requests of one thread run one after the other.
   * @throws the signal's reason; `IoError` where the model or the memory can't be reached, or the model gives no answer that can
   *   be used and may do so later; `ValidationError` where the message is empty or longer than `LONGEST_MESSAGE`, the service
   *   refuses key, model or request, or what answers is no model service
   */
  ask(text: string, options?: AskOptions): Promise<AgentAnswer>;
  /** Breaks off requests at work, waits for their end, and closes a `SqliteCheckpointSaver` that it was given. */
  close(): Promise<void>;
}

/**
 * An agent that processes feedback on request.
 *
 * @example
 * const agent = createFeedbackAgent({ tools, model, checkpointer: new SqliteCheckpointSaver("data/chat.sqlite") });
 * const { text } = await agent.ask("Customer C-1007 wrote: 'Great product!'", { threadId: "anna", onToken: print });
 */
export function createFeedbackAgent(options: FeedbackAgentOptions): FeedbackAgent {
  const { tools, model = createChatModel(), checkpointer, logger = silentLogger } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const agent = createAgent({
    model,
    tools: [...tools],
    systemPrompt: options.systemPrompt ?? SYSTEM_PROMPT,
    ...(checkpointer && { checkpointer }),
    // Outermost first: a repeated call of the model is repaired like the first one.
    middleware: [requestLimits(limits), modelRetries, malformedCalls, interruptedCalls, toolErrors(logger)],
  }).withConfig({
    // A round is at most 3 steps of the graph (limit, model, tools); the limits end a request long before this does.
    recursionLimit: 3 * limits.modelCalls + 10,
  }) as unknown as ReactAgent;

  const closing = new AbortController();
  const queue = new KeyedQueue();
  return {
    agent,
    ask: (text, askOptions = {}) => {
      const threadId = askOptions.threadId ?? crypto.randomUUID();
      const signal = AbortSignal.any([closing.signal, ...(askOptions.signal ? [askOptions.signal] : [])]);
      return queue.run(threadId, async () => {
        const answer = await ask(agent, text, { ...askOptions, threadId, signal, modelName: nameOf(model) });
        if (checkpointer instanceof SqliteCheckpointSaver) await checkpointer.forgetSteps(threadId);
        return answer;
      });
    },
    close: async () => {
      closing.abort(new DOMException("The agent was closed.", "AbortError"));
      await queue.idle();
      if (checkpointer instanceof SqliteCheckpointSaver) checkpointer.close();
    },
  };
}

/** Most clients of models have the model's name under one of these. */
function nameOf(model: BaseChatModel): string | undefined {
  const names: unknown[] = [Reflect.get(model, "model"), Reflect.get(model, "modelName")];
  return names.find((name) => typeof name === "string" && name !== "") as string | undefined;
}
