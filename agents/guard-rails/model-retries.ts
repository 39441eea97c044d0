import { setTimeout as wait } from "node:timers/promises";
import { createMiddleware, type AgentMiddleware } from "langchain";
import pRetry from "p-retry";
import { withoutAbsent } from "../../src/json.ts";
import { AGENT_MODEL_RETRY } from "../../src/retry-policies.ts";
import { isTransient, retryAfterMs } from "../model-errors.ts";

/**
 * Calls the model again, at most 3 times, if that may help: after 429, 5xx, no connection, or an
 * answer that was cut off. It waits for the `Retry-After` of the service, up to a minute. The
 * model's own retries are off in the meantime, and an abort ends the wait.
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
