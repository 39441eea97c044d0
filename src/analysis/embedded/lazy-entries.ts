/**
 * The first two letters of a word, as a number, because tables are queried with it for every word
 * of a text.
 */
export const prefixOf = (word: string): number => (word.charCodeAt(0) << 16) | word.charCodeAt(1);

const NONE: readonly never[] = [];

/**
 * Entries of a lexicon, by the beginning of the words that they are about. They wait here until a
 * text has such a word, because expanding all of them would take most of a program's start-up time.
 */
export class LazyEntries<Entry> {
  private readonly entries = new Map<number, Entry[]>();

  /**
   * An entry may be added under several prefixes. Under the same prefix, repeating the last entry
   * has no effect.
   */
  add(prefix: number, entry: Entry): void {
    const known = this.entries.get(prefix);
    // An array literal with one element takes little memory, and there are thousands of them.
    if (known === undefined) this.entries.set(prefix, [entry]);
    else if (known[known.length - 1] !== entry) known.push(entry);
  }

  /**
   * Removes and returns the entries for words with this beginning, in the order in which they were
   * added.
   */
  take(prefix: number): readonly Entry[] {
    const found = this.entries.get(prefix);
    if (found === undefined) return NONE;
    this.entries.delete(prefix);
    return found;
  }
}
