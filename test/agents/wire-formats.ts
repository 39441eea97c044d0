// What "OpenAI-compatible" servers really send, according to their issue trackers and documentation.
import type { RawAnswer } from "../support/openai-server.ts";

/** A tool call: the tool's name and the arguments. */
export type Expected = [name: string, args: Record<string, unknown>];

export interface Format {
  name: string;
  answer: RawAnswer;
  calls: Expected[];
}

const SENTIMENT = "analyze_feedback_sentiment";
const CATEGORIES = "categorize_feedback_text";

const A: Expected = [SENTIMENT, { text: "a" }];
const B: Expected = [CATEGORIES, { text: "b" }];

const envelope = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_764_000_000, model: "m" };

/** One event with this delta. */
export const delta = (fields: object, finish: string | null = null): object => ({
  ...envelope,
  choices: [{ index: 0, delta: fields, finish_reason: finish }],
});

/** A whole message. */
export const message = (fields: object, finish: string | null = "stop"): { body: object } => ({
  body: {
    ...envelope,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", ...fields }, finish_reason: finish }],
  },
});

const streamed = (name: string, calls: Expected[], entries: object[][], finish = "tool_calls"): Format => ({
  name: `${name}, streamed`,
  calls,
  answer: {
    events: [
      delta({ role: "assistant", content: "" }),
      ...entries.map((list) => delta({ tool_calls: list })),
      delta({}, finish),
    ],
  },
});

const whole = (name: string, calls: Expected[], entries: unknown, finish = "tool_calls"): Format => ({
  name: `${name}, whole`,
  calls,
  answer: message({ content: null, tool_calls: entries }, finish),
});

const fn = (name: string, args: unknown): object => ({ name, arguments: args });
const TEXT_A = '{"text":"a"}';
const TEXT_B = '{"text":"b"}';

export const SOUND: Format[] = [
  // https://github.com/ollama/ollama/issues/7881
  streamed(
    "Ollama without index, finish reason stop",
    [A, B],
    [
      [{ id: "call_a", type: "function", function: fn(SENTIMENT, TEXT_A) }],
      [{ id: "call_b", type: "function", function: fn(CATEGORIES, TEXT_B) }],
    ],
    "stop",
  ),
  streamed("Ollama without id", [A], [[{ index: 0, type: "function", function: fn(SENTIMENT, TEXT_A) }]], "stop"),
  streamed(
    "Ollama with neither id nor index",
    [A, B],
    [[{ function: fn(SENTIMENT, TEXT_A) }, { function: fn(CATEGORIES, TEXT_B) }]],
  ),
  streamed(
    "two calls of one tool with neither id nor index",
    [A, [SENTIMENT, { text: "b" }]],
    [[{ function: fn(SENTIMENT, TEXT_A) }], [{ function: fn(SENTIMENT, TEXT_B) }]],
  ),
  streamed(
    "a name in pieces",
    [A, B],
    [
      [{ index: 0, id: "call_a", function: fn("analyze_", "") }],
      [{ index: 0, function: fn("feedback_", "") }],
      [{ index: 0, function: fn("sentiment", TEXT_A) }],
      [{ index: 1, id: "call_b", function: fn("categorize_feedback", '{"text"') }],
      [{ index: 1, id: "call_b", function: fn("_text", ':"b"}') }],
    ],
  ),
  streamed(
    "names with a namespace, a token or blanks around them",
    [A, B, A],
    [
      [{ index: 0, id: "call_a", function: fn(`functions.${SENTIMENT}`, TEXT_A) }],
      [{ index: 1, id: "call_b", function: fn(`${CATEGORIES}<|channel|>commentary`, TEXT_B) }],
      [{ index: 2, id: "call_c", function: fn(` ${SENTIMENT}\n`, TEXT_A) }],
    ],
  ),
  // https://github.com/vllm-project/vllm/issues/18412
  streamed(
    "vLLM without id, the name in each piece",
    [A],
    ['{"', "text", '":', '"a', '"}'].map((piece) => [{ index: 0, function: fn(SENTIMENT, piece) }]),
  ),
  streamed(
    "vLLM with an empty id behind the first piece",
    [A],
    [
      [{ index: 0, id: "chatcmpl-tool-1", type: "function", function: { name: SENTIMENT } }],
      [{ index: 0, id: "", function: { name: "", arguments: '{"text":' } }],
      [{ index: 0, id: "", function: { name: "", arguments: '"a"}' } }],
    ],
  ),
  streamed(
    "id and name null behind the first piece",
    [A],
    [
      [{ index: 0, id: "x", type: "function", function: fn(SENTIMENT, '{"te') }],
      [{ index: 0, id: null, type: null, function: { name: null, arguments: 'xt":"a"}' } }],
    ],
  ),
  streamed(
    "id and name in each piece",
    [A],
    ['{"te', 'xt":"', 'a"}'].map((piece) => [{ index: 0, id: "x", function: fn(SENTIMENT, piece) }]),
  ),
  streamed(
    "a new id in each piece",
    [A],
    ['{"te', 'xt":"', 'a"}'].map((piece, at) => [{ index: 0, id: `x${at}`, function: fn(SENTIMENT, piece) }]),
  ),
  streamed(
    "pieces with neither id nor index behind the first",
    [A],
    [[{ id: "x", function: fn(SENTIMENT, '{"te') }], [{ function: { arguments: 'xt":"a"}' } }]],
  ),
  // https://github.com/omnigent-ai/omnigent/pull/28, https://github.com/su-kaka/gcli2api/pull/406
  streamed(
    "Gemini with index 0 for all calls",
    [A, B],
    [
      [{ index: 0, id: "function-call-1", type: "function", function: fn(SENTIMENT, TEXT_A) }],
      [{ index: 0, id: "function-call-2", type: "function", function: fn(CATEGORIES, TEXT_B) }],
    ],
  ),
  streamed(
    "Gemini with index 0 and an empty id for all calls",
    [A, B],
    [
      [{ index: 0, id: "", type: "function", function: fn(SENTIMENT, TEXT_A) }],
      [{ index: 0, id: "", type: "function", function: fn(CATEGORIES, TEXT_B) }],
    ],
  ),
  streamed(
    "Gemini with index 0 and an empty id for two calls of one tool",
    [A, [SENTIMENT, { text: "b" }]],
    [[{ index: 0, id: "", function: fn(SENTIMENT, TEXT_A) }], [{ index: 0, id: "", function: fn(SENTIMENT, TEXT_B) }]],
  ),
  streamed(
    "Gemini with all calls in one list, index 0",
    [A, B],
    [
      [
        { index: 0, id: "1", function: fn(SENTIMENT, TEXT_A) },
        { index: 0, id: "2", function: fn(CATEGORIES, TEXT_B) },
      ],
    ],
  ),
  streamed(
    "index as text",
    [A],
    [[{ index: "0", id: "x", function: fn(SENTIMENT, '{"te') }], [{ index: "0", function: { arguments: 'xt":"a"}' } }]],
  ),
  streamed(
    "the same id for two calls",
    [A, B],
    [
      [{ index: 0, id: "call_0", function: fn(SENTIMENT, TEXT_A) }],
      [{ index: 1, id: "call_0", function: fn(CATEGORIES, TEXT_B) }],
    ],
  ),
  streamed("a number as id", [A], [[{ index: 0, id: 7, function: fn(SENTIMENT, TEXT_A) }]]),
  // https://github.com/ggml-org/llama.cpp/issues/20198
  streamed(
    "llama.cpp with arguments as an object",
    [A],
    [[{ index: 0, id: "x", function: fn(SENTIMENT, { text: "a" }) }]],
  ),
  whole(
    "llama.cpp with arguments as an object",
    [A],
    [{ id: "x", type: "function", function: fn(SENTIMENT, { text: "a" }) }],
  ),
  streamed("arguments encoded twice", [A], [[{ index: 0, id: "x", function: fn(SENTIMENT, JSON.stringify(TEXT_A)) }]]),
  whole(
    "arguments encoded twice",
    [A],
    [{ id: "x", type: "function", function: fn(SENTIMENT, JSON.stringify(TEXT_A)) }],
  ),
  streamed(
    "the whole once more behind the pieces",
    [A],
    [
      [{ index: 0, id: "x", function: fn(SENTIMENT, '{"text"') }],
      [{ index: 0, function: { arguments: ':"a"}' } }],
      [{ index: 0, id: "x", function: fn(SENTIMENT, TEXT_A) }],
    ],
  ),
  streamed(
    "the whole twice",
    [A],
    [
      [{ index: 0, id: "x", function: fn(SENTIMENT, TEXT_A) }],
      [{ index: 0, id: "x", function: fn(SENTIMENT, '{ "text": "a" }') }],
    ],
  ),
  streamed(
    "all so far in each piece",
    [A],
    ['{"te', '{"text":"', TEXT_A].map((piece) => [{ index: 0, id: "x", function: fn(SENTIMENT, piece) }]),
  ),
  whole("no id", [A, B], [{ function: fn(SENTIMENT, TEXT_A) }, { id: "", function: fn(CATEGORIES, TEXT_B) }], "stop"),
  whole(
    "the same id for two calls",
    [A, B],
    [
      { id: "1", type: "function", function: fn(SENTIMENT, TEXT_A) },
      { id: "1", type: "function", function: fn(CATEGORIES, TEXT_B) },
    ],
  ),
  whole("one call in place of a list", [A], { id: "x", function: fn(SENTIMENT, TEXT_A) }),
  {
    name: "the old function_call, streamed",
    calls: [A],
    answer: {
      events: [
        delta({ role: "assistant", function_call: { name: SENTIMENT, arguments: "" } }),
        delta({ function_call: { arguments: '{"text":' } }),
        delta({ function_call: { arguments: '"a"}' } }),
        delta({}, "function_call"),
      ],
    },
  },
  {
    name: "the old function_call, whole",
    calls: [A],
    answer: message({ content: null, function_call: fn(SENTIMENT, TEXT_A) }, "function_call"),
  },
  {
    name: "no role, no finish reason but [DONE], streamed",
    calls: [A],
    answer: { events: [delta({ tool_calls: [{ index: 0, id: "x", function: fn(SENTIMENT, TEXT_A) }] })] },
  },
  {
    name: "the finish reason in the last piece and no [DONE], streamed",
    calls: [A],
    answer: {
      events: [
        delta(
          { role: "assistant", tool_calls: [{ index: 0, id: "x", function: fn(SENTIMENT, TEXT_A) }] },
          "tool_calls",
        ),
      ],
      done: false,
    },
  },
  {
    name: "a whole message where a stream was asked for",
    calls: [A],
    answer: message({ content: "", tool_calls: [{ id: "x", type: "function", function: fn(SENTIMENT, TEXT_A) }] }),
  },
  {
    name: "a stream that is called JSON",
    calls: [A],
    answer: {
      contentType: "application/json",
      events: [
        delta(
          { role: "assistant", tool_calls: [{ index: 0, id: "x", function: fn(SENTIMENT, TEXT_A) }] },
          "tool_calls",
        ),
      ],
    },
  },
  {
    name: "text and call in two choices of the same index, whole",
    calls: [A],
    answer: {
      body: {
        ...envelope,
        choices: [
          { finish_reason: "tool_calls", message: { role: "assistant", content: "One moment." } },
          {
            finish_reason: "tool_calls",
            message: {
              role: "assistant",
              tool_calls: [{ id: "x", type: "function", function: fn(SENTIMENT, TEXT_A) }],
            },
          },
        ],
      },
    },
  },
  {
    name: "a second choice, whole",
    calls: [A],
    answer: {
      body: {
        ...envelope,
        choices: [
          {
            index: 0,
            finish_reason: "tool_calls",
            message: { tool_calls: [{ id: "x", function: fn(SENTIMENT, TEXT_A) }] },
          },
          {
            index: 1,
            finish_reason: "tool_calls",
            message: { tool_calls: [{ id: "y", function: fn(CATEGORIES, TEXT_B) }] },
          },
        ],
      },
    },
  },
];

/** Calls that must not be carried out. */
export const UNSOUND: Format[] = [
  streamed(
    "cut off in the middle",
    [],
    [[{ index: 0, id: "x", function: fn(SENTIMENT, '{"text":"cut off in the mid') }]],
    "length",
  ),
  streamed("cut off before the first argument", [], [[{ index: 0, id: "x", function: fn(SENTIMENT, "") }]], "length"),
  whole("cut off in the middle", [], [{ id: "x", function: fn(SENTIMENT, '{"text":"cut') }], "length"),
  whole("cut off before the first argument", [], [{ id: "x", function: fn(SENTIMENT, "") }], "length"),
  streamed("a trailing comma", [], [[{ index: 0, id: "x", function: fn(SENTIMENT, '{"text":"a",}') }]]),
  streamed("single quotes", [], [[{ index: 0, id: "x", function: fn(SENTIMENT, "{'text':'a'}") }]]),
  streamed("a fence", [], [[{ index: 0, id: "x", function: fn(SENTIMENT, `\`\`\`json\n${TEXT_A}\n\`\`\``) }]]),
  streamed("a list", [], [[{ index: 0, id: "x", function: fn(SENTIMENT, `[${TEXT_A}]`) }]]),
  streamed(
    "two objects in one call",
    [],
    [[{ index: 0, id: "x", function: fn(SENTIMENT, TEXT_A) }], [{ index: 0, function: { arguments: TEXT_B } }]],
  ),
];

/** Text answers, with all kinds of additions that are not for the user. */
/** `unopened`: the reasoning ends with a closing tag that was never opened. */
export const WORDS: { name: string; answer: RawAnswer; text?: string; unopened?: true }[] = [
  // https://api-docs.deepseek.com/guides/thinking_mode
  {
    name: "DeepSeek's reasoning_content, streamed",
    answer: {
      events: [
        delta({ role: "assistant", content: null, reasoning_content: "Hidden " }),
        delta({ content: null, reasoning_content: "thought" }),
        delta({ content: "All " }),
        delta({ content: "done." }),
        delta({ content: "" }, "stop"),
      ],
    },
  },
  {
    name: "DeepSeek's reasoning_content, whole",
    answer: message({ content: "All done.", reasoning_content: "Hidden" }),
  },
  // https://openrouter.ai/docs/use-cases/reasoning-tokens
  {
    name: "OpenRouter's comments, reasoning and last event without choices, streamed",
    answer: {
      events: [
        delta({
          role: "assistant",
          content: "",
          reasoning: "Hidden",
          reasoning_details: [{ type: "reasoning.text", text: "Hidden" }],
        }),
        delta({ role: "assistant", content: "All done.", reasoning: null }),
        delta({ role: "assistant", content: "" }, "stop"),
        { ...envelope, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } },
      ],
    },
  },
  // https://docs.mistral.ai/capabilities/reasoning
  {
    name: "Mistral's list of parts, streamed",
    answer: {
      events: [
        delta({ role: "assistant", content: "" }),
        delta({ content: [{ type: "thinking", thinking: [{ type: "text", text: "Hidden" }] }] }),
        delta({ content: [{ type: "text", text: "All " }] }),
        delta({ content: "done." }, "stop"),
      ],
    },
  },
  {
    name: "Mistral's list of parts, whole",
    answer: message({
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "Hidden" }] },
        { type: "text", text: "All done." },
        { type: "reference", reference_ids: [1] },
      ],
    }),
  },
  {
    name: "a <think> block, cut anywhere, streamed",
    answer: {
      events: [
        ...["<th", "ink>\nHidden <b", ">thought", "</thi", "nk>", "\n\n", "All <", "em>done."].map((content) =>
          delta({ content }),
        ),
        delta({}, "stop"),
      ],
    },
    text: "All <em>done.",
  },
  { name: "a <think> block, whole", answer: message({ content: "<think>Hidden</think>\n\nAll done." }) },
  { name: "an empty <think> block, whole", answer: message({ content: "<think>\n\n</think>\n\nAll done." }) },
  {
    name: "two blocks, whole",
    answer: message({ content: "<THINKING>Hidden</THINKING>All <think>Hidden</think>done." }),
  },
  { name: "Magistral's [THINK], whole", answer: message({ content: "[THINK]Hidden[/THINK]All done." }) },
  {
    name: "a block whose beginning is in the prompt, whole",
    answer: message({ content: "Hidden\n</think>\n\nAll done." }),
    unopened: true,
  },
  {
    name: "a tag as a word, whole",
    answer: message({ content: "Write <think> in front." }),
    text: "Write <think> in front.",
  },
  {
    name: "the finish reason as an empty text, streamed",
    answer: {
      events: [delta({ role: "assistant", content: "All " }, ""), delta({ content: "done." }, ""), delta({}, "stop")],
    },
  },
  {
    name: "no line between the events, carriage returns, comments",
    answer: {
      contentType: "text/event-stream",
      body: `: PROCESSING\r\n\r\ndata:${JSON.stringify(delta({ content: "All " }))}\r\ndata: ${JSON.stringify(delta({ content: "done." }, "stop"))}\r\n\r\ndata: [DONE]\r\n`,
    },
  },
  {
    name: "data over several lines",
    answer: {
      contentType: "text/event-stream",
      body: `${JSON.stringify(delta({ content: "All done." }, "stop"), undefined, 1)
        .split("\n")
        .map((line) => `data: ${line}`)
        .join("\n")}\n\ndata: [DONE]\n\n`,
    },
  },
  {
    name: "cut off at the length limit",
    answer: { events: [delta({ content: "All do" }), delta({}, "length")] },
    text: "All do\n[The answer was cut off here: the model reached its length limit.]",
  },
];

const HTML = "<!doctype html><html><body>Sign in</body></html>";

export interface Failing {
  name: string;
  answer: RawAnswer;
  code: string;
  /** Whether the request is retried. */
  retried: boolean;
  says: RegExp;
  /** Whether the server doesn't say why it refused the request. */
  unexplained?: boolean;
}

const failing = (name: string, answer: RawAnswer, code: string, retried: boolean, says: RegExp): Failing => ({
  name,
  answer,
  code,
  retried,
  says,
});

const reported = (error: unknown): RawAnswer => ({
  events: [delta({ role: "assistant", content: "Al" }), { ...envelope, error }],
});
const refused = (status: number, error: unknown): RawAnswer => ({ status, body: { error } });

export const NO_ANSWERS: Failing[] = [
  // https://openrouter.ai/docs/api-reference/errors
  failing(
    "OpenRouter's error in a stream",
    {
      events: [
        delta({ role: "assistant", content: "" }),
        {
          ...envelope,
          error: { code: 502, message: "Provider disconnected" },
          choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
        },
      ],
    },
    "model_unavailable",
    true,
    /status 502/,
  ),
  failing("an error without a code in a stream", reported({ message: "boom" }), "model_unavailable", true, /failed/),
  failing("an error as text in a stream", reported("boom"), "model_unavailable", true, /failed/),
  failing(
    "an error that is about the key in a stream",
    reported({ code: 401, message: "no" }),
    "model_refused_key",
    false,
    /OPENAI_API_KEY/,
  ),
  failing(
    "an error in a whole answer",
    { body: { error: { code: "429", message: "slow down" } } },
    "model_busy",
    true,
    /no more requests/,
  ),
  failing(
    "an error inside a choice",
    { body: { choices: [{ error: { code: 503, message: "x" } }] } },
    "model_unavailable",
    true,
    /503/,
  ),
  failing(
    "vLLM's error object",
    { body: { object: "error", message: "boom", type: "InternalServerError", code: 500 } },
    "model_unavailable",
    true,
    /500/,
  ),
  failing(
    "Gemini's list with an error",
    { body: [{ error: { code: 503, status: "UNAVAILABLE" } }] },
    "model_unavailable",
    true,
    /503/,
  ),
  failing(
    "an error event",
    { contentType: "text/event-stream", body: 'event: error\ndata: {"message":"overloaded"}\n\n' },
    "model_busy",
    true,
    /no more requests/,
  ),
  failing("a web page", { contentType: "text/html", body: HTML }, "model_answer_unreadable", false, /OPENAI_BASE_URL/),
  failing("a web page that is called JSON", { body: HTML }, "model_answer_unreadable", false, /OPENAI_BASE_URL/),
  failing(
    "a web page with status 502",
    { status: 502, contentType: "text/html", body: HTML },
    "model_unavailable",
    true,
    /502/,
  ),
  failing("JSON without choices", { body: { response: "Hello" } }, "model_answer_unreadable", false, /OPENAI_BASE_URL/),
  failing("an empty body", { body: "" }, "model_unavailable", true, /OPENAI_BASE_URL/),
  failing(
    "no choices",
    { body: { ...envelope, choices: [] } },
    "model_empty_answer",
    true,
    /the model m-1.*OPENAI_MODEL/i,
  ),
  failing("a stream with nothing in it", { events: [] }, "model_empty_answer", true, /OPENAI_MODEL/),
  failing(
    "no message",
    { body: { ...envelope, choices: [{ index: 0, finish_reason: "stop" }] } },
    "model_empty_answer",
    true,
    /OPENAI_MODEL/,
  ),
  failing("no word and no call", message({ content: " \n" }), "model_empty_answer", true, /OPENAI_MODEL/),
  failing(
    "no word and no call, streamed",
    { events: [delta({ role: "assistant", content: "" }), delta({}, "stop")] },
    "model_empty_answer",
    true,
    /OPENAI_MODEL/,
  ),
  failing(
    "reasoning alone",
    message({ content: "<think>I wonder</think>" }),
    "model_empty_answer",
    true,
    /OPENAI_MODEL/,
  ),
  failing(
    "reasoning that reached the limit",
    message({ content: "<think>I wond" }, "length"),
    "model_answer_too_long",
    false,
    /length limit/,
  ),
  failing(
    "reasoning_content that reached the limit",
    message({ content: "", reasoning_content: "I wond" }, "length"),
    "model_answer_too_long",
    false,
    /length limit/,
  ),
  failing(
    "a refusal",
    message({ content: null, refusal: "I can't" }),
    "model_refused_answer",
    false,
    /refused to answer.*OPENAI_MODEL/,
  ),
  failing(
    "a refusal, streamed",
    { events: [delta({ role: "assistant", refusal: "I " }), delta({ refusal: "can't" }), delta({}, "stop")] },
    "model_refused_answer",
    false,
    /refused to answer/,
  ),
  failing(
    "a filtered answer",
    message({ content: "The" }, "content_filter"),
    "model_content_filter",
    false,
    /content filter/,
  ),
  failing(
    "a filtered answer, streamed",
    { events: [delta({ content: "The" }), delta({}, "content_filter: SAFETY")] },
    "model_content_filter",
    false,
    /content filter/,
  ),
  failing(
    "a model that ran out of machines",
    message({ content: "" }, "insufficient_system_resource"),
    "model_unavailable",
    true,
    /later/,
  ),
  {
    ...failing("400", refused(400, { message: "bad request" }), "model_refused_request", false, /status 400/),
    unexplained: true,
  },
  failing(
    "Gemini's refusal of a key",
    { status: 400, body: [{ error: { code: 400, message: "API key not valid.", status: "INVALID_ARGUMENT" } }] },
    "model_refused_key",
    false,
    /OPENAI_API_KEY/,
  ),
  failing(
    "xAI's refusal of a key",
    { status: 400, body: { code: "Client specified an invalid argument", error: "Incorrect API key provided: xx." } },
    "model_refused_key",
    false,
    /OPENAI_API_KEY/,
  ),
  failing(
    "Gemini's quota of a minute",
    refused(429, {
      message: "You exceeded your current quota, please check your plan and billing details. Please retry in 0.01s.",
      status: "RESOURCE_EXHAUSTED",
      details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "0.01s" }],
    }),
    "model_busy",
    true,
    /no more requests/,
  ),
  failing(
    "llama.cpp without tools",
    refused(500, { code: 500, message: "tools param requires --jinja flag", type: "server_error" }),
    "model_without_tools",
    false,
    /can't call tools.*--jinja/,
  ),
  failing(
    "an overlong context with status 500",
    refused(500, { message: "the request exceeds the available context size" }),
    "model_context_exceeded",
    false,
    /longer than/,
  ),
  failing(
    "LM Studio without /v1",
    { body: { error: "Unexpected endpoint or method. (POST /chat/completions)" } },
    "model_not_found",
    false,
    /OPENAI_BASE_URL.*\/v1/,
  ),
  failing(
    "OpenRouter's moderation",
    refused(403, { code: 403, message: "Your input was flagged by moderation" }),
    "model_content_filter",
    false,
    /content filter/,
  ),
  failing(
    "MiniMax's refusal of a key",
    { body: { choices: null, base_resp: { status_code: 1004, status_msg: "login fail: carry the key" } } },
    "model_refused_key",
    false,
    /OPENAI_API_KEY/,
  ),
  failing(
    "MiniMax's unpaid account",
    { body: { choices: null, base_resp: { status_code: 1008, status_msg: "account in arrears" } } },
    "model_payment_required",
    false,
    /credit/,
  ),
  failing(
    "a code and a message in place of an answer",
    { body: { code: 401, msg: "no", success: false } },
    "model_refused_key",
    false,
    /OPENAI_API_KEY/,
  ),
  failing(
    "an error as plain text in a stream",
    { contentType: "text/event-stream", body: "data: Internal error: upstream timed out\n\n" },
    "model_unavailable",
    true,
    /failed/,
  ),
  failing(
    "invisible characters alone",
    message({ content: "\u200b\u2060 \ufeff" }),
    "model_empty_answer",
    true,
    /empty/,
  ),
  failing("401", refused(401, { message: "no" }), "model_refused_key", false, /OPENAI_API_KEY/),
  failing("402", refused(402, { message: "Insufficient Balance" }), "model_payment_required", false, /credit/),
  failing("403", refused(403, { message: "region not supported" }), "model_forbidden", false, /model m-1/),
  failing(
    "404 of a model",
    refused(404, { message: 'model "m-1" not found, try pulling it first' }),
    "model_not_found",
    false,
    /does not know the model m-1.*OPENAI_MODEL/,
  ),
  failing(
    "404 of a page",
    { status: 404, contentType: "text/html", body: HTML },
    "model_not_found",
    false,
    /address.*OPENAI_BASE_URL/,
  ),
  failing("400 of a model", refused(400, { message: "Model Not Exist" }), "model_not_found", false, /OPENAI_MODEL/),
  failing(
    "422",
    refused(422, { message: "Extra inputs are not permitted" }),
    "model_refused_request",
    false,
    /field.*status 422/,
  ),
  failing(
    "429",
    refused(429, { message: "Rate limit reached", code: "rate_limit_exceeded" }),
    "model_busy",
    true,
    /no more requests/,
  ),
  failing(
    "429 of an empty account",
    refused(429, { message: "You exceeded your current quota", code: "insufficient_quota" }),
    "model_quota_exhausted",
    false,
    /quota/,
  ),
  failing(
    "a model without tools",
    refused(400, { message: "m-1 does not support tools" }),
    "model_without_tools",
    false,
    /can't call tools/,
  ),
  failing(
    "OpenAI's overlong context",
    refused(400, { message: "too long", code: "context_length_exceeded" }),
    "model_context_exceeded",
    false,
    /longer than/,
  ),
  failing(
    "llama.cpp's overlong context",
    refused(400, { message: "the request exceeds the available context size", type: "exceed_context_size_error" }),
    "model_context_exceeded",
    false,
    /longer than/,
  ),
  failing(
    "vLLM's overlong context",
    refused(400, { message: "This model's maximum context length is 4096 tokens" }),
    "model_context_exceeded",
    false,
    /longer than/,
  ),
  failing(
    "Azure's filter",
    refused(400, { message: "filtered", code: "content_filter" }),
    "model_content_filter",
    false,
    /content filter/,
  ),
];
