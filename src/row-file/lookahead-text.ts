/** Minimum read-ahead, in characters. */
const MIN_READ = 65_536;
const LINE_END = /\r\n|\n|\r/g;

export const linesOf = (text: string): string[] => text.split(LINE_END);

/** Where the content of a line ends, and where the line break after it ends. */
interface LineEnd {
  content: number;
  end: number;
}

/**
 * A stream of bytes as text, with one character for each byte. Only text that was read ahead and
 * not yet taken is kept.
 */
export class LookaheadText {
  /** The text read ahead and not yet taken. */
  text = "";
  /** Whether the stream ends after `text`. */
  isAll = false;
  /** 1-based number of the line on which `text` begins. */
  line = 1;
  /** Bytes taken so far. */
  taken = 0;
  readonly #chunks: AsyncIterator<Buffer>;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** At least doubles the read-ahead, if there is that much left; false if nothing was left. */
  async grow(): Promise<boolean> {
    const parts = [this.text];
    let length = this.text.length;
    const wanted = Math.max(2 * length, MIN_READ);
    while (length < wanted && !this.isAll) {
      const next = await this.#chunks.next();
      if (next.done === true) this.isAll = true;
      else parts.push(next.value.toString("latin1"));
      length += next.done === true ? 0 : next.value.length;
    }
    const grew = length > this.text.length;
    this.text = parts.join("");
    return grew;
  }

  /** The end of the next line; undefined if the line is longer than `longest`. */
  async lineEnd(longest: number): Promise<LineEnd | undefined> {
    for (;;) {
      const found = this.#lineEnd();
      if (found) return found.content > longest ? undefined : found;
      if (this.text.length > longest + 1) return undefined;
      if (this.isAll) return { content: this.text.length, end: this.text.length };
      await this.grow();
    }
  }

  /** Takes the first `length` characters, which contain `lineEnds` line ends. */
  take(length: number, lineEnds = linesOf(this.text.slice(0, length)).length - 1): void {
    this.line += lineEnds;
    this.text = this.text.slice(length);
    this.taken += length;
  }

  /** Discards a line of any length. */
  async takeLine(): Promise<void> {
    for (;;) {
      const found = this.#lineEnd();
      if (found) return this.take(found.end, 1);
      // A CR may be the first half of a line end.
      this.take(Math.max(0, this.text.length - (this.isAll ? 0 : 1)), 0);
      if (this.isAll) return;
      await this.grow();
    }
  }

  #lineEnd(): LineEnd | undefined {
    LINE_END.lastIndex = 0;
    const found = LINE_END.exec(this.text);
    const isHalf = found?.[0] === "\r" && LINE_END.lastIndex === this.text.length && !this.isAll;
    return found && !isHalf ? { content: found.index, end: LINE_END.lastIndex } : undefined;
  }

  /** Stops reading and closes the source. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
