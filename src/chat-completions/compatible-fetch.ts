import { BoundedCache } from "../concurrency/bounded-cache.ts";
import { withoutAbsent } from "../json.ts";
import { Answer, CUT_OFF_NOTE, isCutOff, UNMARKED_END_NOTE, type Piece } from "./answer.ts";
import { isUnexplained, ModelAnswerError } from "./model-failure.ts";
import type { WireToolCall } from "./tool-calls.ts";

type Fetch = typeof globalThis.fetch;

interface Call {
  id?: string;
  [field: string]: unknown;
}

interface Message {
  role?: string;
  tool_calls?: Call[];
  [field: string]: unknown;
}

interface Request {
  model?: string;
  stream?: boolean;
  stream_options?: unknown;
  messages?: Message[];
  tools?: { function?: { name?: string } }[];
  [field: string]: unknown;
}

/** Fields that a server wants back together with one of its tool calls, and with its message. */
interface Companions {
  call: Record<string, unknown>;
  message: Record<string, unknown>;
}

/** What a server's earlier streams have shown. */
interface StreamHabits {
  /**
   * Whether any stream so far has marked its end, with a finish reason or `[DONE]`. Undefined until
   * a stream has ended.
   */
  marksEnds?: boolean;
}

/** The number of tool calls whose companions are kept; conversations in progress have far fewer. */
const MAX_COMPANIONS = 1000;

export interface CompatibleFetchOptions {
  /** False for services other than OpenAI's own: few know the role `developer`. */
  developerRole: boolean;
  /** How long an answer that has started may stall, in milliseconds. Default 60,000. */
  idleLimit?: number;
}

const IDLE_LIMIT = 60_000;

/**
 * A `fetch` for OpenAI's client that understands servers which deviate from OpenAI's format. Their
 * answers, whole or streamed, are converted to the format that OpenAI documents
 * (https://platform.openai.com/docs/api-reference/chat): text as text, each tool call in one piece
 * with an id of its own. Text is passed on as it comes. Anything that can't be understood without
 * guessing stays unchanged.
 *
 * - `stream_options` are left out once the server has refused them, even if its error doesn't name
 *   them.
 * - What a server attaches to its tool calls is sent back with them: DeepSeek's
 *   `reasoning_content`, Gemini's `extra_content`.
 * - An answer that stalls fails, even if comments still arrive that keep the connection alive.
 * - A stream that just stops fails, unless an earlier one did the same and none has marked its end:
 *   then this server doesn't mark ends, and a note below the text says that it may be incomplete.
 * - An unusable answer with status 200 fails with a `ModelAnswerError`.
 */
export function compatibleFetch({ developerRole, idleLimit = IDLE_LIMIT }: CompatibleFetchOptions): Fetch {
  let streamOptions = true;
  const companions = new BoundedCache<string, Companions>(MAX_COMPANIONS);
  const habits: StreamHabits = {};
  return async (input, init) => {
    const request = readRequest(init?.body);
    if (request === undefined) return fetch(input, init);
    const messages = request.messages?.map((message) => prepared(message, developerRole, companions));
    const send = async ({ stream_options: options, ...rest }: Request): Promise<Response> =>
      fetch(input, {
        ...withoutLength(init),
        body: JSON.stringify({
          ...rest,
          ...withoutAbsent({ messages }),
          ...(streamOptions && options !== undefined && { stream_options: options }),
        }),
      });
    let response = await send(request);
    if (streamOptions && request.stream_options !== undefined && (await mayRefuseStreamOptions(response))) {
      await response.body?.cancel();
      const { stream_options: _, ...without } = request;
      response = await send(without);
      if (response.ok) streamOptions = false;
    }
    if (!response.ok) return withError(response);
    return new AnswerReader(request, companions, habits, idleLimit).read(response);
  };
}

function readRequest(body: unknown): Request | undefined {
  if (typeof body !== "string") return undefined;
  const request = JSON.parse(body) as Request;
  return Array.isArray(request.messages) ? request : undefined;
}

/** The headers without the length that the client has counted: our body has another one. */
function withoutLength(init: RequestInit | undefined): RequestInit {
  const headers = new Headers(init?.headers);
  headers.delete("content-length");
  return { ...init, headers };
}

function prepared(message: Message, developerRole: boolean, companions: BoundedCache<string, Companions>): Message {
  if (message.role === "developer" && !developerRole) return { ...message, role: "system" };
  if (message.tool_calls === undefined) return message;
  const known = message.tool_calls.map(({ id = "" }) => companions.get(id));
  return {
    ...message,
    ...known.find((companion) => companion !== undefined)?.message,
    tool_calls: message.tool_calls.map((call, nth) => Object.assign({}, call, known[nth]?.call)),
  };
}

async function mayRefuseStreamOptions(response: Response): Promise<boolean> {
  if (response.ok) return false;
  const body = await response.clone().text();
  return /stream_options|include_usage/u.test(body) || (response.status === 400 && isUnexplained(400, body));
}

/**
 * Converts a refusal to OpenAI's form. The client reads no text in other forms, such as Gemini's
 * list or FastAPI's `detail`.
 */
async function withError(response: Response): Promise<Response> {
  const body = parsed(await response.clone().text())?.value;
  const reported: unknown = Array.isArray(body) && body.length === 1 ? body[0] : body;
  if (!isRecord(reported)) return response;
  await response.body?.cancel();
  const { status, statusText } = response;
  const error = "error" in reported ? reported : { error: reported };
  return Response.json(error, { status, statusText, headers: passedOn(response, "application/json") });
}

/** Reads the answer to one request and rewrites it. */
class AnswerReader {
  readonly #request: Request;
  readonly #companions: BoundedCache<string, Companions>;
  readonly #habits: StreamHabits;
  readonly #idleLimit: number;
  readonly #answer: Answer;
  #hasUnmarkedEnd = false;

  constructor(request: Request, companions: BoundedCache<string, Companions>, habits: StreamHabits, idleLimit: number) {
    this.#habits = habits;
    this.#idleLimit = idleLimit;
    this.#request = request;
    this.#answer = new Answer(request.tools?.flatMap((tool) => tool.function?.name ?? []) ?? []);
    this.#companions = companions;
  }

  async read(response: Response): Promise<Response> {
    const pieces = this.#pieces(response);
    if (this.#request.stream !== true) {
      for await (const _piece of pieces);
      return Response.json(this.#completion(), { headers: passedOn(response, "application/json") });
    }
    return new Response(this.#events(pieces), { headers: passedOn(response, "text/event-stream") });
  }

  /** Adds everything that arrives to the answer; yields what can be passed on at once. */
  async *#pieces(response: Response): AsyncGenerator<Piece> {
    // The content type doesn't show whether this is a stream: some servers declare their streams as
    // JSON, text or even HTML, and some answer a request for a stream with a whole message.
    const other: string[] = [];
    let streamed = false;
    for await (const { data, line } of eventsOf(new Lines(response, this.#idleLimit))) {
      if (data === "[DONE]") {
        this.#habits.marksEnds = true;
        yield this.#answer.add({ choices: [] });
        return;
      }
      if (data === undefined) {
        if (!streamed) other.push(line);
        continue;
      }
      streamed = true;
      yield this.#answer.add(data);
    }
    if (!streamed && other.some((line) => line.trim() !== "" && !EVENT_FIELD.test(line))) {
      yield this.#answer.add(parse(other.join("\n")));
      return;
    }
    if (this.#answer.isFinished) {
      this.#habits.marksEnds = true;
      return;
    }
    this.#hasUnmarkedEnd = streamed && this.#habits.marksEnds === false;
    if (streamed) this.#habits.marksEnds ??= false;
    if (!this.#hasUnmarkedEnd) throw new ModelAnswerError("broken_off", "the stream stopped before the answer's end");
  }

  #completion(): object {
    const calls = this.#calls();
    const { reasoning, finishReason, usage } = this.#answer;
    const text = this.#answer.text + this.#note(calls);
    return {
      ...this.#envelope("chat.completion"),
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: text === "" ? null : text,
            ...(reasoning !== "" && { reasoning_content: reasoning }),
            ...(calls.length > 0 && { tool_calls: calls }),
          },
          finish_reason: finishReason ?? "stop",
        },
      ],
      ...(isRecord(usage) && { usage }),
    };
  }

  #events(pieces: AsyncGenerator<Piece>): ReadableStream<Uint8Array> {
    const events = this.#chunks(pieces);
    const encoder = new TextEncoder();
    const encode = (chunk: unknown): Uint8Array =>
      encoder.encode(`data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`);
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const { value, done } = await events.next();
          if (done === true) controller.close();
          else controller.enqueue(encode(value));
        } catch (error) {
          controller.error(error);
        }
      },
      cancel: async () => void (await events.return(undefined)),
    });
  }

  async *#chunks(pieces: AsyncGenerator<Piece>): AsyncGenerator<object | string> {
    const chunk = (delta: object, finish: string | null = null): object => ({
      ...this.#envelope("chat.completion.chunk"),
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    yield chunk({ role: "assistant", content: "" });
    for await (const { text, reasoning } of pieces) {
      if (reasoning !== "") yield chunk({ reasoning_content: reasoning });
      if (text !== "") yield chunk({ content: text });
    }
    const calls = this.#calls();
    const note = this.#note(calls);
    if (note !== "") yield chunk({ content: note });
    for (const call of calls) yield chunk({ tool_calls: [call] });
    yield chunk({}, this.#answer.finishReason ?? "stop");
    const { usage } = this.#answer;
    if (isRecord(usage)) yield { ...this.#envelope("chat.completion.chunk"), choices: [], usage };
    yield "[DONE]";
  }

  #note(calls: readonly Call[]): string {
    if (calls.length > 0) return "";
    if (isCutOff(this.#answer.finishReason)) return `\n${CUT_OFF_NOTE}`;
    return this.#hasUnmarkedEnd ? `\n${UNMARKED_END_NOTE}` : "";
  }

  #envelope(object: string): object {
    const { id, model } = this.#answer;
    return { id: id || this.#ownId, object, created: 0, model: model || (this.#request.model ?? "") };
  }

  readonly #ownId = `chatcmpl-${crypto.randomUUID()}`;

  /**
   * The calls in OpenAI's form, each with an id that is new in the conversation, because every
   * result must belong to exactly one call.
   */
  #calls(): (Call & { index: number })[] {
    const earlier = this.#request.messages?.flatMap(({ tool_calls: calls = [] }) => calls.map(({ id }) => id)) ?? [];
    const taken = new Set<string | undefined>(["", ...earlier]);
    return this.#answer.finish().map((call, index) => {
      const id = taken.has(call.id) ? `call_${crypto.randomUUID()}` : call.id;
      taken.add(id);
      this.#keep(id, call);
      const text = call.args === undefined ? brokenText(call) : JSON.stringify(call.args);
      return Object.assign({ index }, call.extra, {
        id,
        type: "function",
        function: { name: call.name, arguments: text },
      });
    });
  }

  #keep(id: string, { extra }: WireToolCall): void {
    const { reasoning } = this.#answer;
    if (reasoning === "" && Object.keys(extra).length === 0) return;
    this.#companions.set(id, { call: extra, message: reasoning === "" ? {} : { reasoning_content: reasoning } });
  }
}

/** An incomplete call without arguments must not look like a call of a tool that takes none. */
const brokenText = ({ text }: WireToolCall): string => (text.trim() === "" ? "{" : text);

const isRecord = (value: unknown): value is object => typeof value === "object" && value !== null;

/** @throws ModelAnswerError */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ModelAnswerError("not_a_completion", "no JSON", { cause: error });
  }
}

/**
 * A line without data in an event stream: a comment or another field
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 */
const EVENT_FIELD = /^(?::|(?:event|id|retry):)/u;

/** The events of a stream with their data parsed, and every other line unchanged. */
async function* eventsOf(lines: Lines): AsyncGenerator<{ data?: unknown; line: string }> {
  let isError = false;
  let begun = "";
  let any = false;
  for await (const line of lines) {
    const data = /^data:\s?(.*)$/su.exec(line)?.[1];
    if (data === undefined) {
      if (line.trim() === "" && begun !== "") {
        if (!/^\s*[[{]/u.test(begun)) throw ModelAnswerError.fromService(begun);
        throw new ModelAnswerError(any ? "broken_off" : "not_a_completion", "no JSON");
      }
      if (line.trim() !== "" && !EVENT_FIELD.test(line)) lines.madeProgress();
      if (/^event:\s*error\s*$/u.test(line)) isError = true;
      yield { line };
      continue;
    }
    if (begun === "" && data.trim() === "") continue;
    if (data.trim() === "[DONE]") return yield { data: "[DONE]", line };
    lines.madeProgress();
    begun += data;
    const event = parsed(begun);
    // Data may span several lines.
    if (event === undefined) continue;
    begun = "";
    any = true;
    if (isError) throw ModelAnswerError.fromService(event.value);
    yield { data: event.value, line };
  }
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** The lines of a body. Reading fails if none of them makes progress for too long. */
class Lines {
  readonly #response: Response;
  readonly #idleLimit: number;
  /**
   * How long we have waited for bytes since the last progress, in ms. The time that the consumer of
   * the lines takes doesn't count.
   */
  #waited = 0;

  constructor(response: Response, idleLimit: number) {
    this.#response = response;
    this.#idleLimit = idleLimit;
  }

  madeProgress(): void {
    this.#waited = 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    let parts: string[] = [];
    for await (const bytes of this.#chunks()) {
      const text = decoder.decode(bytes, { stream: true });
      const [first = "", ...others] = text.split("\n");
      parts.push(first);
      for (const next of others) {
        yield parts.join("").replace(/\r$/u, "");
        parts = [next];
      }
    }
    yield parts.join("") + decoder.decode();
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    const reader = this.#response.body?.getReader();
    if (reader === undefined) return;
    let ended = false;
    try {
      for (;;) {
        const { done, value } = await this.#read(reader);
        ended = done;
        if (value === undefined) return;
        yield value;
      }
    } finally {
      // If the connection is broken, the read has already reported that.
      if (!ended) await reader.cancel().catch(() => undefined);
    }
  }

  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]> {
    const stalled = Promise.withResolvers<never>();
    const from = performance.now();
    const timer = setTimeout(
      () => stalled.reject(new ModelAnswerError("stalled", "the model service stopped answering")),
      Math.max(0, this.#idleLimit - this.#waited),
    );
    try {
      return await Promise.race([reader.read(), stalled.promise]);
    } finally {
      clearTimeout(timer);
      this.#waited += performance.now() - from;
    }
  }
}

/** The headers for the client, without those that describe the original body. */
function passedOn(response: Response, type: string): Headers {
  const headers = new Headers(response.headers);
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) headers.delete(name);
  headers.set("content-type", type);
  return headers;
}
