/**
 * Reads keys in shared queries: all keys that are requested while a read is in progress are read
 * together by the next one. This way, many callers who wait for runs cost one query, and each
 * answer is as fresh as that of a separate query.
 */
export class SharedReads<Found> {
  readonly #read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Found>>;
  #asked = new Set<string>();
  #current: Promise<unknown> = Promise.resolve();
  #next: Promise<ReadonlyMap<string, Found>> | undefined;

  constructor(read: (keys: readonly string[]) => Promise<ReadonlyMap<string, Found>>) {
    this.#read = read;
  }

  async get(key: string): Promise<Found | undefined> {
    this.#asked.add(key);
    this.#next ??= this.#readNext();
    return (await this.#next).get(key);
  }

  async #readNext(): Promise<ReadonlyMap<string, Found>> {
    await this.#current.catch(() => {});
    const keys = [...this.#asked];
    this.#asked = new Set();
    this.#next = undefined;
    const reading = this.#read(keys);
    this.#current = reading;
    return reading;
  }
}
