import { abortable } from "./abortable.ts";

/** Runs work with different keys concurrently, and pieces of work with the same key one by one. */
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
    // The queue waits until the work ends, whether it succeeds or fails; only its caller learns
    // which. If a caller aborts, the next work still waits for all the work before it.
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
