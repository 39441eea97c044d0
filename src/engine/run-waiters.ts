/** Callers that wait for a run to change, by run id. */
export class RunWaiters {
  readonly #resolvers = new Map<string, Set<() => void>>();

  /**
   * Resolves at the next announcement for this run, after `timeoutMs`, or when `signal` aborts, whichever comes first.
   * Call it before you look at the run, so that no change is missed in between, and `cancel` it when done.
   */
  next(runId: string, timeoutMs: number, signal?: AbortSignal): { promise: Promise<void>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const resolvers = this.#resolvers.get(runId) ?? new Set();
    this.#resolvers.set(runId, resolvers.add(resolve));
    const timer = setTimeout(resolve, timeoutMs);
    const onAbort = (): void => resolve();
    signal?.addEventListener("abort", onAbort, { once: true });
    const cancel = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      resolvers.delete(resolve);
      if (resolvers.size === 0 && this.#resolvers.get(runId) === resolvers) this.#resolvers.delete(runId);
    };
    return { promise, cancel };
  }

  announce(runId: string): void {
    for (const resolve of this.#resolvers.get(runId) ?? []) resolve();
  }

  announceAll(): void {
    for (const runId of this.#resolvers.keys()) this.announce(runId);
  }
}
