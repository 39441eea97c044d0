import { FlushError, type TransactionOptions } from "../../files/sqlite-file.ts";
import { sqliteFault } from "../../files/sqlite.ts";

interface Write {
  readonly work: () => void;
  readonly isFlushed: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Group commit: the writes of one turn of the event loop share one transaction, and with it one flush. */
export class WriteQueue {
  readonly #transaction: (work: () => void, options: TransactionOptions) => void;
  #waiting: Write[] = [];

  /** @param transaction runs the work in one transaction */
  constructor(transaction: (work: () => void, options: TransactionOptions) => void) {
    this.#transaction = transaction;
  }

  /**
   * Resolves when what `work` writes is committed and, unless `isFlushed` is false, on disk.
   * @param work is run again, alone, if other work in the same transaction has failed
   * @throws what `work` throws, or the transaction; other writes are not affected
   */
  add(work: () => void, { isFlushed = true }: TransactionOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ work, isFlushed, resolve, reject }) === 1) setImmediate(() => this.flush());
    });
  }

  /** Writes now what is waiting. */
  flush(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    if (writes.length > 0) this.#commit(writes);
  }

  #commit(writes: readonly Write[]): void {
    try {
      const options = { isFlushed: writes.some(({ isFlushed }) => isFlushed) };
      this.#transaction(() => {
        for (const { work } of writes) work();
      }, options);
    } catch (error) {
      if (writes.length === 1 || concernsAll(error)) return writes.forEach(({ reject }) => reject(error));
      // One of them failed, or there is not enough space for all: try each one alone.
      for (const write of writes) this.#commit([write]);
      return;
    }
    for (const { resolve } of writes) resolve();
  }
}

/**
 * Whether every write would fail in the same way on its own. A full disk may still have space for
 * some.
 */
const concernsAll = (error: unknown): boolean => {
  const fault = sqliteFault(error);
  return error instanceof FlushError || (fault !== undefined && fault !== "full" && fault !== "too_large");
};
