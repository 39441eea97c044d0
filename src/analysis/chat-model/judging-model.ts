import { classifyRateLimitError } from "@langchain/core/utils/async_caller";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { modelFailure } from "../../chat-completions/model-failure.ts";
import { DEFAULT_MODEL, openChatModel, type ChatModelSettings } from "../../chat-completions/open-chat-model.ts";
import { JUDGEMENT_RETRY } from "../../retry-policies.ts";

/**
 * Whether to try again, instead of LangChain's own handler: that one gives up at a 429 without `Retry-After`, and waits for
 * one that asks for more time than there is. The delays (1 s, then 2 s, with some chance, or what is asked for) are its own.
 */
function onFailedAttempt(error: unknown): void {
  if ((error as { name?: unknown }).name === "AbortError") throw error;
  if (modelFailure(error)?.transient === false) throw error;
  const limit = classifyRateLimitError(error);
  if ((limit?.retryAfterMs ?? 0) > JUDGEMENT_RETRY.longestAskedMs) throw error;
  if (limit?.retryAfterMs !== undefined) Object.assign(error as object, { retryAfterMs: limit.retryAfterMs });
}

/** The model for judgements: as steady as it can be, and quick to give up. */
export async function openJudgingModel(
  settings: ChatModelSettings,
): Promise<{ model: BaseChatModel; modelName: string }> {
  const model = await openChatModel(settings, { maxRetries: JUDGEMENT_RETRY.retries, onFailedAttempt });
  return { model, modelName: settings.openaiModel || DEFAULT_MODEL };
}
