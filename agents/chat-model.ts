import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { openChatModel } from "../src/analysis/chat-model/open-ai-model.ts";
import { OfflineChatModel } from "./offline-chat-model/offline-chat-model.ts";

/** The part of the settings that names the model. */
export interface ChatModelSettings {
  /** `OPENAI_API_KEY`; not needed for a server that asks for none. */
  openaiApiKey?: string | undefined;
  /** `OPENAI_BASE_URL`: any server that speaks OpenAI's Chat Completions, default OpenAI's own. */
  openaiBaseUrl?: string | undefined;
  /** `OPENAI_MODEL`, default `DEFAULT_MODEL`. */
  openaiModel?: string | undefined;
}

/**
 * The chat model that the settings name; with neither key nor base URL the offline demo model.
 * Answers of the service that may go well a second time (429, 5xx, no connection) are retried 3 times; a call takes 60 s at most.
 * Servers that only resemble OpenAI's are understood as far as that is possible without guessing: see `compatibleFetch`.
 * @throws ValidationError (`package_missing`) where a service is named and `@langchain/openai` is not installed
 */
export async function createChatModel(settings: ChatModelSettings = {}): Promise<BaseChatModel> {
  if (!settings.openaiApiKey && !settings.openaiBaseUrl) return new OfflineChatModel();
  return openChatModel(settings, { maxRetries: 3, timeout: 60_000 });
}
