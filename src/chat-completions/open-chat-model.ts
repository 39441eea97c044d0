import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { withPackages } from "../runtime/optional-packages.ts";
import { compatibleFetch } from "./compatible-fetch.ts";

/**
 * Used if no model is named: small, cheap, good with tools. If you change it, also change the text
 * of `OPENAI_MODEL` in `settings.ts`.
 */
export const DEFAULT_MODEL = "gpt-5.4-mini";

const OPENAI_URL = "https://api.openai.com/v1";

/** Local servers need no key, but the client requires one. */
const NO_KEY = "no-key";

/** The settings that name the model and its server. */
export interface ChatModelSettings {
  /** `OPENAI_API_KEY`; not needed for a server without keys. */
  openaiApiKey?: string | undefined;
  /** `OPENAI_BASE_URL`: any server with OpenAI's Chat Completions API. Default: OpenAI's own. */
  openaiBaseUrl?: string | undefined;
  /** `OPENAI_MODEL`, default `DEFAULT_MODEL`. */
  openaiModel?: string | undefined;
}

/** How often and for how long a client tries. */
export interface ChatModelOptions {
  maxRetries: number;
  /** Time limit for each attempt, in milliseconds; default: the client's own. */
  timeout?: number;
  onFailedAttempt?: (error: unknown) => void;
}

/**
 * Opens a model on a server with OpenAI's Chat Completions API, for the agent and the analysers.
 * @throws ValidationError (`package_missing`) if `@langchain/openai` is not installed
 */
export async function openChatModel(settings: ChatModelSettings, options: ChatModelOptions): Promise<BaseChatModel> {
  const { ChatOpenAI } = await withPackages(["@langchain/openai"], () => import("@langchain/openai"));
  // Set even if it is the default, so the client doesn't look for other addresses in the
  // environment.
  const baseURL = settings.openaiBaseUrl || OPENAI_URL;
  return new ChatOpenAI({
    ...options,
    model: settings.openaiModel || DEFAULT_MODEL,
    apiKey: settings.openaiApiKey || NO_KEY,
    configuration: { baseURL, fetch: compatibleFetch({ developerRole: baseURL.startsWith(OPENAI_URL) }) },
  });
}
