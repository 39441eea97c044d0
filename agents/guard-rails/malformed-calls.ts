import { AIMessage, AIMessageChunk, ToolMessage, type BaseMessage, type ToolCall } from "@langchain/core/messages";
import { createMiddleware, type AgentMiddleware } from "langchain";
import { CUT_OFF_NOTE, isCutOff, requireAnswer } from "../../src/chat-completions/answer.ts";
import { withoutReasoning } from "../../src/chat-completions/reasoning.ts";
import { ToolCallCollector, type WireToolCall } from "../../src/chat-completions/tool-calls.ts";
import { withoutAbsent } from "../../src/json.ts";
import { aiMessages } from "./request-messages.ts";

/**
 * Interprets the answers of any model. Calls that can be understood without guessing are executed;
 * all other calls go back to the model, which repairs them. Otherwise a broken call would silently
 * end the request. And if a streamed call was cut off, its first half would be executed, because
 * LangChain completes partial JSON. Reasoning is removed from the answer. An unusable answer is an
 * error, which is retried if that may help.
 */
export const malformedCalls: AgentMiddleware = createMiddleware({
  name: "MalformedCalls",
  wrapModelCall: async (request, handler) => {
    const response = await handler(request);
    return AIMessage.isInstance(response) ? understood(response, request.messages) : response;
  },
  wrapToolCall: (request, handler) => {
    const { id = "", name } = request.toolCall;
    const last = aiMessages(request.state.messages).at(-1);
    if (last?.invalid_tool_calls?.some((call) => call.id === id) !== true) return handler(request);
    const content = `Nothing was done: the arguments of ${name} were not a complete JSON object. Call it again with valid JSON.`;
    return new ToolMessage({ content, tool_call_id: id, name, status: "error" });
  },
});

/**
 * The message as the agent uses it. A broken call is in two places: among the calls, with empty
 * arguments, so that it gets the result that the protocol requires, and among the invalid calls,
 * which marks it as broken. Ids are made unique in the conversation, because each result needs its
 * own call and some servers restart counting in every answer.
 * @throws ModelAnswerError
 */
function understood(message: AIMessage, conversation: readonly BaseMessage[]): AIMessage {
  const reason: unknown = message.response_metadata["finish_reason"];
  const finishReason = typeof reason === "string" ? reason : undefined;
  const taken = new Set([
    "",
    ...aiMessages(conversation).flatMap(({ tool_calls: made = [] }) => made.map(({ id }) => id)),
  ]);
  const calls = readCalls(message, isCutOff(finishReason)).map(({ id, name, args }) => {
    const unique = taken.has(id) ? `call_${crypto.randomUUID()}` : id;
    taken.add(unique);
    return { id: unique, name: name || "unknown", args: args ?? {}, broken: args === undefined };
  });
  const text = withoutReasoning(message.text);
  requireAnswer({ text, hasCalls: calls.length > 0, finishReason });
  const content = contentOf(message, text, calls.length === 0 && isCutOff(finishReason));
  const original = message.tool_calls ?? [];
  const asItWas =
    calls.length === original.length &&
    calls.every(({ id, name, args, broken }, index) => {
      const other = original[index];
      return !broken && id === other?.id && name === other.name && JSON.stringify(args) === JSON.stringify(other.args);
    });
  if (asItWas && content === message.content) return message;
  // A new message with the same id, without the raw chunks and the provider's fields, which could
  // contradict the calls.
  const { tool_calls: _raw, function_call: _legacy, ...kwargs } = message.additional_kwargs;
  return new AIMessage({
    content,
    additional_kwargs: kwargs,
    response_metadata: message.response_metadata,
    ...withoutAbsent({ id: message.id, usage_metadata: message.usage_metadata }),
    tool_calls: calls.map(({ id, name, args }): ToolCall => ({ id, name, args, type: "tool_call" })),
    invalid_tool_calls: calls
      .filter((call) => call.broken)
      .map(({ id, name }) => ({ id, name, error: "not a JSON object", type: "invalid_tool_call" })),
  });
}

/**
 * From a streamed message, reads the raw pieces, because LangChain completes partial arguments.
 * Otherwise, reads LangChain's calls, valid or not.
 */
function readCalls(message: AIMessage, cutOff: boolean): WireToolCall[] {
  const chunks = (AIMessageChunk.isInstance(message) && message.tool_call_chunks) || [];
  const collector = new ToolCallCollector();
  if (chunks.length > 0) for (const chunk of chunks) collector.add([chunk]);
  else collector.add([...(message.tool_calls ?? []), ...(message.invalid_tool_calls ?? [])]);
  return collector.finish({ cutOff });
}

function contentOf(message: AIMessage, text: string, cutOff: boolean): AIMessage["content"] {
  if (cutOff && !text.endsWith(CUT_OFF_NOTE)) return `${text.trimEnd()}\n${CUT_OFF_NOTE}`;
  return text === message.text ? message.content : text;
}
