interface Write {
  readonly work: () => void;
  readonly isFlushed: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Runs work all or nothing. When it returns, all is written; on disk as well where that is asked for. */
type Transaction = (work: () => void, options: { isFlushed: boolean }) => void;

/** Group commit: the writes of one turn of the event loop share one transaction, and with it one flush. */
export class WriteQueue {
  readonly #transaction: Transaction;
  #waiting: Write[] = [];

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  /**
   * Resolves when what `work` writes is written, and on disk where `isFlushed`.
   * @param work is run again by itself where another one that shared its transaction has failed
   * @throws what `work` throws, or the transaction; others are not affected
   */
  add(work: () => void, { isFlushed }: { isFlushed: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ work, isFlushed, resolve, reject }) === 1) setImmediate(() => this.flush());
    });
  }

  /** Writes what is waiting now. */
  flush(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    if (writes.length > 0) this.#commit(writes);
  }

  #commit(writes: readonly Write[]): void {
    try {
      const isFlushed = writes.some((write) => write.isFlushed);
      this.#transaction(
        () => {
          for (const { work } of writes) work();
        },
        { isFlushed },
      );
    } catch (error) {
      if (writes.length === 1) return writes[0]?.reject(error);
      // One of them failed, or there is no room for all: each by itself.
      for (const write of writes) this.#commit([write]);
      return;
    }
    for (const { resolve } of writes) resolve();
  }
}
