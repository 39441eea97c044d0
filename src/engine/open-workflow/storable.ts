/**
 * What a database of runs can keep. PostgreSQL's text has no NUL and its encoding no half of a surrogate pair; the rule is the
 * same on SQLite, so that what works on one works on the other.
 */
import { UnexpectedError, ValidationError } from "../../errors.ts";

/** Either of them as `JSON.stringify` writes it: an escape that no backslash before it takes back. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

const RULE = "plain JSON, without NUL characters and halves of Unicode surrogate pairs";

/** Whether a value can be written as JSON that every database keeps. */
export function isStorable(value: unknown): boolean {
  try {
    return !UNSTORABLE.test(JSON.stringify(value) ?? "");
  } catch {
    return false; // a cycle, a bigint
  }
}

/**
 * For what a caller hands in.
 * @param path of the value, for the error
 * @throws ValidationError (`invalid_parameters`)
 */
export function assertStorable(value: unknown, path: string): void {
  if (isStorable(value)) return;
  const message = `must be ${RULE}`;
  throw new ValidationError(`${path} ${message}.`, { issues: [{ path, message }] });
}

/**
 * For what an author's code makes: it fails at once and for good, not when it is written down, for ever.
 * @param maker such as "The step sent"
 * @throws UnexpectedError (`not_storable`)
 */
export function assertStorableResult(value: unknown, maker: string): void {
  if (isStorable(value)) return;
  throw new UnexpectedError(undefined, {
    message: `${maker} returned what can't be stored: it must be ${RULE}.`,
    code: "not_storable",
  });
}
