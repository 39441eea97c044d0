import { ValidationError } from "../errors.ts";
import { brokenRow, jsonRow, LONGEST_ROW, withoutMark, type FileRow } from "./row.ts";

const code = (character: string): number => character.charCodeAt(0);
const [QUOTE, BACKSLASH, COMMA, NEWLINE] = [code('"'), code("\\"), code(","), code("\n")];
const [OPEN, CLOSE] = [new Set([code("{"), code("[")]), new Set([code("}"), code("]")])];
const WHITESPACE = new Set([code(" "), code("\t"), code("\r"), NEWLINE]);
const [ARRAY, ARRAY_END] = [code("["), code("]")];

/**
 * The elements of one JSON array, UTF-8, each parsed by itself: memory stays flat, and an element that is no JSON spoils no
 * other one. The structure is looked for byte by byte: all that it is made of is ASCII.
 * @param size of the whole in bytes
 * @throws ValidationError where it is no array
 */
export async function* readJsonArray(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<FileRow> {
  let line = 1;
  let read = 0;
  let state: "before" | "inside" | "after" = "before";
  let element: { line: number; parts: Buffer[]; length: number } | undefined;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let comma = false;

  for await (const chunk of withoutLeadingMark(chunks)) {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) line += 1;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        continue;
      }
      if (element === undefined && WHITESPACE.has(byte)) continue;
      if (state === "after") return yield brokenRow(line, "the JSON array has ended, and there is more");
      if (state === "before") {
        if (byte !== ARRAY) throw notAnArray();
        state = "inside";
        continue;
      }
      if (depth === 0 && (byte === COMMA || byte === ARRAY_END)) {
        if (element !== undefined) {
          const bytes = Buffer.concat([...element.parts, chunk.subarray(from, at)]);
          // Never blank: it began with something else.
          yield jsonRow(bytes, { line: element.line, share: (read + at + 1) / size })!;
        } else if (byte === COMMA || comma) {
          return yield brokenRow(line, "an element is missing beside a comma");
        }
        element = undefined;
        comma = byte === COMMA;
        if (byte === ARRAY_END) state = "after";
        continue;
      }
      if (element === undefined) {
        element = { line, parts: [], length: 0 };
        from = at;
      }
      if (byte === QUOTE) inString = true;
      else if (OPEN.has(byte)) depth += 1;
      else if (CLOSE.has(byte)) depth -= 1;
    }
    read += chunk.length;
    if (element === undefined) continue;
    element.parts.push(chunk.subarray(from));
    element.length += chunk.length - from;
    if (element.length > LONGEST_ROW) return yield brokenRow(element.line, "a quote or bracket is not closed");
  }
  if (state === "before") throw notAnArray();
  if (state === "inside") yield brokenRow(element?.line ?? line, "it ends in the middle of the JSON array");
}

const notAnArray = (): ValidationError =>
  new ValidationError("The file must hold a JSON array. One object a line belongs in a .jsonl file.", {
    code: "not_an_array",
  });

async function* withoutLeadingMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === undefined) yield chunk;
    else if (head.length + chunk.length < 3) head = Buffer.concat([head, chunk]);
    else {
      yield withoutMark(Buffer.concat([head, chunk]));
      head = undefined;
    }
  }
  if (head !== undefined) yield head;
}
