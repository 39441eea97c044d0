/** Runs work all or nothing. */
type Atomically = (work: () => void) => void;

export interface WriteQueueOptions {
  /** When it returns, all is on disk. */
  readonly transaction: Atomically;
  /** Within a transaction. */
  readonly part: Atomically;
  /** Whether an error is the file's, which nothing that shares the transaction escapes. */
  readonly isFault: (error: unknown) => boolean;
}

interface Write {
  readonly work: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Group commit: the writes of one turn of the event loop share one transaction, and with it one flush. */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  #waiting: Write[] = [];

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  /**
   * Resolves when what `work` writes is on disk.
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
    const { transaction, isFault } = this.#options;
    const failures = new Map<Write, unknown>();
    try {
      transaction(() => {
        for (const write of writes) {
          try {
            this.#run(write, writes.length === 1);
          } catch (error) {
            if (writes.length === 1 || isFault(error)) throw error;
            failures.set(write, error);
          }
        }
      });
    } catch (error) {
      if (writes.length === 1) return writes[0]?.reject(error);
      // A disk may be too full for one of them and have room for the others.
      for (const write of writes) this.#commit([write]);
      return;
    }
    for (const write of writes) {
      if (failures.has(write)) write.reject(failures.get(write));
      else write.resolve();
    }
  }

  #run({ work }: Write, isAlone: boolean): void {
    if (isAlone) work();
    else this.#options.part(work);
  }
}
