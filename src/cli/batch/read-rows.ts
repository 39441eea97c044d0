import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { isAbiError } from "../../errors.ts";
import { usageError } from "../command.ts";
import { readJson, unreadable } from "../input.ts";
import { readCsv } from "./csv.ts";
import { objectValues, readJsonLines } from "./json-lines.ts";
import type { FileRow, OnColumns } from "./row.ts";

const ENDINGS = ".csv, .tsv, .jsonl, .ndjson or .json";

const STREAMED = new Set([".csv", ".tsv", ".jsonl", ".ndjson"]);

/**
 * The rows of a file as a stream, by its ending: `.csv`, `.tsv`, `.jsonl`, `.ndjson`. A `.json` array is read whole.
 * @throws ValidationError for another ending, IoError where it can't be read; reading on may throw both as well
 */
export async function openRows(path: string, onColumns: OnColumns): Promise<AsyncGenerator<FileRow>> {
  const ending = extname(path).toLowerCase();
  if (ending !== ".json" && !STREAMED.has(ending)) {
    throw usageError(`The file "${basename(path)}" must end in ${ENDINGS}.`);
  }
  const { size } = await stat(path).catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
  if (ending === ".json") return readJsonArray(path);
  const read = ending === ".csv" || ending === ".tsv" ? readCsv : readJsonLines;
  return streamRows(path, (chunks) => read(chunks, size, onColumns));
}

async function* streamRows(
  path: string,
  read: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<FileRow>,
): AsyncGenerator<FileRow> {
  const stream = createReadStream(path);
  try {
    yield* read(stream);
  } catch (error) {
    throw isAbiError(error) ? error : unreadable(path, error);
  } finally {
    stream.destroy();
  }
}

async function* readJsonArray(path: string): AsyncGenerator<FileRow> {
  const items = await readJson(path);
  if (!Array.isArray(items)) {
    throw usageError(
      `The file "${basename(path)}" must hold a JSON array. One object a line belongs in a .jsonl file.`,
    );
  }
  for (const [at, item] of items.entries()) {
    yield { line: at + 1, share: (at + 1) / items.length, ...objectValues(item) };
  }
}
