/**
 * The wire format of OpenAI's Chat Completions
 * (https://platform.openai.com/docs/api-reference/chat), the part that the scripted server needs.
 */

export interface ScriptedCall {
  /** Default: an id that is unique during the server's lifetime. */
  id?: string;
  name: string;
  /** JSON text, valid or broken. */
  arguments: string;
}

interface WireCall {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
}

export interface ChatMessage {
  role: "system" | "developer" | "user" | "assistant" | "tool";
  content: string | { type: string; text?: string }[] | null;
  tool_calls?: WireCall[];
  tool_call_id?: string;
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  tools?: {
    type: "function";
    function: { name: string; description?: string; parameters: unknown; strict?: boolean };
  }[];
}

export interface ScriptedMessage {
  reply?: string;
  toolCalls?: ScriptedCall[];
}

const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/**
 * The body of an answer without streaming. `nth`: makes ids unique during the server's lifetime.
 */
export function completion(request: ChatRequest, message: ScriptedMessage, nth: number): object {
  const calls = wireCalls(message, nth);
  return {
    ...envelope(request, nth, "chat.completion"),
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: message.reply ?? null, ...(calls.length > 0 && { tool_calls: calls }) },
        finish_reason: calls.length > 0 ? "tool_calls" : "stop",
      },
    ],
    usage: USAGE,
  };
}

/**
 * The events of a streamed answer: text in pieces of 5 characters, arguments in pieces of 7,
 * because OpenAI splits them anywhere.
 */
export function completionChunks(request: ChatRequest, message: ScriptedMessage, nth: number): object[] {
  const base = envelope(request, nth, "chat.completion.chunk");
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...base,
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const calls = wireCalls(message, nth);
  return [
    chunk({ role: "assistant", content: message.reply === undefined ? null : "" }),
    ...pieces(message.reply ?? "", 5).map((content) => chunk({ content })),
    ...calls.flatMap(({ function: { name, arguments: args }, ...call }, index) => [
      chunk({ tool_calls: [{ index, ...call, function: { name, arguments: "" } }] }),
      ...pieces(args, 7).map((part) => chunk({ tool_calls: [{ index, function: { arguments: part } }] })),
    ]),
    chunk({}, calls.length > 0 ? "tool_calls" : "stop"),
    ...(request.stream_options?.include_usage === true ? [{ ...base, choices: [], usage: USAGE }] : []),
  ];
}

/**
 * The fault in a request that OpenAI would answer with a 400: tool calls that are not directly
 * followed by their results, results without a call, broken arguments.
 */
export function protocolFault({ messages }: ChatRequest): string | undefined {
  const open = new Set<string>();
  for (const { role, tool_calls: calls = [], tool_call_id: id } of messages) {
    if (role === "tool") {
      if (id === undefined || !open.delete(id)) return `tool message ${id} does not follow its call`;
      continue;
    }
    if (open.size > 0) return `tool_calls without results: ${[...open].join(", ")}`;
    for (const call of calls) {
      if (!isJsonObject(call.function.arguments)) return `arguments of ${call.id} are not a JSON object`;
      open.add(call.id);
    }
  }
  return open.size > 0 ? `tool_calls without results: ${[...open].join(", ")}` : undefined;
}

const envelope = (request: ChatRequest, nth: number, object: string): object => ({
  id: `chatcmpl-${nth}`,
  object,
  created: 1_700_000_000,
  model: request.model,
});

const wireCalls = ({ toolCalls = [] }: ScriptedMessage, nth: number): WireCall[] =>
  toolCalls.map(({ id = "", ...call }, index) => ({
    id: id || `call_${nth}_${index}`,
    type: "function",
    function: call,
  }));

function pieces(text: string, size: number): string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? [];
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
