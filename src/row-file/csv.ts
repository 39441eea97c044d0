import { isUtf8 } from "node:buffer";
import { takeHeading } from "./csv-heading.ts";
import type { CsvRecord, CsvSyntax } from "./csv-record.ts";
import { LONGEST_ROW, NOT_UTF8, TOO_LONG, type FileRow, type OnColumns } from "./row.ts";
import { linesOf, TextAhead } from "./text-ahead.ts";
import { Utf8Text } from "./utf8-text.ts";

const BROKEN_QUOTES = 'has broken quotes. Put quotes around the whole value, and write a quote within it twice: ""';
const REST_OF_ABOVE = "ends a quote that it doesn't begin, and seems to belong to the broken row above";
/** Delimiters in place that make lines within quotes rows of their own. */
const CONVINCING = 3;
/** What is read twice, because a quote turned out to be broken, is bounded by so many times the file. */
const REREADING = 2;

/**
 * CSV (RFC 4180) in UTF-8 or UTF-16 with a first line that names the columns, separated by comma, semicolon, tab or bar,
 * whichever fits the first rows, or as a line `sep=;` says. Lines without any value are skipped.
 *
 * A row with broken quotes, another number of columns or too many bytes has a problem, and spoils no other: where a
 * quoted value is not properly closed, its line alone is refused and reading goes on with the next one. The same where
 * the lines that a value would span are rows by themselves, since then its first quote has no partner.
 * @param size of the whole in bytes
 * @throws ValidationError where there is no first line
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  size: number,
  onColumns: OnColumns,
): AsyncGenerator<FileRow> {
  const text = new Utf8Text(chunks, size);
  const ahead = new TextAhead(text);
  try {
    const { syntax, columns } = await takeHeading(ahead);
    onColumns(columns);
    const rows = new CsvRows(ahead, syntax, columns);
    for (let row = await rows.next(); row !== undefined; row = await rows.next()) {
      yield { ...row, share: text.share(ahead.taken) };
    }
  } finally {
    await ahead.close();
  }
}

type Row = Omit<FileRow, "share">;

class CsvRows {
  readonly #ahead: TextAhead;
  readonly #syntax: CsvSyntax;
  /** Index and name; of several columns with one name the first. */
  readonly #columns: readonly (readonly [number, string])[];
  readonly #width: number;
  #rereading = REREADING * LONGEST_ROW;
  /** Whether every row since one with an open quote was refused. */
  #inBrokenValue = false;

  constructor(ahead: TextAhead, syntax: CsvSyntax, columns: readonly string[]) {
    this.#ahead = ahead;
    this.#syntax = syntax;
    this.#columns = [...columns.entries()].filter(([at, name]) => columns.indexOf(name) === at);
    this.#width = columns.length;
  }

  /** Undefined at the end. */
  async next(): Promise<Row | undefined> {
    for (;;) {
      const line = await this.#ahead.lineEnd(LONGEST_ROW);
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
    if (record.state === "open" && this.#isLongValue(lineLength)) return this.#skipValue(record.values, lineLength);
    if (record.state === "whole" && !this.#swallowsRows(record, lineLength)) {
      const isRest = this.#inBrokenValue && record.endsForeignQuote;
      const problem = record.end > LONGEST_ROW ? TOO_LONG : isRest ? REST_OF_ABOVE : undefined;
      return this.#take(record.values, record.end, undefined, problem);
    }
    if (record.end > lineLength) this.#rereading -= record.end;
    this.#inBrokenValue = record.state !== "whole";
    return this.#take(record.values.slice(0, record.multiLine?.column), lineLength, 1, BROKEN_QUOTES);
  }

  /** Looks beyond the line where a quote is open at its end, but not without limit. */
  async #read(lineLength: number): Promise<CsvRecord> {
    const ahead = this.#ahead;
    if (this.#rereading <= 0) return this.#syntax.read(ahead.text.slice(0, lineLength), 0, true);
    for (;;) {
      const record = this.#syntax.read(ahead.text, 0, ahead.isAll);
      const isDecided = record.state !== "open" || ahead.text.length > LONGEST_ROW;
      if (isDecided || !(await ahead.grow())) return record;
    }
  }

  /** Whether the first quote of a record with several lines has no partner, and what it encloses are rows. */
  #swallowsRows({ values, end, multiLine }: CsvRecord, lineLength: number): boolean {
    if (multiLine === undefined) return false;
    if (values.length !== this.#width) return this.#hasRow(this.#ahead.text.slice(lineLength, end));
    const [, ...lines] = linesOf(multiLine.written);
    const last = lines.pop() ?? "";
    const { delimiter } = this.#syntax;
    return (
      lines.length * (this.#width - 1) + multiLine.column >= CONVINCING &&
      lines.every((line) => this.#isRow(line)) &&
      this.#syntax.delimitersIn(last) === multiLine.column &&
      // Prose has a blank after a comma, data hardly ever.
      ![...lines, last].some((line) => line.includes(`${delimiter} `))
    );
  }

  #isRow(line: string): boolean {
    return this.#width > 1 && this.#syntax.delimitersIn(line) === this.#width - 1;
  }

  #hasRow(text: string): boolean {
    return linesOf(text).some((line) => this.#isRow(line));
  }

  /** Whether what follows an open quote is one value that is too long, such as a picture, and not rows. */
  #isLongValue(lineLength: number): boolean {
    const { text } = this.#ahead;
    if (this.#width === 1 || this.#rereading <= 0) return false;
    return text.length > LONGEST_ROW && !this.#hasRow(text.slice(lineLength));
  }

  /** Takes a quoted value up to its end, or to a line that is a row by itself. */
  async #skipValue(values: readonly string[], lineLength: number): Promise<Row> {
    const ahead = this.#ahead;
    const first = ahead.line;
    let last = first;
    ahead.take(lineLength, 1);
    for (let isOpen = true; isOpen;) {
      const line = await ahead.lineEnd(LONGEST_ROW);
      if (line === undefined) {
        last = ahead.line;
        await ahead.takeLine();
        continue;
      }
      const text = ahead.text.slice(0, line.content);
      const closes = this.#syntax.closesQuote(text);
      isOpen = line.end > 0 && !closes && !this.#isRow(text);
      if (!isOpen && !closes) break;
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
    this.#rereading = Math.min(this.#rereading + REREADING * length, REREADING * LONGEST_ROW);
    const last = lineEnds === 1 ? first : first + linesOf(raw.trimEnd()).length - 1;
    return this.#row(first, last, values, found);
  }

  #problemOf(values: readonly string[], raw: string): string | undefined {
    if (values.length !== this.#width) {
      return `has ${values.length} columns where the first line has ${this.#width}`;
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
