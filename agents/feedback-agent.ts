import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { MemorySaver, type BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { ReactAgent } from "langchain";
import { withoutAbsent } from "../src/json.ts";
import type { Logger } from "../src/log.ts";
import { withPackages } from "../src/runtime/optional-packages.ts";
import type { CustomerFeedbackWorkflow } from "../src/workflows/customer-feedback/customer-feedback-workflow.ts";

import {
  reviewRequest,
  toResponse,
  withDecided,
  type MailDecision,
  type MailReviewRequest,
} from "./approval/mail-review.ts";
import { ask, resume, stateOf, type AgentAnswer, type AskOptions } from "./ask.ts";
import type { AgentLimits } from "./limits.ts";
import { SqliteCheckpointSaver } from "./memory/sqlite-checkpoint-saver.ts";
import { OfflineChatModel } from "./offline-chat-model/offline-chat-model.ts";
import { KeyedQueue } from "../src/concurrency/keyed-queue.ts";

const AGENT_PACKAGES = ["langchain", "@langchain/openai", "@langchain/langgraph"];

/** Lets people decide on waiting emails in the conversation (`APPROVAL=on`). */
export interface MailApprovals {
  /**
   * The workflow whose emails wait, such as `toolkit.workflow`. It shows them and accepts the
   * decisions.
   */
  workflow: Pick<
    CustomerFeedbackWorkflow,
    | "process"
    | "getPendingResponse"
    | "approveResponse"
    | "editResponse"
    | "rejectResponse"
    | "getWorkflowResult"
    | "getFeedback"
  >;
  /**
   * If `decide` gets no name, or something else resumes the graph, such as LangGraph's own server,
   * this returns the name of the person who decides. Take it from the part of `configurable` that
   * the server has authenticated, never from what a client can write. Return undefined if that
   * person may not decide. Default: nobody may.
   */
  by?: (configurable: Readonly<Record<string, unknown>>) => string | undefined;
}

/** The parts of an agent. */
export interface FeedbackAgentOptions {
  /** What the agent can do: the tools of a workflow. */
  tools: readonly DynamicStructuredTool[];
  /** Any LangChain chat model that supports tools; default: the `OfflineChatModel`. */
  model?: BaseChatModel;
  /**
   * Stores conversations by thread. Default: every request is independent; with `approval`,
   * conversations are kept in memory.
   */
  checkpointer?: BaseCheckpointSaver;
  /** Default: `SYSTEM_PROMPT`. */
  systemPrompt?: string;
  /** Default: `DEFAULT_LIMITS`. */
  limits?: AgentLimits;
  /**
   * Interrupts the conversation if an email waits for a person, as LangChain's human-in-the-loop
   * middleware does. The model is not involved. Default: no interruption; the model says that the
   * email waits.
   */
  approval?: MailApprovals;
  /**
   * Logs why tools and decisions have failed, with details that the model never sees. Default: no
   * log.
   */
  logger?: Logger;
}

/** A ready-made agent. */
export interface FeedbackAgent {
  /** The compiled LangGraph agent, with all guard rails: `invoke`, `stream`, `streamEvents`. */
  readonly agent: ReactAgent;
  /**
   * Sends one message and resolves when the answer is complete. Listeners get tokens and the
   * progress of tools as they arrive. Requests on the same thread run one at a time.
   * @throws the signal's reason; `IoError` if the model or the memory can't be reached, or the
   *   model gives no usable answer at the moment; `ValidationError` if the message is empty or
   *   longer than `LONGEST_MESSAGE`, the service refuses the key, the model or the request, or the
   *   server is not a model service
   */
  ask(text: string, options?: AskOptions): Promise<AgentAnswer>;
  /**
   * Continues a conversation that waits for a person (its last answer has a `review`), with one
   * decision for each email, in the same order. With an empty list, the agent checks what was
   * decided elsewhere. A decision applies to the email that was shown. If the email has changed, it
   * is shown again (this answer has a `review`), with the reason. If someone else has decided
   * first, their decision stands, and the result says whose it is.
   * @param options `by` is the name of your user, which is stored with the decisions. Without it,
   *   `approval.by` names the user; if that names nobody either, nothing is decided.
   * @throws ValidationError (`nothing_waits`) if the conversation doesn't wait for anyone, and as
   *   `ask`
   */
  decide(
    decisions: readonly MailDecision[],
    options: AskOptions & { threadId: string; by?: string },
  ): Promise<AgentAnswer>;
  /**
   * Returns the emails that a conversation waits for, even one from another process; undefined if
   * it waits for none. An email that someone has decided on since has `decided: true`; pass `null`
   * as its decision. If all of them are decided, or the list is empty, call `decide([], …)`, which
   * tells the agent the outcome.
   * @throws ValidationError (`unknown_run`), IoError
   */
  waiting(threadId: string): Promise<MailReviewRequest | undefined>;
  /**
   * Aborts current requests, waits for their end, and closes its `SqliteCheckpointSaver` if it has
   * one.
   */
  close(): Promise<void>;
}

/**
 * Creates an agent that processes feedback on request.
 * @throws ValidationError (`package_missing`) if `langchain` or `@langchain/langgraph` is not
 *   installed
 *
 * @example
 * const checkpointer = new SqliteCheckpointSaver("data/conversations.sqlite");
 * const agent = await createFeedbackAgent({ tools, model, checkpointer });
 * const message = "Customer C-1007 wrote: 'Great product!'";
 * const { text } = await agent.ask(message, { threadId: "anna", onToken: print });
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
 * Creates an agent that may share its checkpointer with other agents: `close` leaves it open for
 * them.
 * @param queue makes requests of one thread wait for each other, whichever agent they are for
 */
export async function createSharingAgent(
  options: FeedbackAgentOptions,
  queue: KeyedQueue = new KeyedQueue(),
): Promise<FeedbackAgent> {
  const { model = new OfflineChatModel(), approval } = options;
  const checkpointer = options.checkpointer ?? (approval && new MemorySaver());
  const { createAgentGraph, resumeCommand } = await withPackages(AGENT_PACKAGES, () => import("./agent-graph.ts"));
  // The name of the person who decides is kept outside the graph, where no model or client can
  // change it.
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
        // Earlier steps are not needed: even an aborted request continues from its latest step.
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
    waiting: async (threadId) => {
      if (!checkpointer) return undefined;
      const { review, hasUnheardOutcome } = await stateOf(agent, threadId);
      if (review) return approval ? withDecided(review, approval.workflow) : review;
      return hasUnheardOutcome ? reviewRequest([], {}) : undefined;
    },
    close: async () => {
      closing.abort(new DOMException("The agent was closed.", "AbortError"));
      await queue.idle();
    },
  };
}

/** Most model clients have the model's name in one of these fields. */
function nameOf(model: BaseChatModel): string | undefined {
  const names: unknown[] = [Reflect.get(model, "model"), Reflect.get(model, "modelName")];
  return names.find((name) => typeof name === "string" && name !== "") as string | undefined;
}
