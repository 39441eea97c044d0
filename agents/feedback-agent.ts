import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { MemorySaver, type BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { ReactAgent } from "langchain";
import { withoutAbsent } from "../src/json.ts";
import type { Logger } from "../src/log.ts";
import { withPackages } from "../src/runtime/optional-packages.ts";
import type { CustomerFeedbackWorkflow } from "../src/workflows/customer-feedback/customer-feedback-workflow.ts";
import { toResponse, type MailDecision, type MailReviewRequest } from "./approval/mail-review.ts";
import { ask, resume, stateOf, type AgentAnswer, type AskOptions } from "./ask.ts";
import type { AgentLimits } from "./limits.ts";
import { SqliteCheckpointSaver } from "./memory/sqlite-checkpoint-saver.ts";
import { OfflineChatModel } from "./offline-chat-model/offline-chat-model.ts";
import { KeyedQueue } from "../src/concurrency/keyed-queue.ts";

const AGENT_PACKAGES = ["langchain", "@langchain/openai", "@langchain/langgraph"];

/** Where people decide in the conversation on mails that wait (`APPROVAL=on`). */
export interface MailApprovals {
  /** Whose mails wait, such as `toolkit.workflow`: shows them and takes the decisions. */
  workflow: Pick<
    CustomerFeedbackWorkflow,
    "process" | "getPendingResponse" | "approveResponse" | "editResponse" | "rejectResponse" | "getWorkflowResult"
  >;
  /**
   * The name of the person who decides, if something other than `decide` resumes the graph, such as LangGraph's own server. Take it from
   * the part of `configurable` that the server has authenticated, never from what a client can write; return undefined if that person
   * may not decide. Default: nobody may.
   */
  by?: (configurable: Readonly<Record<string, unknown>>) => string | undefined;
}

/** What an agent is made of. */
export interface FeedbackAgentOptions {
  /** What the agent can do: the tools of a workflow. */
  tools: readonly DynamicStructuredTool[];
  /** Any LangChain chat model that supports tools; default the `OfflineChatModel`. */
  model?: BaseChatModel;
  /** Keeps conversations by thread; without one every request stands alone (with `approval`: until `close`). */
  checkpointer?: BaseCheckpointSaver;
  systemPrompt?: string;
  limits?: AgentLimits;
  /**
   * Interrupts the conversation where a mail waits for a person, as LangChain's human-in-the-loop middleware does. The model has no part in it.
   * Default: it doesn't, and the model says that the mail waits.
   */
  approval?: MailApprovals;
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
  /**
   * Goes on with a conversation that waits for a person (`review` of its answer), with one decision for each of its mails in their order; with
   * none, the agent looks up what was decided elsewhere. A decision counts for the mail that was shown: if it has changed, it is shown again
   * (`review` of this answer), with what has happened. Where somebody else was first, their decision stands, and the result says whose it is.
   * @param options `by` signs the decisions: who is at the other end, as your program knows it. Without it nothing is decided.
   * @throws ValidationError (`nothing_waits`) where the conversation waits for nobody, and as `ask`
   */
  decide(
    decisions: readonly MailDecision[],
    options: AskOptions & { threadId: string; by?: string },
  ): Promise<AgentAnswer>;
  /** The mails that a conversation waits for, such as one of another process; undefined where it waits for none. */
  waiting(threadId: string): Promise<MailReviewRequest | undefined>;
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
  const agent = await createSharingAgent(options);
  const close = async (): Promise<void> => {
    await agent.close();
    if (options.checkpointer instanceof SqliteCheckpointSaver) options.checkpointer.close();
  };
  return { ...agent, close };
}

/**
 * The same for several agents that share a checkpointer: `close` leaves it open for the others.
 * @param queue in which requests of one thread wait for each other, whichever agent they are for
 */
export async function createSharingAgent(
  options: FeedbackAgentOptions,
  queue: KeyedQueue = new KeyedQueue(),
): Promise<FeedbackAgent> {
  const { model = new OfflineChatModel(), approval } = options;
  const checkpointer = options.checkpointer ?? (approval && new MemorySaver());
  const { createAgentGraph, resumeCommand } = await withPackages(AGENT_PACKAGES, () => import("./agent-graph.ts"));
  // Who decides is beside the graph, where nothing that a model or a client writes can reach it.
  const deciders = new Map<unknown, string>();
  const decider = (configurable: Readonly<Record<string, unknown>>): string | undefined =>
    deciders.get(configurable["thread_id"]) ?? approval?.by?.(configurable);
  const agent = createAgentGraph({ ...options, model, ...withoutAbsent({ checkpointer }), decider });
  const closing = new AbortController();

  /** Requests of one thread run one after the other. */
  const inTurn = (
    { threadId = crypto.randomUUID(), signal, ...rest }: AskOptions,
    work: (options: AskOptions & { threadId: string; modelName: string | undefined }) => Promise<AgentAnswer>,
  ): Promise<AgentAnswer> => {
    const ended = AbortSignal.any([closing.signal, ...(signal ? [signal] : [])]);
    const inItsTurn = async (): Promise<AgentAnswer> => {
      try {
        return await work({ ...rest, threadId, signal: ended, modelName: nameOf(model) });
      } finally {
        // One that was broken off goes on from where it stands, too.
        if (checkpointer instanceof SqliteCheckpointSaver) await checkpointer.forgetSteps(threadId);
      }
    };
    return queue.run(threadId, inItsTurn, ended);
  };

  return {
    agent,
    ask: (text, askOptions = {}) => inTurn(askOptions, (runOptions) => ask(agent, text, runOptions)),
    decide: (decisions, { by, ...askOptions }) =>
      inTurn(askOptions, async (runOptions) => {
        const { threadId } = runOptions;
        if (by !== undefined) deciders.set(threadId, by);
        try {
          return await resume(agent, resumeCommand(toResponse(decisions)), runOptions);
        } finally {
          deciders.delete(threadId);
        }
      }),
    waiting: async (threadId) => (checkpointer ? (await stateOf(agent, threadId)).review : undefined),
    close: async () => {
      closing.abort(new DOMException("The agent was closed.", "AbortError"));
      await queue.idle();
    },
  };
}

/** Most clients of models have the model's name under one of these. */
function nameOf(model: BaseChatModel): string | undefined {
  const names: unknown[] = [Reflect.get(model, "model"), Reflect.get(model, "modelName")];
  return names.find((name) => typeof name === "string" && name !== "") as string | undefined;
}
