import { CsvError, parse } from "csv-parse";
import { parse as parseAtOnce } from "csv-parse/sync";
import { ValidationError } from "../../errors.ts";
import { fieldOf, type RawCustomer } from "./read-customer.ts";
import { brokenFile, MAX_ENTRY, type Row } from "./rows.ts";

const COMMON = {
  bom: true,
  ltrim: true,
  skip_empty_lines: true,
  relax_column_count: true,
  // Left to itself the parser knows only the line end that it meets first; files put together from others have several.
  record_delimiter: ["\r\n", "\n", "\r"],
};

interface CsvRecord {
  record: string[];
  /** The text of the record, blank lines before it, and the last character of the line end. */
  raw: string;
}

type Header = readonly (keyof RawCustomer | undefined)[];

/**
 * CSV (RFC 4180) with a header line, separated by comma, semicolon or tab: whichever the header has most of.
 * A row with broken quotes or another number of columns than the header comes with a `problem`.
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<Row> {
  const { delimiter, text } = await detectDelimiter(chunks);
  let header: Header | undefined;
  let line = 1;
  try {
    for await (const entry of records(text, delimiter)) {
      line += lineEnds(/^[\r\n]*/.exec(entry.raw)?.[0] ?? "");
      if (header === undefined) header = readHeader(entry.record);
      else yield toRow(entry, line, header, delimiter);
      line += lineEnds(entry.raw.replace(/^[\r\n]+/, ""));
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw brokenFile(line, "a quote is not closed, or the line is too long.", error.code);
  }
  if (header === undefined) readHeader([]);
}

/** Record by record and no faster than they are taken; those before a fault are all given out, which piping would not do. */
async function* records(text: AsyncIterable<string>, delimiter: string): AsyncGenerator<CsvRecord> {
  // Broken quotes end the strict parser for good; the relaxed one goes on, and `toRow` looks at what it made of them.
  const parser = parse({ ...COMMON, delimiter, relax_quotes: true, raw: true, max_record_size: MAX_ENTRY });
  // Faults are taken from `errored`; without a listener the event would end the process.
  parser.on("error", () => {});
  try {
    for await (const chunk of text) {
      parser.write(chunk);
      for (let entry = parser.read(); entry !== null; entry = parser.read()) yield entry as CsvRecord;
      // The rest of a broken file need not be read.
      if (parser.errored) throw parser.errored;
    }
    parser.end();
    yield* parser as AsyncIterable<CsvRecord>;
  } finally {
    parser.destroy();
  }
}

const lineEnds = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;

function readHeader(names: string[]): Header {
  const fields = names.map(fieldOf);
  if (fields.includes("id")) return fields;
  throw new ValidationError(
    "The customer file needs a first line that names its columns, among them id. Known are id, name, email, segment, " +
      "lifetime_value and do_not_contact. Save it as CSV in UTF-8.",
    { code: "customer_file_invalid" },
  );
}

function toRow({ record, raw: text }: CsvRecord, line: number, header: Header, delimiter: string): Row {
  const raw: RawCustomer = {};
  for (const [column, field] of header.entries()) if (field !== undefined) raw[field] ??= record[column];

  if (record.some((value) => value.startsWith('"')) && !isStrict(text, delimiter)) {
    return { line, raw, problem: 'has broken quotes. Write a quote within quotes twice: ""' };
  }
  if (record.length !== header.length) {
    return { line, raw, problem: `has ${record.length} columns where the first line has ${header.length}` };
  }
  return { line, raw };
}

/** A value that begins with a quote is either well written (`"""so"" he said"`) or the relaxed parser's way with a broken one. */
function isStrict(text: string, delimiter: string): boolean {
  try {
    parseAtOnce(text, { ...COMMON, delimiter });
    return true;
  } catch {
    return false;
  }
}

/** Reads up to the first line end, and gives back the whole text as it came. */
async function detectDelimiter(
  chunks: AsyncIterable<string>,
): Promise<{ delimiter: string; text: AsyncIterable<string> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head = "";
  while (head.length < MAX_ENTRY && !/[\r\n]/.test(head)) {
    const next = await iterator.next();
    if (next.done === true) break;
    head += next.value;
  }
  const header = head.split(/[\r\n]/, 1)[0] ?? "";
  const [delimiter] = [",", ";", "\t"].sort((a, b) => header.split(b).length - header.split(a).length);
  const rest = { [Symbol.asyncIterator]: () => iterator };
  return {
    delimiter: delimiter ?? ",",
    text: (async function* () {
      yield head;
      yield* rest;
    })(),
  };
}
