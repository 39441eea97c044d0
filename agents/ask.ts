import { AIMessage, AIMessageChunk, HumanMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import type { ReactAgent } from "langchain";
import { isObject, withoutAbsent } from "../src/json.ts";
import { isMailReview, waitingText, type MailReviewRequest } from "./approval/mail-review.ts";
import { ReasoningFilter } from "../src/chat-completions/reasoning.ts";
import { ValidationError } from "../src/errors.ts";
import { REQUEST_LIMIT } from "./limits.ts";
import { toModelError } from "./model-errors.ts";

/** A call that the model planned. */
export interface ToolCallStart {
  id: string;
  name: string;
  args: Record<string, unknown>;
}

/** A call that has ended, with its result. */
export interface ToolCallEnd extends ToolCallStart {
  /** The text that the model got. */
  content: string;
  /** The tool's whole result, if it returns one. */
  artifact?: unknown;
  /**
   * True if there was no such tool, the arguments were not a JSON object, the tool threw, or a
   * limit prevented the call. A workflow's tools don't throw. They return their errors, including
   * those about invalid fields: `artifact` then has `success: false`.
   */
  failed: boolean;
}

/** Options and listeners for one request. */
export interface AskOptions {
  /** The conversation to continue; default a new one. */
  threadId?: string;
  /**
   * Values that the model must not choose, for tools made with `fromContext`: `{ customer_id:
   * "C-1001" }`. They are not stored with the conversation, so pass them with every request.
   */
  context?: Readonly<Record<string, unknown>>;
  signal?: AbortSignal;
  /**
   * The model's words as they arrive, including its remarks between tool calls. A line break
   * separates messages.
   */
  onToken?: (token: string) => void;
  onToolStart?: (call: ToolCallStart) => void;
  /** Called with each value that a running tool yields. */
  onToolProgress?: (call: Pick<ToolCallStart, "id" | "name">, progress: unknown) => void;
  /**
   * Called for every call, even if it was refused before it started, and again if a person's
   * decision on its email has changed its result.
   */
  onToolEnd?: (call: ToolCallEnd) => void;
}

/**
 * The maximum length of a message to the agent, in characters (UTF-16 code units): several times
 * the longest feedback.
 */
export const LONGEST_MESSAGE = 100_000;

/** The answer to a request. */
export interface AgentAnswer {
  threadId: string;
  /**
   * The model's last message, never empty. If the conversation waits for a person, a sentence that
   * says so.
   */
  text: string;
  /**
   * False if `limits.modelCalls` ended the request before the model had answered; `text` then says
   * so.
   */
  complete: boolean;
  /**
   * In the order in which the model planned them. If an answer of the model was not streamed, its
   * calls with unreadable arguments come after its other calls.
   */
  toolCalls: ToolCallEnd[];
  /** Emails that wait for a person's decision (`approval`). Continue with `decide`. */
  review?: MailReviewRequest;
}

interface ToolEvent {
  event: "on_tool_start" | "on_tool_event" | "on_tool_end" | "on_tool_error";
  toolCallId?: string;
  name: string;
  data?: unknown;
}

type RunOptions = AskOptions & { threadId: string; modelName?: string | undefined };

/**
 * Runs the agent once and passes its stream to the listeners.
 * @throws as `FeedbackAgent.ask`
 */
export async function ask(agent: ReactAgent, text: string, options: RunOptions): Promise<AgentAnswer> {
  requireMessage(text);
  return run(agent, { messages: [new HumanMessage(text)] }, new Report(options), options);
}

/**
 * Continues an interrupted conversation, or one whose model doesn't know the outcome of a decision
 * yet.
 * @param command LangGraph's `Command` with the answer
 * @throws ValidationError (`nothing_waits`), and as `FeedbackAgent.ask`
 */
export async function resume(agent: ReactAgent, command: unknown, options: RunOptions): Promise<AgentAnswer> {
  const { messages, review, hasUnheardOutcome } = await stateOf(agent, options.threadId);
  if (!review && !hasUnheardOutcome)
    throw new ValidationError("This conversation is not waiting for a decision.", { code: "nothing_waits" });
  // Without an input, LangGraph continues where the conversation has stopped.
  const input = (review ? command : null) as AgentInput;
  return run(agent, input, new Report(options, messages), options);
}

interface ConversationState {
  messages: BaseMessage[];
  /** The emails whose decisions it waits for. */
  review: MailReviewRequest | undefined;
  /** Whether it was aborted after a decision, before the model could respond to the outcome. */
  hasUnheardOutcome: boolean;
}

/** What is stored about a conversation. */
export async function stateOf(agent: ReactAgent, threadId: string): Promise<ConversationState> {
  const { values, tasks } = await agent.graph.getState(threadConfig(threadId));
  const { messages = [] } = values as { messages?: BaseMessage[] };
  const review = tasks.flatMap(({ interrupts }) => interrupts.map(({ value }) => value as unknown)).find(isMailReview);
  const last = messages.at(-1);
  const isDecided = ToolMessage.isInstance(last) && isObject(last.artifact) && last.artifact["decided"] !== undefined;
  return { messages, review, hasUnheardOutcome: !review && tasks.length > 0 && isDecided };
}

const threadConfig = (threadId: string) => ({ configurable: { thread_id: threadId } });

type AgentInput = Parameters<ReactAgent["stream"]>[0];

async function run(agent: ReactAgent, input: AgentInput, report: Report, options: RunOptions): Promise<AgentAnswer> {
  options.signal?.throwIfAborted();
  try {
    const stream = await agent.stream(input, {
      streamMode: ["messages", "tools", "updates"],
      // What the model decided is stored before a tool acts on it.
      durability: "sync",
      ...threadConfig(options.threadId),
      ...withoutAbsent({ context: options.context, signal: options.signal }),
    });
    for await (const [mode, data] of stream as AsyncIterable<[string, unknown]>) {
      if (mode === "messages") report.message(...(data as [BaseMessage, { langgraph_node?: string }]));
      else if (mode === "tools") report.tool(data as ToolEvent);
      else report.update(data as Update);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toModelError(error, options.modelName);
  }
  options.signal?.throwIfAborted();
  return { threadId: options.threadId, ...report.answer };
}

function requireMessage(text: string): void {
  if (text.trim() === "") throw new ValidationError("The message is empty. Write what the agent should do.");
  if (text.length <= LONGEST_MESSAGE) return;
  throw new ValidationError(
    `The message has ${text.length} characters; at most ${LONGEST_MESSAGE} are allowed. Send it in parts, or process a file with \`abi-workflows batch\`.`,
    { code: "message_too_long" },
  );
}

interface Update {
  /** The interrupts of a run that ends with them. */
  __interrupt__?: { value?: unknown }[];
  [node: string]: { messages?: BaseMessage[] } | { value?: unknown }[] | null | undefined;
}

/** Follows one request: its tool calls, their results, and the model's answer. */
class Report {
  #text = "";
  #complete = true;
  #review: MailReviewRequest | undefined;
  readonly #listeners: AskOptions;
  readonly #calls = new Map<string, ToolCallStart & { started: boolean; end?: ToolCallEnd }>();
  /** The message that the model is writing; `#heard` is the part that listeners have received. */
  #messageId: string | undefined;
  #heard = "";
  #reasoning = new ReasoningFilter();
  #hasSpoken = false;

  /**
   * @param before the messages so far, if the conversation continues in the middle of a request:
   *   the results of its calls may change
   */
  constructor(listeners: AskOptions, before: readonly BaseMessage[] = []) {
    this.#listeners = listeners;
    const last = before.findLast((message) => AIMessage.isInstance(message));
    for (const { id = "", name, args } of last?.tool_calls ?? []) {
      this.#calls.set(id, { id, name, args, started: true });
    }
  }

  get answer(): Omit<AgentAnswer, "threadId"> {
    return {
      text: this.#review ? waitingText(this.#review) : this.#text,
      complete: this.#complete,
      toolCalls: [...this.#calls.values()].flatMap(({ end }) => (end === undefined ? [] : [end])),
      ...withoutAbsent({ review: this.#review }),
    };
  }

  /**
   * Passes on the words of the agent's own model. Tools may use models too, but their words are not
   * for the user.
   */
  message(message: BaseMessage, { langgraph_node: node }: { langgraph_node?: string }): void {
    if (!AIMessageChunk.isInstance(message) || node !== "model_request" || message.text === "") return;
    if (this.#messageId !== message.id) this.#beginMessage(message.id);
    this.#say(this.#reasoning.push(message.text));
  }

  #beginMessage(id: string | undefined): void {
    this.#messageId = id;
    this.#heard = "";
    this.#reasoning = new ReasoningFilter();
  }

  #say(text: string): void {
    if (text === "") return;
    if (this.#heard === "" && this.#hasSpoken) this.#listeners.onToken?.("\n");
    this.#hasSpoken = true;
    this.#heard += text;
    this.#listeners.onToken?.(text);
  }

  tool({ event, toolCallId: id = "", name, data }: ToolEvent): void {
    if (event === "on_tool_start") this.#start(id);
    else if (event === "on_tool_event") this.#listeners.onToolProgress?.({ id, name }, data);
  }

  update({ __interrupt__: interrupts = [], ...changes }: Update): void {
    this.#review ??= interrupts.map(({ value }) => value).find(isMailReview);
    for (const message of Object.values(changes as Record<string, { messages?: BaseMessage[] } | null>).flatMap(
      (change) => change?.messages ?? [],
    )) {
      if (ToolMessage.isInstance(message)) this.#end(message);
      else if (AIMessage.isInstance(message)) this.#said(message);
    }
  }

  #said(message: AIMessage): void {
    this.#text = message.text;
    this.#complete = message.response_metadata["finish_reason"] !== REQUEST_LIMIT;
    this.#say(this.#unheard(message.text));
    this.#beginMessage(undefined);
    for (const { id = "", name, args } of message.tool_calls ?? []) {
      this.#calls.set(id, { id, name, args, started: false });
    }
  }

  /**
   * The part of a finished message that did not arrive as tokens: its end, or all of it if nothing
   * was streamed.
   */
  #unheard(text: string): string {
    const [heard, whole] = [this.#heard.trimStart(), text.trimStart()];
    const known = [heard, heard.trimEnd()].find((start) => whole.startsWith(start));
    if (known !== undefined) return whole.slice(known.length).trim() === "" ? "" : whole.slice(known.length);
    // Reasoning without an opening tag was not recognised, so it was streamed before the answer.
    return heard.trimEnd().endsWith(text.trim()) ? "" : `\n${text}`;
  }

  #start(id: string): void {
    const call = this.#calls.get(id);
    if (call === undefined || call.started) return;
    call.started = true;
    this.#listeners.onToolStart?.({ id, name: call.name, args: call.args });
  }

  #end(message: ToolMessage): void {
    const call = this.#calls.get(message.tool_call_id);
    if (call === undefined || call.end?.content === message.text) return;
    this.#start(call.id);
    call.end = {
      id: call.id,
      name: call.name,
      args: call.args,
      content: message.text,
      ...(message.artifact !== undefined && { artifact: message.artifact as unknown }),
      failed: message.status === "error",
    };
    this.#listeners.onToolEnd?.(call.end);
  }
}
