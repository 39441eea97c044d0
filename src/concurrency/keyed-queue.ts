import { abortable } from "./abortable.ts";

/** Runs pieces of work of one key one after the other, of different keys at the same time. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();

  /**
   * @param signal removes waiting work from the queue; work that has begun must watch it itself
   * @throws the signal's reason, or what the work throws
   */
  async run<Result>(key: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const result = abortable(before, signal).then(work);
    // The queue waits for the end, good or bad; who asked for the work learns which. Where one leaves, the next still waits for those before.
    const tail = settled(before, result);
    this.#tails.set(key, tail);
    void tail.finally(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
    return result;
  }

  /** Resolves when nothing that was handed in so far is at work any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }
}

async function settled(...promises: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(promises);
}
