import { setTimeout as wait } from "node:timers/promises";
import { createMiddleware, type AgentMiddleware } from "langchain";
import pRetry from "p-retry";
import { isTransient, retryAfterMs } from "../model-errors.ts";

/** Delay before the first repetition in ms; it doubles with each, up to 8 s, with some chance in it. */
const FIRST_DELAY = 500;

/**
 * Calls the model again, at most 3 times, where that may help: 429, 5xx, no connection, an answer that broke off. What the service
 * asks for in `Retry-After` is waited for, up to a minute. The model's own retries are off meanwhile, and an abort ends the waiting.
 */
export const modelRetries: AgentMiddleware = createMiddleware({
  name: "ModelRetries",
  wrapModelCall: (request, handler) => {
    const { signal } = request.runtime;
    return pRetry(() => handler({ ...request, modelSettings: { ...request.modelSettings, maxRetries: 0 } }), {
      retries: 3,
      minTimeout: FIRST_DELAY,
      maxTimeout: 8_000,
      randomize: true,
      shouldRetry: ({ error }) => isTransient(error),
      onFailedAttempt: async ({ error, retriesLeft }) => {
        if (retriesLeft > 0 && isTransient(error))
          await wait(retryAfterMs(error) ?? 0, undefined, signal && { signal });
      },
      ...(signal && { signal }),
    });
  },
});
