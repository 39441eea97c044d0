import { AIMessage, AIMessageChunk, HumanMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import type { ReactAgent } from "langchain";
import { ValidationError } from "../src/errors.ts";
import { toModelError } from "./model-errors.ts";

/** A call that the model planned. */
export interface ToolCallStart {
  id: string;
  name: string;
  args: Record<string, unknown>;
}

/** The same, after it. */
export interface ToolCallEnd extends ToolCallStart {
  /** What the model was told. */
  content: string;
  /** The tool's whole result, where it gives one. */
  artifact?: unknown;
  /** True where the tool threw, the arguments did not fit, or a limit forbade the call. */
  failed: boolean;
}

/** Options of one request, and who is told what meanwhile. */
export interface AskOptions {
  /** The conversation to go on with; default a new one. */
  threadId?: string;
  signal?: AbortSignal;
  /** The model's words as they come: its remarks between tool calls too, each message after the first behind a line break. */
  onToken?: (token: string) => void;
  onToolStart?: (call: ToolCallStart) => void;
  /** What a running tool yields. */
  onToolProgress?: (call: Pick<ToolCallStart, "id" | "name">, progress: unknown) => void;
  /** Comes once for every call, also for one that was refused before it started. */
  onToolEnd?: (call: ToolCallEnd) => void;
}

/** What came of a request. */
export interface AgentAnswer {
  threadId: string;
  /** The model's last message. */
  text: string;
  /** In the order in which the model planned them; of one turn's calls, those whose arguments could not be read at all come last. */
  toolCalls: ToolCallEnd[];
}

interface ToolEvent {
  event: "on_tool_start" | "on_tool_event" | "on_tool_end" | "on_tool_error";
  toolCallId?: string;
  name: string;
  data?: unknown;
}

/** Runs the agent once and turns its stream into calls of the listeners. Errors: see `FeedbackAgent.ask`. */
export async function ask(
  agent: ReactAgent,
  text: string,
  options: AskOptions & { threadId: string },
): Promise<AgentAnswer> {
  if (text.trim() === "") throw new ValidationError("The message is empty. Write what the agent should do.");
  options.signal?.throwIfAborted();
  const report = new Report(options);
  try {
    const stream = await agent.stream(
      { messages: [new HumanMessage(text)] },
      {
        streamMode: ["messages", "tools", "updates"],
        // What the model decided is stored before a tool acts on it.
        durability: "sync",
        configurable: { thread_id: options.threadId },
        ...(options.signal && { signal: options.signal }),
      },
    );
    for await (const [mode, data] of stream as AsyncIterable<[string, unknown]>) {
      if (mode === "messages") report.message(...(data as [BaseMessage, { langgraph_node?: string }]));
      else if (mode === "tools") report.tool(data as ToolEvent);
      else report.update(data as Record<string, { messages?: BaseMessage[] } | null>);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toModelError(error);
  }
  options.signal?.throwIfAborted();
  return { threadId: options.threadId, text: report.text, toolCalls: report.toolCalls };
}

/** Follows one request: who calls what, what came of it, and what the model says at last. */
class Report {
  text = "";
  readonly #listeners: AskOptions;
  readonly #calls = new Map<string, ToolCallStart & { started: boolean; end?: ToolCallEnd }>();
  #speaking: string | undefined;

  constructor(listeners: AskOptions) {
    this.#listeners = listeners;
  }

  get toolCalls(): ToolCallEnd[] {
    return [...this.#calls.values()].flatMap(({ end }) => (end === undefined ? [] : [end]));
  }

  /** Only what the agent's own model says: tools may ask models too, and nobody wants to hear that. */
  message(message: BaseMessage, { langgraph_node: node }: { langgraph_node?: string }): void {
    if (!AIMessageChunk.isInstance(message) || node !== "model_request" || message.text === "") return;
    if (this.#speaking !== undefined && this.#speaking !== message.id) this.#listeners.onToken?.("\n");
    this.#speaking = message.id ?? "";
    this.#listeners.onToken?.(message.text);
  }

  tool({ event, toolCallId: id = "", name, data }: ToolEvent): void {
    if (event === "on_tool_start") this.#start(id);
    else if (event === "on_tool_event") this.#listeners.onToolProgress?.({ id, name }, data);
  }

  update(update: Record<string, { messages?: BaseMessage[] } | null>): void {
    for (const message of Object.values(update).flatMap((change) => change?.messages ?? [])) {
      if (ToolMessage.isInstance(message)) this.#end(message);
      else if (AIMessage.isInstance(message)) this.#said(message);
    }
  }

  #said(message: AIMessage): void {
    this.text = message.text;
    for (const { id = "", name, args } of message.tool_calls ?? []) {
      this.#calls.set(id, { id, name, args, started: false });
    }
  }

  #start(id: string): void {
    const call = this.#calls.get(id);
    if (call === undefined || call.started) return;
    call.started = true;
    this.#listeners.onToolStart?.({ id, name: call.name, args: call.args });
  }

  #end(message: ToolMessage): void {
    const call = this.#calls.get(message.tool_call_id);
    if (call === undefined || call.end !== undefined) return;
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
