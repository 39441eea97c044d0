import { classifyRateLimitError } from "@langchain/core/utils/async_caller";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { compatibleFetch } from "../../chat-completions/compatible-fetch.ts";
import { modelFailure } from "../../chat-completions/model-failure.ts";

/** Used where no model is named: small, cheap, good with tools. */
export const DEFAULT_MODEL = "gpt-5.4-mini";

const OPENAI_URL = "https://api.openai.com/v1";

/** Local servers want no key, but the client insists on one. */
const NO_KEY = "no-key";

const RETRIES = 2;

/** What the service may ask us to wait, in ms: twice that and the calls themselves have their place in the time for a text. */
const LONGEST_WAIT = 8_000;

/**
 * Whether to try again, instead of LangChain's own handler: that one gives up at a 429 without `Retry-After`, and waits for
 * one that asks for more time than there is. The delays (1 s, then 2 s, with some chance, or what is asked for) are its own.
 */
function onFailedAttempt(error: unknown): void {
  const { status, name } = error as { status?: unknown; name?: unknown };
  if (name === "AbortError") throw error;
  if (typeof status === "number" && status < 500 && status !== 408 && status !== 429) throw error;
  if (typeof status !== "number" && modelFailure(error)?.transient === false) throw error;
  const limit = classifyRateLimitError(error);
  if (limit?.action === "stop" || (limit?.retryAfterMs ?? 0) > LONGEST_WAIT) throw error;
  if (limit?.retryAfterMs !== undefined) Object.assign(error as object, { retryAfterMs: limit.retryAfterMs });
}

export interface OpenAiModelSettings {
  openaiApiKey?: string | undefined;
  openaiBaseUrl?: string | undefined;
  /** Default `DEFAULT_MODEL`. */
  openaiModel?: string | undefined;
}

/** What the client of a chat model needs to know, for the agent and the analysers alike. */
export function clientOptions({ openaiApiKey, openaiBaseUrl, openaiModel }: OpenAiModelSettings): {
  model: string;
  apiKey: string;
  configuration: { baseURL: string; fetch: typeof globalThis.fetch };
} {
  // Named even where it is the default, lest the client looks for other addresses in the environment.
  const baseURL = openaiBaseUrl || OPENAI_URL;
  return {
    model: openaiModel || DEFAULT_MODEL,
    apiKey: openaiApiKey || NO_KEY,
    configuration: { baseURL, fetch: compatibleFetch({ developerRole: baseURL.startsWith(OPENAI_URL) }) },
  };
}

/** A model behind OpenAI's Chat Completions, for judgements: as steady as it can be, and quick to give up. */
export async function openOpenAiModel(
  settings: OpenAiModelSettings,
): Promise<{ model: BaseChatModel; modelName: string }> {
  // Large, and most processes never need it.
  const { ChatOpenAI } = await import("@langchain/openai");
  const options = clientOptions(settings);
  const model = new ChatOpenAI({ ...options, maxRetries: RETRIES, onFailedAttempt });
  return { model, modelName: options.model };
}
