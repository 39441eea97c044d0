import { isUtf8 } from "node:buffer";
import { takeHeader, type CsvHeader } from "./csv-header.ts";
import type { CsvRecord, CsvSyntax } from "./csv-record.ts";
import { MAX_ROW_LENGTH, NOT_UTF8, TOO_LONG, type FileRow, type OnColumns } from "./row.ts";
import { linesOf, LookaheadText } from "./lookahead-text.ts";
import { Utf8Text } from "./utf8-text.ts";

const BROKEN_QUOTES = 'has broken quotes. Put quotes around the whole value, and write a quote within it twice: ""';
const REST_OF_ABOVE = "ends a quote that it doesn't begin, and seems to belong to the broken row above";
const looksLikeRows = (line: number): string =>
  `has a quoted value that looks like rows. Close its quote on line ${line} or, if it is one value, put the row into a .jsonl file`;
/**
 * If at least this share of a quoted value's lines look like rows, its opening quote may be a stray
 * one.
 */
const MOSTLY_ROWS = 0.75;
/**
 * Text after a broken quote is read more than once. All repetitions together read at most about
 * this many times the file's length.
 */
const REREADING = 2;

/**
 * Reads CSV (RFC 4180) in UTF-8 or UTF-16. The first line names the columns. The delimiter is a
 * comma, semicolon, tab or bar, whichever fits the first rows, or what a line `sep=;` says. Lines
 * without any value are skipped.
 *
 * A row with broken quotes, a different number of columns or too many bytes gets a problem and does
 * not affect other rows. If a quoted value is not closed properly, only its first line is refused
 * and reading continues with the next line. The exception is a value that is too long and doesn't
 * look like rows: it is skipped up to its end. Nothing inside a closed quoted value is read as a
 * row. But if most of its lines look like rows, a stray quote may have swallowed them, so they are
 * refused together.
 * @param size of the whole file in bytes
 * @throws ValidationError if there is no usable first line
 * @throws what `onColumns` throws
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  size: number,
  onColumns: OnColumns,
): AsyncGenerator<FileRow> {
  const text = new Utf8Text(chunks, size);
  const ahead = new LookaheadText(text);
  try {
    const heading = await takeHeader(ahead);
    onColumns(heading.columns);
    const rows = new CsvRows(ahead, heading);
    for (let row = await rows.next(); row !== undefined; row = await rows.next()) {
      yield { ...row, share: text.share(ahead.taken) };
    }
  } finally {
    await ahead.close();
  }
}

type Row = Omit<FileRow, "share">;

class CsvRows {
  readonly #ahead: LookaheadText;
  readonly #syntax: CsvSyntax;
  /** Index and name; if several columns share a name, only the first of them. */
  readonly #columns: readonly (readonly [number, string])[];
  readonly #width: number;
  readonly #isSpaced: boolean;
  #rereading = REREADING * MAX_ROW_LENGTH;
  /**
   * True after a row with broken quotes, or a refused row with a value of several lines, until a
   * row without a problem. Up to then, lines may be the rest of the quoted value.
   */
  #inBrokenValue = false;

  constructor(ahead: LookaheadText, { syntax, columns, isSpaced }: CsvHeader) {
    this.#ahead = ahead;
    this.#syntax = syntax;
    this.#columns = [...columns.entries()].filter(([at, name]) => columns.indexOf(name) === at);
    this.#width = columns.length;
    this.#isSpaced = isSpaced;
  }

  /** Undefined at the end. */
  async next(): Promise<Row | undefined> {
    for (;;) {
      const line = await this.#ahead.lineEnd(MAX_ROW_LENGTH);
      if (line === undefined) return this.#skipLine();
      if (line.end === 0) return undefined;
      const text = this.#ahead.text.slice(0, line.content);
      if (!this.#syntax.isBlank(text)) return this.#takeRow(text, line.end);
      this.#ahead.take(line.end, 1);
    }
  }

  async #skipLine(): Promise<Row> {
    const { line } = this.#ahead;
    await this.#ahead.takeLine();
    return { line, problem: TOO_LONG };
  }

  async #takeRow(line: string, lineLength: number): Promise<Row> {
    if (!line.includes('"')) return this.#take(this.#syntax.split(line), lineLength, 1);
    const record = await this.#read(lineLength);
    if (record.state === "whole") return this.#takeWhole(record);
    if (record.state === "open" && this.#isLongValue()) return this.#skipValue(record.values, lineLength);
    if (record.end > lineLength) this.#rereading -= record.end;
    this.#inBrokenValue = true;
    return this.#take(record.values.slice(0, record.multiLineColumn), lineLength, 1, BROKEN_QUOTES);
  }

  #takeWhole(record: CsvRecord): Row {
    const row = this.#take(record.values, record.end, undefined, this.#problemOfWhole(record));
    // The next lines may be the rest of this value.
    if (row.problem !== undefined && record.multiLineColumn !== undefined) this.#inBrokenValue = true;
    return row;
  }

  #problemOfWhole(record: CsvRecord): string | undefined {
    if (record.end > MAX_ROW_LENGTH) return TOO_LONG;
    if (this.#inBrokenValue && record.endsForeignQuote) return REST_OF_ABOVE;
    return this.#mayBeRows(record) ? looksLikeRows(this.#ahead.line) : undefined;
  }

  /** If a quote is open at the end of the line, reads on, within a limit. */
  async #read(lineLength: number): Promise<CsvRecord> {
    const ahead = this.#ahead;
    if (this.#rereading <= 0) return this.#syntax.read(ahead.text.slice(0, lineLength), 0, true);
    for (;;) {
      const record = this.#syntax.read(ahead.text, 0, ahead.isAll);
      const isDecided = record.state !== "open" || ahead.text.length > MAX_ROW_LENGTH;
      if (isDecided || !(await ahead.grow())) return record;
    }
  }

  /**
   * Whether a quoted value of several lines may really be several rows, joined by a stray quote.
   */
  #mayBeRows({ values, end, multiLineColumn }: CsvRecord): boolean {
    if (multiLineColumn === undefined || values.length !== this.#width) return false;
    return this.#areMostlyRows(this.#ahead.text.slice(0, end));
  }

  /** Whether most lines of a text look like rows; its first line is the one with the open quote. */
  #areMostlyRows(text: string): boolean {
    if (this.#width === 1) return false;
    const lines = linesOf(text).filter((line) => !this.#syntax.isBlank(line));
    const [first = "", ...others] = lines;
    const hasAllDelimiters = (line: string): boolean => this.#syntax.delimitersIn(line) === this.#width - 1;
    const mayBeSpaced = this.#isSpaced || this.#syntax.hasSpacedDelimiter(first.slice(0, first.indexOf('"')));
    const rows = others.filter(
      (line) => hasAllDelimiters(line) && (mayBeSpaced || !this.#syntax.hasSpacedDelimiter(line)),
    );
    return rows.length + (hasAllDelimiters(first) ? 1 : 0) >= MOSTLY_ROWS * lines.length;
  }

  /**
   * Whether an open quote begins one value that is too long, such as a picture, rather than several
   * rows.
   */
  #isLongValue(): boolean {
    const { text } = this.#ahead;
    if (this.#rereading <= 0 || text.length <= MAX_ROW_LENGTH) return false;
    return !this.#areMostlyRows(text);
  }

  /** Skips a quoted value up to its end, whatever it contains. */
  async #skipValue(values: readonly string[], lineLength: number): Promise<Row> {
    const ahead = this.#ahead;
    const first = ahead.line;
    let last = first;
    ahead.take(lineLength, 1);
    for (let isOpen = true; isOpen;) {
      const line = await ahead.lineEnd(MAX_ROW_LENGTH);
      if (line === undefined) {
        last = ahead.line;
        await ahead.takeLine();
        continue;
      }
      if (line.end === 0) break;
      isOpen = !this.#syntax.closesQuote(ahead.text.slice(0, line.content));
      last = ahead.line;
      ahead.take(line.end, 1);
    }
    return this.#row(first, last, values, TOO_LONG);
  }

  #take(values: readonly string[], length: number, lineEnds?: number, problem?: string): Row {
    const ahead = this.#ahead;
    const first = ahead.line;
    const raw = ahead.text.slice(0, length);
    const found = problem ?? this.#problemOf(values, raw);
    if (found === undefined) this.#inBrokenValue = false;
    ahead.take(length, lineEnds);
    this.#rereading = Math.min(this.#rereading + REREADING * length, REREADING * MAX_ROW_LENGTH);
    const last = lineEnds === 1 ? first : first + linesOf(raw.trimEnd()).length - 1;
    return this.#row(first, last, values, found);
  }

  #problemOf(values: readonly string[], raw: string): string | undefined {
    if (values.length !== this.#width) {
      return `has ${values.length} ${values.length === 1 ? "column" : "columns"} where the first line has ${this.#width}`;
    }
    return isAscii(raw) || isUtf8(Buffer.from(raw, "latin1")) ? undefined : NOT_UTF8;
  }

  #row(line: number, last: number, values: readonly string[], problem: string | undefined): Row {
    const named = this.#columns.flatMap(([at, name]) => {
      const value = values[at];
      return value === undefined ? [] : [[name, decoded(value)] as const];
    });
    // Not `values[name] = …`: a column may be called __proto__ or constructor.
    const row = { line, values: Object.fromEntries(named) };
    if (problem === undefined) return row;
    return { ...row, problem: last > line ? `${problem} (lines ${line} to ${last})` : problem };
  }
}

const isAscii = (text: string): boolean => !/[\x80-\xff]/.test(text);

const decoded = (value: string): string => (isAscii(value) ? value : Buffer.from(value, "latin1").toString("utf8"));
