/** A cache with a maximum number of entries. It keeps those that were read or set most recently. */
export class BoundedCache<Key, Value extends object> {
  readonly #entries = new Map<Key, Value>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > this.#most && !oldest.done) this.delete(oldest.value);
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }
}
