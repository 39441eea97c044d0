/**
 * What a database of runs can keep. PostgreSQL's text has no NUL and its encoding no half of a surrogate pair, its indexes take
 * no long keys, and SQLite looks into no JSON that is nested more than 1,000 deep. The rules are the same for both, so that what
 * works on one works on the other.
 */
import { UnexpectedError, ValidationError } from "../../errors.ts";

/** Either of them as `JSON.stringify` writes it: an escape that no backslash before it takes back. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Levels of arrays and objects; what we put around them comes on top. */
const DEEPEST = 500;

/** An entry of an index has room for 2,704 bytes, with the name of the workflow and the like. */
const LONGEST_KEY = 2000;
const LONGEST_STEP_NAME = 1000;

const RULE = `plain JSON, nested at most ${DEEPEST} deep, without NUL characters and halves of Unicode surrogate pairs`;

/** Whether a value can be written as JSON that every database keeps. */
export function isStorable(value: unknown): boolean {
  try {
    // JSON has no functions and symbols, and nothing for what is not there: that stands for a step without a result.
    const written = value === undefined ? "" : JSON.stringify(value);
    return written !== undefined && !UNSTORABLE.test(written) && isShallow(value, DEEPEST);
  } catch {
    return false; // a cycle, a bigint, more levels than the stack has room for
  }
}

const isShallow = (value: unknown, levels: number): boolean =>
  typeof value !== "object" ||
  value === null ||
  (levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1)));

/**
 * For what a caller hands in.
 * @param path of the value, for the error
 * @throws ValidationError (`invalid_parameters`)
 */
export function assertStorable(value: unknown, path: string): void {
  if (!isStorable(value)) throw invalid(path, `must be ${RULE}`);
}

/** @throws ValidationError (`invalid_parameters`) */
export function assertKey(key: string): void {
  assertStorable(key, "key");
  if (Buffer.byteLength(key) > LONGEST_KEY) throw invalid("key", `must have at most ${LONGEST_KEY} bytes`);
}

const invalid = (path: string, message: string): ValidationError =>
  new ValidationError(`${path} ${message}.`, { issues: [{ path, message }] });

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

/** @throws UnexpectedError (`invalid_step_name`) */
export function assertStepName(name: string): void {
  // The underscore is before the stored names of steps that are not listed.
  if (/^[^_]/.test(name) && isStorable(name) && Buffer.byteLength(name) <= LONGEST_STEP_NAME) return;
  throw new UnexpectedError(undefined, {
    message: `The name of a step can't be stored: it must have 1 to ${LONGEST_STEP_NAME} bytes, not begin with "_", and have no NUL characters and halves of Unicode surrogate pairs.`,
    code: "invalid_step_name",
  });
}

const REFUSED =
  "can't be kept by the workflow database: it is too large, or has characters that the database's encoding lacks.";

/** For what a caller handed in and the database itself has refused for good. */
export const refusedInput = (cause: unknown): ValidationError =>
  new ValidationError(`What was handed in ${REFUSED}`, { code: "not_storable", cause });

/**
 * For what an author's code made and the database itself has refused for good.
 * @param maker such as "the step sent"
 */
export const refusedResult = (maker: string, cause: unknown): UnexpectedError =>
  new UnexpectedError(cause, { message: `What comes from ${maker} ${REFUSED}`, code: "not_storable" });
