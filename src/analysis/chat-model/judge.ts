import { createHash } from "node:crypto";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { AIMessage } from "@langchain/core/messages";
import { abortable } from "../../concurrency/abortable.ts";
import { BoundedCache } from "../../concurrency/bounded-cache.ts";
import { isCutOff, requireAnswer } from "../../chat-completions/answer.ts";
import { withoutReasoning } from "../../chat-completions/reasoning.ts";
import { ToolCallCollector } from "../../chat-completions/tool-calls.ts";
import { AskedJudgement, Judgement, NOTHING_TO_JUDGE } from "./judgement.ts";
import { judgementPrompt } from "./prompt.ts";

const CACHED_JUDGEMENTS = 1000;

const TOOL = "judge_feedback";

export interface JudgeOptions {
  model: BaseChatModel;
  /** Time limit for one judgement in milliseconds, including the client's retries. */
  timeoutMs: number;
}

/**
 * Gets judgements from a chat model. A second request for the same text joins the first one, or
 * uses its cached answer. The last thousand answers are cached, by the text's hash; failures are
 * not. A blank text is not sent.
 */
export class Judge {
  readonly #timeoutMs: number;
  readonly #ask: (text: string, signal: AbortSignal) => Promise<AIMessage>;
  readonly #judgements = new BoundedCache<string, Promise<Judgement>>(CACHED_JUDGEMENTS);

  constructor({ model, timeoutMs }: JudgeOptions) {
    this.#timeoutMs = timeoutMs;
    const structured = model.withStructuredOutput<Judgement>(AskedJudgement, {
      name: TOOL,
      // The method that most services and servers support.
      method: "functionCalling",
      // Without this, the client discards an answer that doesn't follow the schema exactly.
      includeRaw: true,
    });
    this.#ask = async (text, signal) => {
      const { raw } = await structured.invoke(judgementPrompt(text), { signal });
      return raw as AIMessage;
    };
  }

  /**
   * @throws what the model's client throws, TimeoutError at the time limit, ModelAnswerError if the
   *   model gave no answer, ZodError if the answer is not a judgement, the reason of `signal`
   */
  judge(text: string, signal?: AbortSignal): Promise<Judgement> {
    if (text.trim() === "") return Promise.resolve(NOTHING_TO_JUDGE);
    const key = createHash("sha256").update(text).digest("base64");
    let judgement = this.#judgements.get(key);
    if (judgement === undefined) {
      judgement = this.#request(text);
      judgement.catch(() => this.#judgements.delete(key));
      this.#judgements.set(key, judgement);
    }
    return abortable(judgement, signal);
  }

  async #request(text: string): Promise<Judgement> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    // Some clients ignore the signal while they wait before another attempt.
    return readJudgement(await abortable(this.#ask(text, signal), signal));
  }
}

/**
 * The first judgement in the calls of our tool. If there is none, the one in the text, because
 * small models write it there instead of calling the tool.
 */
async function readJudgement(message: AIMessage): Promise<Judgement> {
  const { tool_calls: calls = [], invalid_tool_calls: invalid = [], response_metadata: metadata } = message;
  const collector = new ToolCallCollector();
  collector.add([...calls, ...invalid]);
  const text = withoutReasoning(message.text);
  const finish: unknown = metadata["finish_reason"];
  requireAnswer({ text, hasCalls: !collector.isEmpty, finishReason: typeof finish === "string" ? finish : undefined });
  const made = collector.finish({ cutOff: isCutOff(finish) });
  const answers = made.filter(({ name }) => name === TOOL).map(({ args }): unknown => args);
  const results = [...answers, await parseJson(text)].map((answer) => Judgement.safeParse(answer));
  return results.find(({ success }) => success)?.data ?? Judgement.parse(answers[0]);
}

/** Undefined if the text contains no JSON. */
async function parseJson(text: string): Promise<unknown> {
  const { parseJsonMarkdown } = await import("@langchain/core/output_parsers");
  try {
    return parseJsonMarkdown(text, JSON.parse);
  } catch {
    return undefined;
  }
}
