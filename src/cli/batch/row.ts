/** One entry of a batch file. */
export interface FileRow {
  /** 1-based line on which it begins; in a `.json` file the number of the item. */
  line: number;
  /** How much of the file is read when this row is, 0 to 1. */
  share: number;
  /** By column or property; absent where it can't be read. */
  values?: Readonly<Record<string, unknown>>;
  /** Why it can't be read or used. */
  problem?: string;
}

/** A longer entry is a broken file (a quote left open), not feedback. Bytes. */
export const LONGEST_ROW = 1_000_000;

/** Columns of a file that has a heading; may throw to refuse them. */
export type OnColumns = (columns: readonly string[]) => void;
