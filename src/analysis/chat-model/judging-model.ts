import { classifyRateLimitError } from "@langchain/core/utils/async_caller";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { modelFailure } from "../../chat-completions/model-failure.ts";
import { DEFAULT_MODEL, openChatModel, type ChatModelSettings } from "../../chat-completions/open-chat-model.ts";
import { JUDGEMENT_RETRY } from "../../retry-policies.ts";

/**
 * Throws the error if there is no point in trying again. It replaces LangChain's own handler, which
 * gives up after a 429 without `Retry-After`, and waits even if `Retry-After` is longer than the
 * time that is left. The delays are LangChain's own: 1 to 2 s, then 2 to 4 s, or what the service
 * asks for.
 */
function onFailedAttempt(error: unknown): void {
  if ((error as { name?: unknown }).name === "AbortError") throw error;
  if (modelFailure(error)?.transient === false) throw error;
  const limit = classifyRateLimitError(error);
  if ((limit?.retryAfterMs ?? 0) > JUDGEMENT_RETRY.longestAskedMs) throw error;
  if (limit?.retryAfterMs !== undefined) Object.assign(error as object, { retryAfterMs: limit.retryAfterMs });
}

/** Opens the model for judgements, with few retries, because a judgement must not take long. */
export async function openJudgingModel(
  settings: ChatModelSettings,
): Promise<{ model: BaseChatModel; modelName: string }> {
  const model = await openChatModel(settings, { maxRetries: JUDGEMENT_RETRY.retries, onFailedAttempt });
  return { model, modelName: settings.openaiModel || DEFAULT_MODEL };
}
