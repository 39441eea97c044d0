/**
 * Files of rows: CSV, JSON Lines and JSON arrays. They are read as streams of bytes, so memory
 * stays flat. A bad row does not affect the others.
 */

import { jsonFault } from "./json-fault.ts";

/** One entry of a file. */
export interface FileRow {
  /** 1-based number of the line on which it begins. */
  line: number;
  /** 1-based position in a JSON array, whose rows may all be on one line. */
  item?: number;
  /** How much of the file has been read up to this row, 0 to 1. */
  share: number;
  /**
   * Values by column or property. A row with a problem has those that could be read; absent if
   * there are none.
   */
  values?: Readonly<Record<string, unknown>>;
  /** Why the row can't be read or used. */
  problem?: string;
  /** Why the file can't be read any further; only on the last row. */
  broken?: string;
}

/** Describes where a row is, for messages. */
export const placeOf = ({ line, item }: Pick<FileRow, "line" | "item">): string =>
  item === undefined ? `line ${line}` : `item ${item} (line ${line})`;

type Place = Pick<FileRow, "line" | "share">;

/** Longer rows are refused. Bytes. */
export const MAX_ROW_LENGTH = 1_000_000;

/** Receives the columns of a file with a header row; may throw to refuse them. */
export type OnColumns = (columns: readonly string[]) => void;

/** Reads a file's bytes as rows. `size` is the size of the whole file in bytes. */
export type RowReader = (chunks: AsyncIterable<Buffer>, size: number, onColumns: OnColumns) => AsyncGenerator<FileRow>;

/** The last row of a file that can't be read to its end. */
export const brokenRow = (line: number, broken: string): FileRow => ({
  line,
  share: 1,
  problem: `can't be read, nor can anything after it: ${broken}`,
  broken,
});

export const NOT_UTF8 = "is not UTF-8 text";
export const NOT_UTF8_FILE = "The file is not UTF-8 text. Save it as UTF-8.";
export const TOO_LONG = `is longer than ${MAX_ROW_LENGTH} bytes`;

const BLANK = /^\s*$/;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * The row in a piece of JSON text; undefined if it is blank.
 * @param column of the text's first character on its line, from 1
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
    // The parser's own message would quote the file, which contains customer data.
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
