import { isUtf8 } from "node:buffer";
import { CsvError, parse } from "csv-parse";
import { parse as parseAtOnce } from "csv-parse/sync";
import { ValidationError } from "../errors.ts";
import { brokenRow, LONGEST_ROW, NOT_UTF8, withoutMark, type FileRow, type OnColumns } from "./row.ts";

const COMMON = {
  // A character for each byte, decoded field by field below: one bad byte then spoils one row.
  encoding: "latin1" as const,
  ltrim: true,
  skip_empty_lines: true,
  relax_column_count: true,
  // Left to itself the parser takes half of a line end where a chunk cuts it in two.
  record_delimiter: ["\r\n", "\n", "\r"],
};

interface CsvRecord {
  record: string[];
  info: { bytes: number };
  /** The text of the record with empty lines before it and its line end. */
  raw: string;
}

/**
 * CSV (RFC 4180) in UTF-8 with a first line that names the columns, separated by comma, semicolon or tab, whichever that
 * line has most of. A row with broken quotes or another number of columns has a problem; behind a quote that is never
 * closed nothing can be read, and that is the last row's problem.
 * @param size of the whole in bytes
 * @throws ValidationError where there is no first line
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  size: number,
  onColumns: OnColumns,
): AsyncGenerator<FileRow> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = withoutMark(await firstLine(iterator));
  const delimiter = delimiterOf(first);
  const rest = { [Symbol.asyncIterator]: () => iterator };
  let columns: string[] | undefined;
  let line = 1;
  try {
    for await (const entry of records(first, rest, delimiter)) {
      line += lineEnds(/^[\r\n]*/.exec(entry.raw)?.[0] ?? "");
      const place = { line, share: entry.info.bytes / size };
      if (columns === undefined) onColumns((columns = readColumns(entry.record)));
      else yield { ...place, ...toValues(entry, columns, delimiter) };
      line += lineEnds(entry.raw.replace(/^[\r\n]+/, ""));
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return yield brokenRow(line, "a quote is not closed, or the row is too long");
  }
  if (columns === undefined)
    throw new ValidationError("The file is empty. It needs a first line that names its columns.");
}

/** Record by record and no faster than they are taken. Those before a fault are all given out, which a pipe would not do. */
async function* records(first: Buffer, rest: AsyncIterable<Buffer>, delimiter: string): AsyncGenerator<CsvRecord> {
  const parser = parse({
    ...COMMON,
    delimiter,
    relax_quotes: true,
    raw: true,
    info: true,
    max_record_size: LONGEST_ROW,
  });
  // Faults are taken from `errored`; without a listener the event would end the process.
  parser.on("error", () => {});
  const taken = function* (): Generator<CsvRecord> {
    for (let entry = parser.read(); entry !== null; entry = parser.read()) yield entry as CsvRecord;
    if (parser.errored) throw parser.errored;
  };
  try {
    parser.write(first);
    yield* taken();
    for await (const chunk of rest) {
      parser.write(chunk);
      yield* taken();
    }
    parser.end();
    yield* parser as AsyncIterable<CsvRecord>;
  } finally {
    parser.destroy();
  }
}

function toValues(entry: CsvRecord, columns: readonly string[], delimiter: string): Partial<FileRow> {
  // Without what every object has: a column may be named `constructor`.
  const values = Object.create(null) as Record<string, string>;
  for (const [at, column] of columns.entries()) {
    const value = entry.record[at];
    if (value !== undefined) values[column] ??= Buffer.from(value, "latin1").toString("utf8");
  }
  const problem = problemOf(entry, columns, delimiter);
  return { values, ...(problem === undefined ? {} : { problem }) };
}

function problemOf({ record, raw }: CsvRecord, columns: readonly string[], delimiter: string): string | undefined {
  if (record.some((value) => value.startsWith('"')) && !isStrict(raw, delimiter)) {
    return 'has broken quotes. Write a quote within quotes twice: ""';
  }
  if (record.length !== columns.length) {
    return `has ${record.length} columns where the first line has ${columns.length}`;
  }
  return isUtf8(Buffer.from(raw, "latin1")) ? undefined : NOT_UTF8;
}

/** A value that begins with a quote is either well written (`"""so"" he said"`) or what the relaxed parser made of a broken one. */
function isStrict(raw: string, delimiter: string): boolean {
  try {
    parseAtOnce(Buffer.from(raw, "latin1"), { ...COMMON, delimiter });
    return true;
  } catch {
    return false;
  }
}

function readColumns(record: readonly string[]): string[] {
  const names = record.map((name) => Buffer.from(name, "latin1"));
  if (names.every((name) => isUtf8(name))) return names.map((name) => name.toString("utf8").trim());
  throw new ValidationError("The file is not UTF-8 text. Save it as UTF-8.", { code: "not_utf8" });
}

const lineEnds = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;

/** As much as comes until a line has ended. */
async function firstLine(iterator: AsyncIterator<Buffer>): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length < LONGEST_ROW && !/[\r\n]/.test(bytes.toString("latin1"))) {
    const next = await iterator.next();
    if (next.done === true) break;
    bytes = Buffer.concat([bytes, next.value]);
  }
  return bytes;
}

function delimiterOf(first: Buffer): string {
  const [heading = ""] = first.toString("latin1").split(/[\r\n]/, 1);
  const occurrences = (mark: string): number => heading.split(mark).length;
  return [",", ";", "\t"].reduce((best, mark) => (occurrences(mark) > occurrences(best) ? mark : best));
}
