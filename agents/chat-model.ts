import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { openChatModel, type ChatModelSettings } from "../src/chat-completions/open-chat-model.ts";
import { AGENT_MODEL_RETRY } from "../src/retry-policies.ts";
import { OfflineChatModel } from "./offline-chat-model/offline-chat-model.ts";

/**
 * Creates the chat model that the settings name. With neither a key nor a base URL, it is the
 * offline demo model. Temporary failures of the service (429, 5xx, no connection) are retried 3
 * times. An attempt fails if the answer has not arrived within 60 s; a streamed answer must begin
 * by then, and may pause for up to 60 s. Servers that deviate from OpenAI's format are understood
 * as far as that is possible without guessing: see `compatibleFetch`.
 * @throws ValidationError (`package_missing`) if a service is named and `@langchain/openai` is not
 *   installed
 */
export async function createChatModel(settings: ChatModelSettings = {}): Promise<BaseChatModel> {
  if (!settings.openaiApiKey && !settings.openaiBaseUrl) return new OfflineChatModel();
  return openChatModel(settings, { maxRetries: AGENT_MODEL_RETRY.retries, timeout: 60_000 });
}
