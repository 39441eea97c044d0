/** The part of `identifier.ts` that look-ups need. It is separate so that they don't load Zod. */

/**
 * Characters that are invisible at the ends of an id: all kinds of spaces and zero-width
 * characters, but not those that open or close a run of text in another writing direction.
 */
const BLANK = /(?![\u202A-\u202E\u2066-\u2069])[\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * Normalizes an id: removes spaces and zero-width characters at both ends, and uses Unicode's
 * composed form (NFC), so the two spellings of `é` are one id. It is for look-ups, where an invalid
 * id simply finds nothing; `identifier` also says what is wrong with it.
 */
export function tidyIdentifier(text: string): string {
  const composed = text.normalize("NFC");
  let start = 0;
  let end = composed.length;
  for (let first = characterAt(composed, start); BLANK.test(first); first = characterAt(composed, start)) {
    start += first.length;
  }
  for (
    let last = characterBefore(composed, end);
    end > start && BLANK.test(last);
    last = characterBefore(composed, end)
  ) {
    end -= last.length;
  }
  return composed.slice(start, end);
}

const isPair = (text: string): boolean => (text.codePointAt(0) ?? 0) > 0xffff;

const characterAt = (text: string, at: number): string =>
  text.slice(at, isPair(text.slice(at, at + 2)) ? at + 2 : at + 1);

const characterBefore = (text: string, end: number): string =>
  text.slice(end - (end > 1 && isPair(text.slice(end - 2, end)) ? 2 : 1), end);
