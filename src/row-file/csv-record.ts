/** One CSV record, as far as the text contains it. */
export interface CsvRecord {
  /**
   * `whole`: read to its end. `broken`: a closing quote is followed by something other than a
   * delimiter or a line end. `open`: the text ends before the record does.
   */
  state: "whole" | "broken" | "open";
  /** The values; of a broken or open record, only those before the value at fault. */
  values: string[];
  /** Where reading stopped: for a whole record, after its line end. */
  end: number;
  /** The index of the first quoted value with a line end in it. */
  multiLineColumn?: number;
  /**
   * Whether an unquoted value ends with a quote that it doesn't begin with, like the last line of a
   * broken quoted value.
   */
  endsForeignQuote: boolean;
}

const escaped = (delimiter: string): string => delimiter.replace(/[\\^\]|.*+?$(){}[-]/, "\\$&");

/**
 * Reads records as in RFC 4180, but also allows blanks around quotes. Unquoted values may contain
 * quotes; blanks at their beginning are dropped. Text may be given as one character for each byte,
 * since only ASCII characters matter.
 * @param delimiter one ASCII character
 */
export class CsvSyntax {
  readonly delimiter: string;
  readonly #opening: RegExp;
  readonly #afterQuote: RegExp;
  readonly #unquoted: RegExp;
  readonly #blank: RegExp;
  readonly #spaced: RegExp;

  constructor(delimiter: string) {
    const mark = escaped(delimiter);
    const blank = delimiter === "\t" ? " " : "[ \\t]";
    this.delimiter = delimiter;
    this.#opening = new RegExp(`${blank}*"`, "y");
    this.#afterQuote = new RegExp(`${blank}*(${mark}|\\r\\n|\\n|\\r|$)`, "y");
    this.#unquoted = new RegExp(`${blank}*([^${mark}\\r\\n]*)(${mark}|\\r\\n|\\n|\\r|$)`, "y");
    this.#blank = new RegExp(`^[\\s${mark}]*$`);
    this.#spaced = new RegExp(mark + blank);
  }

  /** Whether a line has only blanks and delimiters. */
  isBlank(line: string): boolean {
    return this.#blank.test(line);
  }

  /** How many delimiters a line has, inside or outside quotes. */
  delimitersIn(line: string): number {
    let count = 0;
    for (let at = line.indexOf(this.delimiter); at >= 0; at = line.indexOf(this.delimiter, at + 1)) count += 1;
    return count;
  }

  /**
   * Whether a delimiter, inside or outside quotes, is followed by a blank: common in prose, rare in
   * data.
   */
  hasSpacedDelimiter(line: string): boolean {
    return this.#spaced.test(line);
  }

  /**
   * Whether a line that begins inside quotes closes them properly and leaves no other quote open.
   */
  closesQuote(line: string): boolean {
    for (let close = closingQuote(line, 0); close >= 0; close = closingQuote(line, close + 1)) {
      const after = matches(this.#afterQuote, line, close + 1);
      if (after) return after[1] === "" || this.read(line, this.#afterQuote.lastIndex, true).state !== "open";
    }
    return false;
  }

  /** The values of a line without quotes. */
  split(line: string): string[] {
    return line.split(this.delimiter).map((value) => value.replace(/^[ \t]+/, ""));
  }

  /**
   * Reads the record that begins at `from`.
   * @param isAll whether this is the whole text, or only the part read so far
   */
  read(text: string, from: number, isAll: boolean): CsvRecord {
    const record: CsvRecord = { state: "open", values: [], end: from, endsForeignQuote: false };
    for (;;) {
      const end = matches(this.#opening, text, record.end)
        ? this.#readQuoted(record, text, this.#opening.lastIndex)
        : this.#readUnquoted(record, text);
      if (end === undefined) return record;
      const undecided = record.end === text.length && !isAll && (end === "" || end === "\r");
      if (undecided) {
        record.values.pop();
        return record;
      }
      if (end === this.delimiter) continue;
      record.state = "whole";
      return record;
    }
  }

  /** Returns what ends the value; undefined if nothing more can be read. */
  #readQuoted(record: CsvRecord, text: string, from: number): string | undefined {
    const close = closingQuote(text, from);
    const after = close < 0 ? null : matches(this.#afterQuote, text, close + 1);
    if (after === null) {
      if (close >= 0) record.state = "broken";
      record.end = close < 0 ? text.length : close;
      return undefined;
    }
    const written = text.slice(from, close);
    if (/[\r\n]/.test(written)) record.multiLineColumn ??= record.values.length;
    record.values.push(written.replaceAll('""', '"'));
    record.end = this.#afterQuote.lastIndex;
    return after[1];
  }

  #readUnquoted(record: CsvRecord, text: string): string | undefined {
    const [, value = "", end] = matches(this.#unquoted, text, record.end) ?? [];
    record.values.push(value);
    record.end = this.#unquoted.lastIndex;
    if (value.endsWith('"') && value.split('"').length % 2 === 0) record.endsForeignQuote = true;
    return end;
  }
}

/** The first quote that is not doubled; -1 if there is none. */
function closingQuote(text: string, from: number): number {
  let close = text.indexOf('"', from);
  while (close >= 0 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
  return close;
}

function matches(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
