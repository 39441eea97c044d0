import type { SeenRun } from "./run-store.ts";

/** Wakes a caller when a run has changed, and passes on how it ended, if that is known. */
type Resolve = (ended?: SeenRun) => void;

/** Callers that wait for a run to change, by run id. */
export class RunWaiters {
  readonly #resolvers = new Map<string, Set<Resolve>>();

  /**
   * The promise resolves at the next announcement for this run, after `timeoutMs`, or when `signal`
   * aborts, whichever comes first. Call this before you read the run, so that no change in between
   * is missed. Call `cancel` when you are done.
   */
  next(
    runId: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): { promise: Promise<SeenRun | undefined>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<SeenRun | undefined>();
    const resolvers = this.#resolvers.get(runId) ?? new Set();
    this.#resolvers.set(runId, resolvers.add(resolve));
    const onAbort = (): void => resolve(undefined);
    const timer = setTimeout(onAbort, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    const cancel = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      resolvers.delete(resolve);
      if (resolvers.size === 0 && this.#resolvers.get(runId) === resolvers) this.#resolvers.delete(runId);
    };
    return { promise, cancel };
  }

  announce(runId: string, ended?: SeenRun): void {
    for (const resolve of this.#resolvers.get(runId) ?? []) resolve(ended);
  }

  announceAll(): void {
    for (const runId of this.#resolvers.keys()) this.announce(runId);
  }
}
