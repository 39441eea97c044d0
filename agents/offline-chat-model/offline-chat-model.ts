import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from "@langchain/core/language_models/chat_models";
import {
  AIMessage,
  AIMessageChunk,
  HumanMessage,
  ToolMessage,
  type BaseMessage,
  type ToolCall,
} from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { withoutAbsent } from "../../src/json.ts";
import { HELP, MISSING, SIGNATURE } from "./phrases.ts";
import { readRequest } from "./read-request.ts";
import { summarizeResults } from "./summarize-results.ts";

export interface OfflineChatModelCallOptions extends BaseChatModelCallOptions {
  tools?: BindToolsInput[];
}

/**
 * A rule-based stand-in for a chat model, for trying things without a key or a network. It
 * understands a few plain requests by fixed rules, calls the bound tools, summarizes their results,
 * and says at the end of every text what it is. The same messages always give the same answer.
 * Customers' texts are passed on and never interpreted as instructions.
 *
 * @example
 * const model = new OfflineChatModel().bindTools(tools);
 * await model.invoke("What is the sentiment of: I love it!");
 */
export class OfflineChatModel extends BaseChatModel<OfflineChatModelCallOptions> {
  static override lc_name(): string {
    return "OfflineChatModel";
  }

  constructor() {
    super({});
  }

  override _llmType(): string {
    return "offline";
  }

  override bindTools(
    tools: BindToolsInput[],
    options?: Partial<OfflineChatModelCallOptions>,
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, OfflineChatModelCallOptions> {
    return this.withConfig({ ...options, tools });
  }

  override async _generate(messages: BaseMessage[], options: this["ParsedCallOptions"]): Promise<ChatResult> {
    const { text, calls } = respond(messages, options.tools ?? []);
    const message = new AIMessage({
      content: text,
      tool_calls: calls,
    });
    return { generations: [{ text, message }] };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const { text, calls } = respond(messages, options.tools ?? []);
    const parts = [
      ...text.split(/(?<=\s)(?=\S)/u).map((word) => new AIMessageChunk({ content: word })),
      ...calls.map(
        ({ id, name, args }, index) =>
          new AIMessageChunk({
            content: "",
            tool_call_chunks: [
              { ...withoutAbsent({ id }), name, args: JSON.stringify(args), index, type: "tool_call_chunk" },
            ],
          }),
      ),
    ];
    for (const message of parts) {
      const chunk = new ChatGenerationChunk({ text: message.text, message });
      yield chunk;
      await run?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
    }
  }
}

interface Response {
  text: string;
  calls: ToolCall[];
}

/**
 * After tool results: their summary, without further calls. After a request: the calls that it asks
 * for, or why there are none.
 */
function respond(messages: readonly BaseMessage[], tools: readonly BindToolsInput[]): Response {
  const say = (text: string): Response => ({ text, calls: [] });
  const request = messages.findLastIndex((message) => HumanMessage.isInstance(message));
  const results = messages.slice(request + 1).filter((message) => ToolMessage.isInstance(message));
  if (results.length > 0) return say(summarizeResults(results));
  const reading = readRequest(messages[request]?.text ?? "");
  if ("missing" in reading) return say(MISSING[reading.missing]);
  if ("unknown" in reading) return say(HELP);
  const known = new Set(tools.map(toolName));
  const lacking = reading.calls.find(({ name }) => !known.has(name));
  if (lacking !== undefined) return say(`I don't have the tool ${lacking.name}.\n${SIGNATURE}`);
  // The ids are unique within a conversation, because it only grows.
  return {
    text: "",
    calls: reading.calls.map(({ name, args }, index) => ({
      id: `offline_${request}_${index}`,
      name,
      args,
      type: "tool_call",
    })),
  };
}

/** LangChain's tools have a name; definitions in OpenAI's format have it one level deeper. */
function toolName(tool: BindToolsInput): unknown {
  if ("function" in tool && typeof tool.function === "object" && tool.function !== null) {
    return Reflect.get(tool.function, "name");
  }
  return "name" in tool ? tool.name : undefined;
}
