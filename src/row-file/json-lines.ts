import { jsonRow, MAX_ROW_LENGTH, TOO_LONG, type FileRow } from "./row.ts";
import { Utf8Text } from "./utf8-text.ts";

const NEWLINE = 0x0a;

/**
 * One JSON object a line, UTF-8 or UTF-16; blank lines are skipped. Lines are cut at the byte, so that the end of each is known,
 * and not by `node:readline`, which also cuts at U+2028 and U+2029 that JSON texts may hold.
 * @param size of the whole in bytes
 */
export function readJsonLines(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<FileRow> {
  const text = new Utf8Text(chunks, size);
  return rowsOf(text, (read) => text.share(read));
}

/** The same of a stream that is known to be UTF-8: each line is given as soon as it is there, however short. */
export const readUtf8JsonLines = (chunks: AsyncIterable<Buffer>): AsyncGenerator<FileRow> => rowsOf(chunks, () => 1);

/** @param share how much of the whole so many bytes are, 0 to 1 */
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
    // Of a line that is too long nothing more is kept.
    if (length <= MAX_ROW_LENGTH) rest.push(chunk.subarray(from));
  }
  const row = take(Buffer.alloc(0));
  if (row) yield row;
}
