/** Files of rows: CSV, JSON Lines and JSON arrays, read as streams of bytes, so that memory stays flat and one bad row spoils no other. */

import { jsonFault } from "./json-fault.ts";

/** One entry of a file. */
export interface FileRow {
  /** 1-based line on which it begins. */
  line: number;
  /** 1-based position in a JSON array, whose rows may all be on one line. */
  item?: number;
  /** How much of the file is read when this row is, 0 to 1. */
  share: number;
  /** By column or property, of a row with a problem what could be made out; absent where nothing could. */
  values?: Readonly<Record<string, unknown>>;
  /** Why it can't be read or used. */
  problem?: string;
  /** Why nothing can be read from here on; only of the last row. */
  broken?: string;
}

/** Where a row is, for people. */
export const placeOf = ({ line, item }: Pick<FileRow, "line" | "item">): string =>
  item === undefined ? `line ${line}` : `item ${item} (line ${line})`;

type Place = Pick<FileRow, "line" | "share">;

/** A longer entry is refused. Bytes. */
export const MAX_ROW_LENGTH = 1_000_000;

/** Columns of a file that has a heading; may throw to refuse them. */
export type OnColumns = (columns: readonly string[]) => void;

/** Reads a file's bytes as rows. `size` is that of the whole in bytes. */
export type RowReader = (chunks: AsyncIterable<Buffer>, size: number, onColumns: OnColumns) => AsyncGenerator<FileRow>;

/** The last row of a file that can't be read to its end. */
export const brokenRow = (line: number, broken: string): FileRow => ({
  line,
  share: 1,
  problem: `can't be read, nor what follows: ${broken}`,
  broken,
});

export const NOT_UTF8 = "is not UTF-8 text";
export const NOT_UTF8_FILE = "The file is not UTF-8 text. Save it as UTF-8.";
export const TOO_LONG = `is longer than ${MAX_ROW_LENGTH} bytes`;

const BLANK = /^\s*$/;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The row that some bytes of JSON are; undefined where they are blank.
 * @param column of their first character on its line
 */
export function jsonRow(bytes: Buffer, place: Place, column = 1): FileRow | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { ...place, problem: NOT_UTF8 };
  }
  if (BLANK.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes what is in the file, which is about a customer.
    return { ...place, problem: `is not valid JSON${faultOf(text, place.line, column)}` };
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject
    ? { ...place, values: value as Record<string, unknown> }
    : { ...place, problem: "is not a JSON object" };
}

function faultOf(text: string, line: number, column: number): string {
  const fault = jsonFault(text);
  if (!fault) return "";
  return ` (line ${line + fault.line - 1}, column ${fault.line === 1 ? column + fault.column - 1 : fault.column})`;
}
