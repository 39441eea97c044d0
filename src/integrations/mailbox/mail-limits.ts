/**
 * Limits on how much of an email is read, so that no email keeps the process busy. The work grows
 * with lines, parts and depth, not only with bytes.
 */

/**
 * Anything beyond this is not read. In bytes. Text comes first in an email; attachments, which make
 * it large, are not stored.
 */
export const MAX_MAIL_BYTES = 10_485_760;

/** For the headers of all parts together, in bytes. Emails usually have far less. */
export const MAX_HEADER_BYTES = 262_144;

/** A forwarded email counts as one part, because it is read as an attachment. */
export const MAX_PART_DEPTH = 30;

/** In bytes. Lines of attachments are at least this long, because encoders fill them. */
const SHORT_LINE = 60;
const MAX_SHORT_LINES = 60_000;

/** Maximum number of lines that may be boundaries of parts: those that begin with `--`. */
const MAX_BOUNDARIES = 5000;

const NEWLINE = 0x0a;
const HYPHEN = 0x2d;

/** The beginning of an email, up to the limits on bytes, lines and parts. */
export function readableBeginning(mail: Uint8Array): Uint8Array {
  const bytes = mail.subarray(0, MAX_MAIL_BYTES);
  let shortLines = 0;
  let boundaries = 0;
  let start = 0;
  while (shortLines < MAX_SHORT_LINES && boundaries < MAX_BOUNDARIES) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) return bytes;
    if (end - start < SHORT_LINE) shortLines += 1;
    if (bytes[start] === HYPHEN && bytes[start + 1] === HYPHEN) boundaries += 1;
    start = end + 1;
  }
  return bytes.subarray(0, start);
}
