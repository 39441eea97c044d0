import { LONGEST_ROW, type FileRow } from "./row.ts";

const NEWLINE = 0x0a;
const BLANK = /^\s*$/;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * One JSON object a line, UTF-8; blank lines are skipped. Lines are cut at the byte, so that the end of each is known,
 * and not by `node:readline`, which also cuts at U+2028 and U+2029 that JSON texts may hold.
 * @param size of the whole in bytes
 */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<FileRow> {
  let line = 1;
  let read = 0;
  let rest: Buffer[] = [];
  let length = 0;
  const take = (last: Buffer): FileRow | undefined => {
    const tooLong = length + last.length > LONGEST_ROW;
    const bytes = tooLong ? last : Buffer.concat([...rest, last]);
    rest = [];
    length = 0;
    const place = { line, share: size === 0 ? 1 : read / size };
    return tooLong ? { ...place, problem: `is longer than ${LONGEST_ROW} bytes` } : toRow(bytes, place);
  };
  for await (const chunk of chunks) {
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
    if (length <= LONGEST_ROW) rest.push(chunk.subarray(from));
  }
  const row = take(Buffer.alloc(0));
  if (row) yield row;
}

function toRow(bytes: Buffer, place: Pick<FileRow, "line" | "share">): FileRow | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { ...place, problem: "is not UTF-8 text" };
  }
  if (BLANK.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes what a customer wrote.
    return { ...place, problem: "is not valid JSON" };
  }
  return { ...place, ...objectValues(value) };
}

/** The properties of a JSON object, or that it is none. */
export const objectValues = (value: unknown): Pick<FileRow, "values" | "problem"> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? { values: value as Record<string, unknown> }
    : { problem: "is not a JSON object" };
