import { isObject } from "../json.ts";
import { isVisible } from "../visible-text.ts";
import { withoutReasoning } from "./reasoning.ts";
import { ModelAnswerError } from "./model-failure.ts";
import { ToolCallCollector, type WireToolCall } from "./tool-calls.ts";

type JsonObject = Record<string, unknown>;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Finish reasons, as different services spell them. Any other reason is a normal end. */
const FILTERED = /content_?filter|safety|prohibited|blocklist|recitation|sensitive/iu;
const CUT_OFF = /^(?:length|max_?tokens|max_output_tokens|model_length)$/iu;
const BROKEN_OFF = /^(?:error|abort|aborted|cancelled|insufficient_system_resource|network_error)$/iu;

export interface AnswerFacts {
  text: string;
  hasCalls: boolean;
  finishReason: string | undefined;
}

/** Added after a text that the model couldn't finish. */
export const CUT_OFF_NOTE = "[The answer was cut off here: the model reached its length limit.]";

/**
 * Added after the text of a stream that just stopped, if this server's streams don't mark their
 * ends.
 */
export const UNMARKED_END_NOTE = "[The model service did not say whether this answer is complete.]";

/** Whether the model reached its length limit before it was done. */
export const isCutOff = (finishReason: unknown): boolean => CUT_OFF.test(String(finishReason));

/**
 * Checks that an answer can be used. An answer that was cut off at the length limit is usable if it
 * has text or a tool call.
 * @throws ModelAnswerError if it was filtered or broken off, or has neither text nor tool call
 */
export function requireAnswer({ text, hasCalls, finishReason = "" }: AnswerFacts): void {
  if (FILTERED.test(finishReason)) throw new ModelAnswerError("content_filter");
  if (BROKEN_OFF.test(finishReason)) throw new ModelAnswerError("broken_off", `finish reason ${finishReason}`);
  if (isVisible(text) || hasCalls) return;
  throw new ModelAnswerError(isCutOff(finishReason) ? "no_room_to_answer" : "empty_answer");
}

/** The new part of an answer that can be passed on at once. */
export interface Piece {
  text: string;
  reasoning: string;
}

/**
 * One Chat Completions answer, whole or as the chunks of a stream, including the ways in which
 * servers deviate from the format. Of several choices, the first counts. Choices with the same
 * index are one answer, because some servers split text and calls between them.
 */
export class Answer {
  id = "";
  model = "";
  usage: unknown;
  text = "";
  reasoning = "";
  finishReason: string | undefined;
  #isCompletion = false;
  #refusal = "";
  #index: unknown;
  readonly #calls: ToolCallCollector;
  readonly #legacyCall: ToolCallCollector;

  /** @param tools the names of the tools that the model was offered */
  constructor(tools: readonly string[]) {
    this.#calls = new ToolCallCollector(tools);
    this.#legacyCall = new ToolCallCollector(tools);
  }

  /** @throws ModelAnswerError if the service reports an error instead of an answer */
  add(data: unknown): Piece {
    // Gemini's endpoint wraps its errors in a list.
    const chunk = Array.isArray(data) && data.length === 1 ? (data[0] as unknown) : data;
    if (!isObject(chunk)) return { text: "", reasoning: "" };
    throwReported(chunk);
    if (typeof chunk["id"] === "string") this.id ||= chunk["id"];
    if (typeof chunk["model"] === "string") this.model ||= chunk["model"];
    this.usage = chunk["usage"] ?? this.usage;
    if (Array.isArray(chunk["choices"])) this.#isCompletion = true;
    const before = { text: this.text.length, reasoning: this.reasoning.length };
    for (const choice of list(chunk["choices"])) if (isObject(choice)) this.#addChoice(choice);
    return { text: this.text.slice(before.text), reasoning: this.reasoning.slice(before.reasoning) };
  }

  get isFinished(): boolean {
    return this.finishReason !== undefined;
  }

  /**
   * The tool calls. Call this when the answer is complete.
   * @throws ModelAnswerError for an unusable answer
   */
  finish(): WireToolCall[] {
    if (!this.#isCompletion) throw new ModelAnswerError("not_a_completion", "no choices in the answer");
    const cutOff = isCutOff(this.finishReason);
    const calls = (this.#calls.isEmpty ? this.#legacyCall : this.#calls).finish({ cutOff });
    if (this.#refusal.trim() !== "" && this.text.trim() === "" && calls.length === 0)
      throw new ModelAnswerError("refusal", this.#refusal);
    requireAnswer({ text: withoutReasoning(this.text), hasCalls: calls.length > 0, finishReason: this.finishReason });
    return calls;
  }

  #addChoice(choice: JsonObject): void {
    throwReported(choice);
    const index = Number(choice["index"] ?? 0);
    this.#index ??= index;
    if (index !== this.#index) return;
    const finish = choice["finish_reason"];
    if (typeof finish === "string" && finish !== "") this.finishReason = finish;
    const message = choice["delta"] ?? choice["message"];
    // The format of the old completions API, with which some servers answer.
    if (typeof choice["text"] === "string" && message === undefined) this.text += choice["text"];
    if (!isObject(message)) return;
    this.text += textOf(message["content"]);
    this.reasoning += typeof message["reasoning_content"] === "string" ? message["reasoning_content"] : "";
    this.#refusal += typeof message["refusal"] === "string" ? message["refusal"] : "";
    for (const part of list(message["content"])) {
      if (isObject(part) && typeof part["refusal"] === "string") this.#refusal += part["refusal"];
    }
    const calls = message["tool_calls"];
    this.#calls.add(isObject(calls) ? [calls] : calls);
    if (isObject(message["function_call"])) this.#legacyCall.add([{ index: 0, function: message["function_call"] }]);
  }
}

/**
 * The text of a message's content, which is a string or a list of parts. Parts with thinking,
 * references or tool use are left out.
 */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(textOf).join("");
  if (!isObject(content)) return "";
  const { type = "text", text } = content;
  if (type !== "text" && type !== "output_text") return "";
  if (isObject(text)) return typeof text["value"] === "string" ? text["value"] : "";
  return typeof text === "string" ? text : "";
}

/**
 * Throws errors inside an answer with status 200: OpenRouter's `error`, vLLM's `object: "error"`,
 * FastAPI's `detail`, and others.
 */
function throwReported(chunk: JsonObject): void {
  const { error, object, detail, type, base_resp: base } = chunk;
  if (error !== undefined && error !== null && error !== false && error !== "")
    throw ModelAnswerError.fromService(error);
  if (object === "error" || type === "error") throw ModelAnswerError.fromService(chunk);
  if (detail !== undefined && !("choices" in chunk)) throw ModelAnswerError.fromService(chunk);
  if (Array.isArray(chunk["choices"])) return;
  // MiniMax's `base_resp`, and the `code` and `msg` of other Chinese services.
  if (isObject(base) && typeof base["status_msg"] === "string") throw ModelAnswerError.fromService(base);
  if (typeof chunk["msg"] === "string") throw ModelAnswerError.fromService(chunk);
}
