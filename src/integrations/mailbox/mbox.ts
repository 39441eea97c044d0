/** The mbox format (RFC 4155), in the variants that occur in practice. */
import { MAX_MAIL_BYTES } from "./incoming-mail.ts";

/** Longer lines are split into pieces of about this length. They can't be `From …` lines. */
const MAX_LINE_LENGTH = 65_536;

const LINE_FEED = 0x0a;

/**
 * A `From …` line that begins an email: with a time and a year, as every program writes them. Some
 * programs don't quote the lines in an email that begin with "From", but such lines rarely have
 * both.
 */
const SEPARATOR = /^From .*\b\d{1,2}:\d\d(?::\d\d)?\b.*\b(?:19|20)\d\d\b/;
const QUOTED = /^>+From /;

/** Whether a file that begins like this is an mbox. */
export const isMbox = (head: Uint8Array): boolean =>
  SEPARATOR.test(Buffer.from(head.subarray(0, 1000)).toString("latin1"));

/**
 * Returns the original emails of an mbox: without their `From …` line, and with `>From` as `From`.
 * A `From …` line counts only at the beginning of the file or after an empty line. To limit the use
 * of memory, only the first `MAX_MAIL_BYTES` + 1 bytes of an email are kept.
 */
export async function* mailsOfMbox(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let mail: MailBuffer | undefined;
  let afterEmptyLine = true;
  for await (const { line, isWhole } of linesOf(chunks)) {
    const isSeparator = afterEmptyLine && isWhole && SEPARATOR.test(line.toString("latin1", 0, 1000));
    if (isSeparator) {
      if (mail) yield mail.toBuffer();
      mail = new MailBuffer();
    } else {
      mail ??= new MailBuffer();
      mail.add(isWhole && QUOTED.test(line.toString("latin1", 0, 1000)) ? line.subarray(1) : line);
    }
    afterEmptyLine = isWhole && line.length <= 2 && /^\r?\n$/.test(line.toString("latin1"));
  }
  if (mail) yield mail.toBuffer();
}

/**
 * Lines with their line ends. A piece of a long line is not whole, nor is the rest of that line.
 */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ line: Buffer; isWhole: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  let isWhole = true;
  for await (const chunk of chunks) {
    let text: Buffer = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (let end = text.indexOf(LINE_FEED); end !== -1; end = text.indexOf(LINE_FEED)) {
      yield { line: text.subarray(0, end + 1), isWhole };
      isWhole = true;
      text = text.subarray(end + 1);
    }
    rest = text;
    if (rest.length < MAX_LINE_LENGTH) continue;
    isWhole = false;
    yield { line: rest, isWhole };
    rest = Buffer.alloc(0);
  }
  if (rest.length > 0) yield { line: rest, isWhole };
}

class MailBuffer {
  readonly #lines: Buffer[] = [];
  #length = 0;

  add(line: Buffer): void {
    const room = MAX_MAIL_BYTES + 1 - this.#length;
    if (room <= 0) return;
    this.#lines.push(line.subarray(0, room));
    this.#length += Math.min(line.length, room);
  }

  toBuffer(): Buffer {
    return Buffer.concat(this.#lines);
  }
}
