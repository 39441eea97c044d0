import { extname } from "node:path";
import { readCsv } from "./csv.ts";
import { readJsonArray } from "./json-array.ts";
import { readJsonLines } from "./json-lines.ts";
import type { RowReader } from "./row.ts";

const READERS: ReadonlyMap<string, RowReader> = new Map([
  [".csv", readCsv],
  [".tsv", readCsv],
  [".jsonl", readJsonLines],
  [".ndjson", readJsonLines],
  [".json", readJsonArray],
]);

/** What a file's name must end in, for people. */
export const ROW_FILE_ENDINGS = ".csv, .tsv, .jsonl, .ndjson or .json";

/** The reader for a file's ending, in any case; undefined where there is none. */
export const rowReaderFor = (path: string): RowReader | undefined => READERS.get(extname(path).toLowerCase());
