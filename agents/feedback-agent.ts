import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { ReactAgent } from "langchain";
import type { Logger } from "../src/log.ts";
import { withPackages } from "../src/optional-packages.ts";
import { ask, type AgentAnswer, type AskOptions } from "./ask.ts";
import type { AgentLimits } from "./limits.ts";
import { SqliteCheckpointSaver } from "./memory/sqlite-checkpoint-saver.ts";
import { OfflineChatModel } from "./offline-chat-model/offline-chat-model.ts";
import { KeyedQueue } from "./keyed-queue.ts";

const AGENT_PACKAGES = ["langchain", "@langchain/openai"];

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
 * @throws ValidationError (`package_missing`) where `langchain` is not installed
 *
 * @example
 * const agent = await createFeedbackAgent({ tools, model, checkpointer: new SqliteCheckpointSaver("data/chat.sqlite") });
 * const { text } = await agent.ask("Customer C-1007 wrote: 'Great product!'", { threadId: "anna", onToken: print });
 */
export async function createFeedbackAgent(options: FeedbackAgentOptions): Promise<FeedbackAgent> {
  const { model = new OfflineChatModel(), checkpointer } = options;
  const { createAgentGraph } = await withPackages(AGENT_PACKAGES, () => import("./agent-graph.ts"));
  const agent = createAgentGraph({ ...options, model });
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
