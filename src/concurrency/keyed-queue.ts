import { abortable } from "./abortable.ts";

/** Runs work with the same key one at a time, and work with different keys concurrently. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  /**
   * @param signal removes waiting work from the queue; work that has begun must watch the signal
   *   itself
   * @throws the signal's reason, or what the work throws
   */
  async run<Result>(key: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = abortable(before, signal).then(work);
    // The queue waits for the end, whether work succeeds or fails; only its caller learns which. If
    // one caller leaves, the next still waits for those before it.
    const tail = settled(before, result);
    this.#tails.set(key, tail);
    void tail.finally(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return result;
  }

  /** Resolves when all work that was added so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}

async function settled(...promises: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(promises);
}
