import { ValidationError } from "../errors.ts";
import { brokenRow, jsonRow, MAX_ROW_LENGTH, TOO_LONG, type FileRow } from "./row.ts";
import { Utf8Text } from "./utf8-text.ts";

const code = (character: string): number => character.charCodeAt(0);
const [QUOTE, BACKSLASH, COMMA, NEWLINE] = [code('"'), code("\\"), code(","), code("\n")];
const [OBJECT, OPEN, CLOSE] = [code("{"), new Set([code("{"), code("[")]), new Set([code("}"), code("]")])];
const WHITESPACE = new Set([code(" "), code("\t"), code("\r"), NEWLINE]);
const [ARRAY, ARRAY_END] = [code("["), code("]")];

/**
 * Reads the elements of one JSON array in UTF-8 or UTF-16. Each is parsed separately, so memory
 * stays flat and an element that is too long or not valid JSON does not affect the others. If a
 * quote or bracket is missing, reading continues with the next object that can't be part of the
 * broken one.
 * @param size of the whole file in bytes
 * @throws ValidationError if the file is not an array
 */
export async function* readJsonArray(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<FileRow> {
  const text = new Utf8Text(chunks, size);
  const scanner = new ArrayScanner();
  let read = 0;
  let item = 0;
  for await (const chunk of text) {
    for (let at = 0; at < chunk.length; at += 1) {
      const row = scanner.step(chunk, at);
      if (row) yield { ...row, item: (item += 1), share: row.broken === undefined ? text.share(read + at + 1) : 1 };
      if (row?.broken !== undefined) return;
    }
    read += chunk.length;
    scanner.keep(chunk);
  }
  const row = scanner.end();
  if (row) yield { ...row, item: item + 1 };
}

/** Whether a byte is not the first one of its character. */
const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80;

interface Element {
  line: number;
  column: number;
  /** Number of blanks before it on its line; undefined if anything else comes before it. */
  indent: number | undefined;
  isObject: boolean;
  /** Where it begins, or continues, in the current chunk. */
  from: number;
  parts: Buffer[];
  length: number;
}

type Row = Omit<FileRow, "share">;

/** Finds the structure byte by byte, which is safe because it consists of ASCII only. */
class ArrayScanner {
  #state: "before" | "inside" | "after" = "before";
  #line = 1;
  /** Column of the current character. */
  #column = 0;
  /** Number of blanks since the line began; undefined after anything else. */
  #indent: number | undefined = 0;
  #element: Element | undefined;
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** The last byte outside strings that is not white space. */
  #previous = 0;

  /** Reads one byte; returns the row that ends with it. */
  step(chunk: Buffer, at: number): Row | undefined {
    const byte = chunk[at] ?? 0;
    const indent = this.#indent;
    if (!isContinuation(byte)) this.#column += 1;
    if (byte === NEWLINE) {
      this.#column = 0;
      this.#line += 1;
      this.#indent = 0;
    } else {
      this.#indent = indent !== undefined && WHITESPACE.has(byte) ? indent + 1 : undefined;
    }
    if (byte === OBJECT && this.#element !== undefined && this.#mustBeNext(this.#element, indent)) {
      return this.#restart(this.#element, at, indent);
    }
    if (this.#inString) {
      this.#stepInString(byte);
      return undefined;
    }
    if (WHITESPACE.has(byte)) return undefined;
    const row = this.#stepOutside(chunk, at, byte, indent);
    this.#previous = byte;
    return row;
  }

  /**
   * Keeps the chunk's part of an element that continues in the next chunk, unless the element is
   * too long.
   */
  keep(chunk: Buffer): void {
    const element = this.#element;
    if (element === undefined) return;
    element.length += chunk.length - element.from;
    if (element.length > MAX_ROW_LENGTH) element.parts = [];
    else element.parts.push(chunk.subarray(element.from));
    element.from = 0;
  }

  end(): FileRow | undefined {
    if (this.#state === "before") throw notAnArray();
    if (this.#state === "after") return undefined;
    return brokenRow(this.#element?.line ?? this.#line, "the file ends in the middle of the JSON array");
  }

  #stepInString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  #stepOutside(chunk: Buffer, at: number, byte: number, indent: number | undefined): Row | undefined {
    if (this.#state === "after") return brokenRow(this.#line, "there is more text after the end of the JSON array");
    if (this.#state === "before") {
      if (byte !== ARRAY) throw notAnArray();
      this.#state = "inside";
      return undefined;
    }
    if (this.#depth === 0 && (byte === COMMA || byte === ARRAY_END)) return this.#endElement(chunk, at, byte);
    this.#element ??= this.#begin(at, byte, indent);
    if (byte === QUOTE) this.#inString = true;
    else if (OPEN.has(byte)) this.#depth += 1;
    else if (CLOSE.has(byte)) this.#depth = Math.max(0, this.#depth - 1);
    return undefined;
  }

  #begin(at: number, byte: number, indent: number | undefined): Element {
    return {
      line: this.#line,
      column: this.#column,
      indent,
      isObject: byte === OBJECT,
      from: at,
      parts: [],
      length: 0,
    };
  }

  #endElement(chunk: Buffer, at: number, byte: number): Row | undefined {
    const element = this.#element;
    this.#element = undefined;
    if (byte === ARRAY_END) this.#state = "after";
    if (element === undefined) {
      const isMissing = byte === COMMA || this.#previous === COMMA;
      return isMissing ? { line: this.#line, problem: "is missing beside a comma" } : undefined;
    }
    if (element.length + at - element.from > MAX_ROW_LENGTH) return { line: element.line, problem: TOO_LONG };
    const bytes = Buffer.concat([...element.parts, chunk.subarray(element.from, at)]);
    const place = { line: element.line, share: 0 };
    // Undefined for blanks that are not white space in JSON, such as a no-break space.
    return jsonRow(bytes, place, element.column) ?? { ...place, problem: "is not valid JSON" };
  }

  /**
   * Whether a `{` can only begin the next element, which means that the current one is broken.
   * Outside strings, this is true after a comma directly inside the object, where only a name may
   * follow. Inside a string, it is true if the `{` comes first on a later line and is indented like
   * the current element (or in any way, if that one wasn't first on its line): a string can't
   * contain a line end, so its closing quote is missing.
   */
  #mustBeNext(element: Element, indent: number | undefined): boolean {
    if (!this.#inString) return element.isObject && this.#depth === 1 && this.#previous === COMMA;
    return indent !== undefined && this.#line > element.line && indent === (element.indent ?? indent);
  }

  #restart({ line }: Element, at: number, indent: number | undefined): Row {
    this.#element = this.#begin(at, OBJECT, indent);
    this.#depth = 1;
    this.#inString = false;
    this.#escaped = false;
    this.#previous = OBJECT;
    return { line, problem: "is not valid JSON: a quote or bracket is missing" };
  }
}

const notAnArray = (): ValidationError =>
  new ValidationError("The file must contain a JSON array. For one object a line, use a .jsonl file.", {
    code: "not_an_array",
  });
