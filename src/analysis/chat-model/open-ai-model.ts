import { classifyRateLimitError } from "@langchain/core/utils/async_caller";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { compatibleFetch } from "../../chat-completions/compatible-fetch.ts";
import { withPackages } from "../../runtime/optional-packages.ts";
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
  if ((error as { name?: unknown }).name === "AbortError") throw error;
  if (modelFailure(error)?.transient === false) throw error;
  const limit = classifyRateLimitError(error);
  if ((limit?.retryAfterMs ?? 0) > LONGEST_WAIT) throw error;
  if (limit?.retryAfterMs !== undefined) Object.assign(error as object, { retryAfterMs: limit.retryAfterMs });
}

export interface OpenAiModelSettings {
  openaiApiKey?: string | undefined;
  openaiBaseUrl?: string | undefined;
  /** Default `DEFAULT_MODEL`. */
  openaiModel?: string | undefined;
}

/** How often and for how long a client tries. */
export interface OpenAiClientOptions {
  maxRetries: number;
  /** Milliseconds for one call; default the client's own. */
  timeout?: number;
  onFailedAttempt?: (error: unknown) => void;
}

/**
 * A model behind OpenAI's Chat Completions, for the agent and the analysers alike.
 * @throws ValidationError (`package_missing`) where `@langchain/openai` is not installed
 */
export async function openChatModel(
  settings: OpenAiModelSettings,
  options: OpenAiClientOptions,
): Promise<BaseChatModel> {
  const { ChatOpenAI } = await withPackages(["@langchain/openai"], () => import("@langchain/openai"));
  // Named even where it is the default, lest the client looks for other addresses in the environment.
  const baseURL = settings.openaiBaseUrl || OPENAI_URL;
  return new ChatOpenAI({
    ...options,
    model: settings.openaiModel || DEFAULT_MODEL,
    apiKey: settings.openaiApiKey || NO_KEY,
    configuration: { baseURL, fetch: compatibleFetch({ developerRole: baseURL.startsWith(OPENAI_URL) }) },
  });
}

/** The model for judgements: as steady as it can be, and quick to give up. */
export async function openOpenAiModel(
  settings: OpenAiModelSettings,
): Promise<{ model: BaseChatModel; modelName: string }> {
  const model = await openChatModel(settings, { maxRetries: RETRIES, onFailedAttempt });
  return { model, modelName: settings.openaiModel || DEFAULT_MODEL };
}
