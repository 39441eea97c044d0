import type { BaseChatModel } from "@langchain/core/language_models/chat_models";

/** Used where no model is named: small, cheap, good with tools. */
export const DEFAULT_MODEL = "gpt-5.4-mini";

const OPENAI_URL = "https://api.openai.com/v1";

/** Local servers want no key, but the client insists on one. */
const NO_KEY = "no-key";

const RETRIES = 2;

export interface OpenAiModelSettings {
  openaiApiKey?: string | undefined;
  openaiBaseUrl?: string | undefined;
  /** Default `DEFAULT_MODEL`. */
  openaiModel?: string | undefined;
}

/** A model behind OpenAI's Chat Completions, for judgements: as steady as it can be, and quick to give up. */
export async function openOpenAiModel(
  settings: OpenAiModelSettings,
): Promise<{ model: BaseChatModel; modelName: string }> {
  // Large, and most processes never need it.
  const { ChatOpenAI } = await import("@langchain/openai");
  const modelName = settings.openaiModel ?? DEFAULT_MODEL;
  const model = new ChatOpenAI({
    model: modelName,
    apiKey: settings.openaiApiKey ?? NO_KEY,
    maxRetries: RETRIES,
    // Named even where it is the default, lest the client looks for other addresses in the environment.
    configuration: { baseURL: settings.openaiBaseUrl ?? OPENAI_URL },
  });
  return { model, modelName };
}
