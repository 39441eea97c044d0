/** Virtuoso's parser runs out of memory at about 5,000 triples. */
const MAXIMUM_LINES = 1000;
/** In characters. Every proxy accepts a request of a megabyte. */
const MAXIMUM_LENGTH = 1_000_000;

/**
 * Splits lines into pieces that fit into one request each; a line that is too long is a piece of
 * its own.
 */
export function* chunks(lines: Iterable<string>): Generator<string[], undefined> {
  let piece: string[] = [];
  let length = 0;
  for (const line of lines) {
    if (piece.length > 0 && (piece.length === MAXIMUM_LINES || length + line.length > MAXIMUM_LENGTH)) {
      yield piece;
      piece = [];
      length = 0;
    }
    piece.push(line);
    length += line.length;
  }
  if (piece.length > 0) yield piece;
}
