/** The first two letters of a word, as a number: tables are asked for them at every word of a text. */
export const prefixOf = (word: string): number => (word.charCodeAt(0) << 16) | word.charCodeAt(1);

const NONE: readonly never[] = [];

/**
 * Entries of a lexicon by how the words begin that they are about. They wait here until a text has such a word: to unfold
 * them all would be most of the time that a program takes to start.
 */
export class LazyEntries<Entry> {
  private readonly entries = new Map<number, Entry[]>();

  /** The same entry may be added under several prefixes, and twice in a row under one. */
  add(prefix: number, entry: Entry): void {
    const known = this.entries.get(prefix);
    // An array that begins with its element is small: there are thousands of them.
    if (known === undefined) this.entries.set(prefix, [entry]);
    else if (known[known.length - 1] !== entry) known.push(entry);
  }

  /** The entries for words that begin so, in the order in which they were added; the next call gets none. */
  take(prefix: number): readonly Entry[] {
    const found = this.entries.get(prefix);
    if (found === undefined) return NONE;
    this.entries.delete(prefix);
    return found;
  }
}
