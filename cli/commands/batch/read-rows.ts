import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { isAbiError } from "../../../src/errors.ts";
import type { FileRow, OnColumns } from "../../../src/row-file/row.ts";
import { ROW_FILE_ENDINGS, rowReaderFor } from "../../../src/row-file/row-reader.ts";
import { quotedName } from "../../../src/secrets.ts";
import { usageError } from "../../command.ts";
import { resolvedPath } from "../../terminal/host.ts";
import { unreadable } from "../../terminal/input.ts";

/**
 * The rows of a file as a stream.
 * @throws ValidationError for an unknown file ending, IoError if the file can't be read; reading
 *   from the stream may also throw either of them
 */
export async function openRows(path: string, onColumns: OnColumns): Promise<AsyncGenerator<FileRow>> {
  const loadReader = rowReaderFor(path);
  if (!loadReader) throw usageError(`The file${quotedName(path)} must end in ${ROW_FILE_ENDINGS}.`);
  const { size } = await stat(resolvedPath(path)).catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
  const read = await loadReader();
  return streamRows(path, (chunks) => read(chunks, size, onColumns));
}

async function* streamRows(
  path: string,
  read: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<FileRow>,
): AsyncGenerator<FileRow> {
  const stream = createReadStream(resolvedPath(path));
  try {
    yield* read(stream);
  } catch (error) {
    throw isAbiError(error) ? error : unreadable(path, error);
  } finally {
    stream.destroy();
  }
}
