import { StringDecoder } from "node:string_decoder";
import { ValidationError } from "../errors.ts";

/** How many bytes are examined to detect the encoding. */
const SAMPLE = 1024;
/**
 * A byte that no UTF-8 text contains. It replaces what can't be decoded, so that the row is
 * refused.
 */
const UNDECODABLE = Buffer.of(0xff);

const MARKS = [
  { mark: Buffer.of(0xef, 0xbb, 0xbf), encoding: "utf8" },
  { mark: Buffer.of(0xff, 0xfe, 0, 0), encoding: "utf32" },
  { mark: Buffer.of(0, 0, 0xfe, 0xff), encoding: "utf32" },
  { mark: Buffer.of(0xff, 0xfe), encoding: "utf16le" },
  { mark: Buffer.of(0xfe, 0xff), encoding: "utf16be" },
] as const;

type Encoding = (typeof MARKS)[number]["encoding"];

/**
 * The bytes of a text file as UTF-8 without a byte order mark. UTF-16 is recognised by its mark, or
 * by the zero bytes of its ASCII characters, and converted; anything else passes unchanged.
 * @throws ValidationError (`not_utf8`) when a UTF-32 file is read
 */
export class Utf8Text implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterable<Buffer>;
  readonly #size: number;
  #read = 0;
  #given = 0;

  /** @param size of the file in bytes */
  constructor(chunks: AsyncIterable<Buffer>, size: number) {
    this.#chunks = chunks;
    this.#size = size;
  }

  /**
   * Estimates what share of the file, 0 to 1, has been used once `bytes` bytes of the converted
   * text have been consumed.
   */
  share(bytes: number): number {
    if (this.#size === 0 || this.#given === 0) return 1;
    return Math.min(1, (bytes * (this.#read / this.#given)) / this.#size);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    let head: Buffer | undefined = Buffer.alloc(0);
    let convert = asIs;
    for await (const chunk of this.#chunks) {
      this.#read += chunk.length;
      if (head === undefined) {
        yield this.#give(convert(chunk));
        continue;
      }
      head = Buffer.concat([head, chunk]);
      if (head.length < SAMPLE) continue;
      convert = converterFor(head);
      yield this.#give(convert(withoutMark(head)));
      head = undefined;
    }
    if (head !== undefined) {
      convert = converterFor(head);
      yield this.#give(convert(withoutMark(head)));
    }
    yield this.#give(convert(undefined));
  }

  #give(bytes: Buffer): Buffer {
    this.#given += bytes.length;
    return bytes;
  }
}

/** Converts the next bytes; called with undefined at the end. */
type Converter = (bytes: Buffer | undefined) => Buffer;

const asIs: Converter = (bytes = Buffer.alloc(0)) => bytes;

const markOf = (head: Buffer) => MARKS.find(({ mark }) => head.subarray(0, mark.length).equals(mark));

const withoutMark = (head: Buffer): Buffer => head.subarray(markOf(head)?.mark.length ?? 0);

function converterFor(head: Buffer): Converter {
  const encoding = markOf(head)?.encoding ?? encodingOf(head);
  if (encoding === "utf32") {
    throw new ValidationError("The file is UTF-32 text. Save it as UTF-8.", { code: "not_utf8" });
  }
  return encoding === "utf8" ? asIs : fromUtf16(encoding);
}

/**
 * Detects UTF-16 without a mark by its many zero bytes: each ASCII character has one, at an odd
 * position (little-endian) or at an even one (big-endian), counted from 0. So nearly all zero bytes
 * must be at positions of the same kind.
 */
function encodingOf(head: Buffer): Encoding {
  const sample = head.subarray(0, SAMPLE);
  const zeros = (from: number): number => sample.filter((byte, at) => byte === 0 && at % 2 === from).length;
  const [first, second] = [zeros(0), zeros(1)];
  const many = sample.length / 8;
  if (second > many && second > 10 * first) return "utf16le";
  return first > many && first > 10 * second ? "utf16be" : "utf8";
}

function fromUtf16(encoding: "utf16le" | "utf16be"): Converter {
  const decoder = new StringDecoder("utf16le");
  let half: Buffer = Buffer.alloc(0);
  return (next) => {
    if (next === undefined) return Buffer.concat([toUtf8(decoder.end()), half.length > 0 ? UNDECODABLE : half]);
    // A copy, because swapping changes the bytes in place.
    const bytes = Buffer.concat([half, next]);
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 2));
    half = bytes.subarray(whole.length);
    return toUtf8(decoder.write(encoding === "utf16be" ? whole.swap16() : whole));
  };
}

function toUtf8(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(/(\p{Surrogate})/u).map((part) => (part.isWellFormed() ? Buffer.from(part) : UNDECODABLE));
  return Buffer.concat(parts);
}
