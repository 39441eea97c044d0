import type { StepEvent, WorkflowEngine } from "../../src/index.ts";

/** Retries at once, and for as long as an outage in a test may last. */
export const PATIENT = { attempts: 10_000, initialDelayMs: 1, maximumDelayMs: 20 };

/** Resolves when a step has failed this many times. */
export function failures(engine: WorkflowEngine, step: string, count = 1): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  const stop = engine.onStep((event: StepEvent) => {
    if (event.step !== step || event.phase !== "failed") return;
    left -= 1;
    if (left > 0) return;
    stop();
    resolve();
  });
  return promise;
}
