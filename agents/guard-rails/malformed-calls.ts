import { AIMessage, AIMessageChunk, ToolMessage, type BaseMessage, type ToolCall } from "@langchain/core/messages";
import { createMiddleware, type AgentMiddleware } from "langchain";
import { aiMessages } from "./request-messages.ts";

/**
 * Tool calls whose arguments are no whole JSON object come back to the model, which repairs them.
 * Without this a broken call ends the request without a word, and of a streamed one that was cut off in the middle
 * the half that arrived would be carried out: LangChain completes partial JSON.
 */
export const malformedCalls: AgentMiddleware = createMiddleware({
  name: "MalformedCalls",
  wrapModelCall: async (request, handler) => {
    const response = await handler(request);
    return AIMessage.isInstance(response) ? withMarkedCalls(response, request.messages) : response;
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
 * The message with each broken call twice: among the calls with empty arguments, so that it is answered as the protocol
 * wants, and among the invalid ones, which marks it. Ids are made unique in the
 * conversation (some servers count anew in every answer): every result needs a call of its own.
 */
function withMarkedCalls(message: AIMessage, conversation: readonly BaseMessage[]): AIMessage {
  const halves = brokenCallIds(message);
  const taken = new Set(aiMessages(conversation).flatMap(({ tool_calls: calls = [] }) => calls.map(({ id }) => id)));
  const uniqueId = (id: string | undefined): string => {
    const unique = id === undefined || id === "" || taken.has(id) ? `call_${crypto.randomUUID()}` : id;
    taken.add(unique);
    return unique;
  };
  const calls = [
    ...(message.tool_calls ?? []).map(({ id, name, args }: ToolCall) => {
      const broken = !isObject(args) || (id !== undefined && halves.has(id));
      return { id: uniqueId(id), name, args: broken ? {} : args, broken };
    }),
    ...(message.invalid_tool_calls ?? []).map(({ id, name = "unknown" }) => {
      return { id: uniqueId(id), name, args: {}, broken: true };
    }),
  ];
  const original = message.tool_calls ?? [];
  if (calls.every((call, index) => !call.broken && call.id === original[index]?.id)) return message;
  // A fresh message of the same id: the raw chunks, and what the provider sent, must not speak against the calls.
  const { tool_calls: _raw, ...kwargs } = message.additional_kwargs;
  return new AIMessage({
    content: message.content,
    additional_kwargs: kwargs,
    response_metadata: message.response_metadata,
    ...(message.id !== undefined && { id: message.id }),
    ...(message.usage_metadata !== undefined && { usage_metadata: message.usage_metadata }),
    tool_calls: calls.map(({ id, name, args }): ToolCall => ({
      id,
      name,
      args,
      type: "tool_call",
    })),
    invalid_tool_calls: calls
      .filter((call) => call.broken)
      .map(({ id, name }) => ({ id, name, error: "not a JSON object", type: "invalid_tool_call" })),
  });
}

/** Calls of a streamed message whose raw text does not parse, though LangChain made arguments of it. */
function brokenCallIds(message: AIMessage): Set<string> {
  const raw = new Map<number | string, { id: string; text: string }>();
  for (const chunk of (AIMessageChunk.isInstance(message) && message.tool_call_chunks) || []) {
    const key = chunk.index ?? chunk.id ?? "";
    const call = raw.get(key) ?? { id: chunk.id ?? "", text: "" };
    raw.set(key, { id: call.id || (chunk.id ?? ""), text: call.text + (chunk.args ?? "") });
  }
  return new Set([...raw.values()].filter(({ text }) => !isWholeJson(text)).map(({ id }) => id));
}

function isWholeJson(text: string): boolean {
  if (text.trim() === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
