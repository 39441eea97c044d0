import { extname } from "node:path";
import type { RowReader } from "./row.ts";

type LoadReader = () => Promise<RowReader>;

const csv: LoadReader = async () => (await import("./csv.ts")).readCsv;
const jsonLines: LoadReader = async () => (await import("./json-lines.ts")).readJsonLines;
const jsonArray: LoadReader = async () => (await import("./json-array.ts")).readJsonArray;

const READERS: ReadonlyMap<string, LoadReader> = new Map([
  [".csv", csv],
  [".tsv", csv],
  [".jsonl", jsonLines],
  [".ndjson", jsonLines],
  [".json", jsonArray],
]);

/** The endings that a file's name may have, for messages. */
export const ROW_FILE_ENDINGS = ".csv, .tsv, .jsonl, .ndjson or .json";

/**
 * Returns the loader of the reader for a file's ending, in upper or lower case; undefined if there
 * is none.
 */
export const rowReaderFor = (path: string): LoadReader | undefined => READERS.get(extname(path).toLowerCase());
