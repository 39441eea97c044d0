import { setTimeout as wait } from "node:timers/promises";
import { createMiddleware, type AgentMiddleware } from "langchain";
import pRetry from "p-retry";
import { withoutAbsent } from "../../src/json.ts";
import { AGENT_MODEL_RETRY } from "../../src/retry-policies.ts";
import { isTransient, retryAfterMs } from "../model-errors.ts";

/**
 * Calls the model again, at most 3 times, if that may help: after a status 429 or 5xx, a timeout, a
 * failed connection, or an answer that broke off or is empty. It waits as long as the service asks
 * (`Retry-After`); if that is more than a minute, it doesn't retry. The model's own retries are
 * turned off, and an abort ends the wait.
 */
export const modelRetries: AgentMiddleware = createMiddleware({
  name: "ModelRetries",
  wrapModelCall: (request, handler) => {
    const { signal } = request.runtime;
    return pRetry(() => handler({ ...request, modelSettings: { ...request.modelSettings, maxRetries: 0 } }), {
      retries: AGENT_MODEL_RETRY.retries,
      minTimeout: AGENT_MODEL_RETRY.initialDelayMs,
      maxTimeout: AGENT_MODEL_RETRY.maximumDelayMs,
      randomize: true,
      shouldRetry: ({ error }) => isTransient(error),
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (retriesLeft > 0 && isTransient(error))
          await wait(retryAfterMs(error) ?? 0, undefined, signal && { signal });
      },
      ...withoutAbsent({ signal }),
    });
  },
});
