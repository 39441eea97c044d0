import type { TransactionOptions } from "../../files/sqlite-file.ts";
import { sqliteFault } from "../../files/sqlite.ts";

interface Write {
  readonly work: () => void;
  readonly isFlushed: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: the writes of one turn of the event loop share one transaction, and with it one
 * flush.
 */
export class WriteQueue {
  readonly #transaction: (work: () => void) => void;
  readonly #flush: () => Promise<void>;
  #waiting: Write[] = [];
  readonly #flushing = new Set<Promise<void>>();

  /**
   * @param transaction commits the work, all or nothing
   * @param flush resolves when what was committed is on disk
   */
  constructor(transaction: (work: () => void) => void, flush: () => Promise<void>) {
    this.#transaction = transaction;
    this.#flush = flush;
  }

  /**
   * Resolves when what `work` writes is committed and, unless `isFlushed` is false, on disk.
   * @param work may be run again, alone, if anything in the same transaction has failed
   * @throws the error of `work`, of the transaction or of the flush; an error of `work` does not
   *   affect other writes
   */
  add(work: () => void, { isFlushed = true }: Pick<TransactionOptions, "isFlushed"> = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ work, isFlushed, resolve, reject }) === 1) setImmediate(() => this.#writeWaiting());
    });
  }

  /** Writes what is waiting now, and resolves when no flush is in progress. */
  async drain(): Promise<void> {
    this.#writeWaiting();
    await Promise.all(this.#flushing);
  }

  #writeWaiting(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    if (writes.length > 0) this.#commit(writes);
  }

  #commit(writes: readonly Write[]): void {
    try {
      this.#transaction(() => {
        for (const { work } of writes) work();
      });
    } catch (error) {
      if (writes.length === 1 || concernsAll(error)) return writes.forEach(({ reject }) => reject(error));
      // One of them failed, or there is not enough space for all: try each one alone.
      for (const write of writes) this.#commit([write]);
      return;
    }
    for (const { isFlushed, resolve } of writes) if (!isFlushed) resolve();
    const flushed = writes.filter(({ isFlushed }) => isFlushed);
    if (flushed.length > 0) this.#settle(flushed);
  }

  #settle(writes: readonly Write[]): void {
    const settled = this.#flush().then(
      () => writes.forEach(({ resolve }) => resolve()),
      (error: unknown) => writes.forEach(({ reject }) => reject(error)),
    );
    this.#flushing.add(settled);
    void settled.finally(() => this.#flushing.delete(settled));
  }
}

/**
 * Whether every write would fail in the same way on its own. A full disk may still have space for
 * some.
 */
const concernsAll = (error: unknown): boolean => {
  const fault = sqliteFault(error);
  return fault !== undefined && fault !== "full" && fault !== "too_large";
};
