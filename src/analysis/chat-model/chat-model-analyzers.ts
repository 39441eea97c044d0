import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { ValidationError } from "../../errors.ts";
import type { FeedbackCategorizer } from "../feedback-categorizer.ts";
import type { AnalysisFallback, SentimentAnalyzer } from "../sentiment-analyzer.ts";
import { failureReason } from "./failure-reason.ts";
import { Judge } from "./judge.ts";
import { toCategories, toSentiment } from "./judgement.ts";
import { PROMPT_VERSION } from "./prompt.ts";

const TIMEOUT_MS = 20_000;

/** Which chat model judges texts, and what happens if it doesn't answer. */
export interface ChatModelAnalyzersOptions {
  /** Any LangChain chat model that can call tools. */
  model: BaseChatModel;
  /** Stored as provenance, such as `gpt-5.4-mini`. */
  modelName: string;
  /** The analysers that answer if the model doesn't; the result then has `fallback`. */
  fallback: Analyzers;
  /** Time limit for one text in milliseconds, including the client's retries; default 20,000. */
  timeoutMs?: number;
}

/** The two analysers that the customer feedback workflow needs. */
export interface Analyzers {
  sentimentAnalyzer: SentimentAnalyzer;
  feedbackCategorizer: FeedbackCategorizer;
}

/**
 * Creates analysers that use a chat model, for any language that it reads. One call answers for
 * both analysers; the answers for the last thousand texts are cached. If the call fails, the
 * fallback answers and the result says why, so the analysers only throw the reason of an aborted
 * signal, or what the fallback throws.
 * @throws ValidationError if an option is missing or the model can't call tools
 */
export function createChatModelAnalyzers(options: ChatModelAnalyzersOptions): Analyzers {
  const { model, modelName, fallback, timeoutMs = TIMEOUT_MS } = options;
  checkOptions(options);
  const judge = new Judge({ model, timeoutMs });
  const version = `${modelName}, prompt ${PROMPT_VERSION}`;
  const sentimentAnalyzer: SentimentAnalyzer = {
    name: "chat-model-sentiment",
    version,
    analyze: (text, { signal } = {}) =>
      answer(
        signal,
        async () => toSentiment(text, await judge.judge(text, signal)),
        async (failure) => {
          const other = fallback.sentimentAnalyzer;
          return { ...(await other.analyze(text)), fallback: describe(sentimentAnalyzer, other, failure) };
        },
      ),
  };
  const feedbackCategorizer: FeedbackCategorizer = {
    name: "chat-model-categories",
    version,
    categorize: (text, { signal } = {}) =>
      answer(
        signal,
        async () => toCategories(text, await judge.judge(text, signal)),
        async (failure) => {
          const other = fallback.feedbackCategorizer;
          return { ...(await other.categorize(text)), fallback: describe(feedbackCategorizer, other, failure) };
        },
      ),
  };
  return { sentimentAnalyzer, feedbackCategorizer };
}

function checkOptions({ model, modelName, fallback }: Partial<ChatModelAnalyzersOptions>): void {
  const problem =
    (typeof model?.bindTools !== "function" && "model must be a LangChain chat model that can call tools") ||
    (!modelName && "modelName must be the name of the model") ||
    ((!fallback?.sentimentAnalyzer || !fallback.feedbackCategorizer) &&
      "fallback must have a sentimentAnalyzer and a feedbackCategorizer");
  if (problem) throw new ValidationError(`Chat model analysers: ${problem}.`, { code: "invalid_configuration" });
}

async function answer<Result>(
  signal: AbortSignal | undefined,
  ask: () => Promise<Result>,
  otherwise: (failure: ReturnType<typeof failureReason>) => Promise<Result>,
): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    signal?.throwIfAborted();
    return otherwise(failureReason(error));
  }
}

const describe = (
  from: { name: string },
  { name, version }: { name: string; version: string },
  failure: ReturnType<typeof failureReason>,
): AnalysisFallback => ({ from: from.name, analyzer: { name, version }, ...failure });
