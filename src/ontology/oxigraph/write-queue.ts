interface Write {
  readonly work: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Group commit: the writes of one turn of the event loop share one transaction, and with it one flush. */
export class WriteQueue {
  readonly #transaction: (work: () => void) => void;
  #waiting: Write[] = [];

  /** @param transaction runs work all or nothing; when it returns, all is on disk */
  constructor(transaction: (work: () => void) => void) {
    this.#transaction = transaction;
  }

  /**
   * Resolves when what `work` writes is on disk.
   * @param work is run again by itself where another one that shared its transaction has failed
   * @throws what `work` throws, or the transaction; others are not affected
   */
  add(work: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ work, resolve, reject }) === 1) setImmediate(() => this.flush());
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
      this.#transaction(() => {
        for (const { work } of writes) work();
      });
    } catch (error) {
      if (writes.length === 1) return writes[0]?.reject(error);
      // One of them failed, or there is no room for all: each by itself.
      for (const write of writes) this.#commit([write]);
      return;
    }
    for (const { resolve } of writes) resolve();
  }
}
