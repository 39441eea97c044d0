import { jsonRow, MAX_ROW_LENGTH, TOO_LONG, type FileRow } from "./row.ts";
import { Utf8Text } from "./utf8-text.ts";

const NEWLINE = 0x0a;

/**
 * Reads one JSON object a line, in UTF-8 or UTF-16; blank lines are skipped. `node:readline` would
 * not do: it also splits at U+2028 and U+2029, which JSON texts may contain, and doesn't say at
 * which byte a line ends.
 * @param size of the whole file in bytes
 */
export function readJsonLines(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<FileRow> {
  const text = new Utf8Text(chunks, size);
  return rowsOf(text, (read) => text.share(read));
}

/**
 * The same for a stream that is known to be UTF-8: each line is yielded as soon as it has arrived,
 * however short it is.
 */
export const readUtf8JsonLines = (chunks: AsyncIterable<Buffer>): AsyncGenerator<FileRow> => rowsOf(chunks, () => 1);

/** @param share converts a number of bytes to a share of the whole, 0 to 1 */
async function* rowsOf(text: AsyncIterable<Buffer>, share: (bytes: number) => number): AsyncGenerator<FileRow> {
  let line = 1;
  let read = 0;
  let rest: Buffer[] = [];
  let length = 0;
  const take = (last: Buffer): FileRow | undefined => {
    const tooLong = length + last.length > MAX_ROW_LENGTH;
    const bytes = tooLong ? last : Buffer.concat([...rest, last]);
    rest = [];
    length = 0;
    const place = { line, share: share(read) };
    return tooLong ? { ...place, problem: TOO_LONG } : jsonRow(bytes, place);
  };
  for await (const chunk of text) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      read += end + 1 - from;
      const row = take(chunk.subarray(from, end));
      if (row) yield row;
      line += 1;
      from = end + 1;
    }
    read += chunk.length - from;
    length += chunk.length - from;
    // A line that is too long is not kept any further.
    if (length <= MAX_ROW_LENGTH) rest.push(chunk.subarray(from));
  }
  const row = take(Buffer.alloc(0));
  if (row) yield row;
}
