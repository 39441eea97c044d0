/**
 * What a database of runs can keep. PostgreSQL's text has no NUL and its encoding no half of a surrogate pair, its indexes take
 * no long keys, and SQLite looks into no JSON that is nested more than 1,000 deep. The rules are the same for both, so that what
 * works on one works on the other.
 */
import { UnexpectedError, ValidationError } from "../errors.ts";
import type { Json } from "../json.ts";

/** Either of them as `JSON.stringify` writes it: an escape that no backslash before it takes back. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Levels of arrays and objects; what we put around them comes on top. */
const DEEPEST = 500;

/** An entry of an index has room for 2,704 bytes, with the name of the workflow and the like. */
const LONGEST_KEY = 2000;
const LONGEST_STEP_NAME = 1000;

const RULE = `plain JSON, nested at most ${DEEPEST} deep, without NUL characters and halves of Unicode surrogate pairs`;

/** A value as JSON that every database keeps: undefined for one that is not there, null where it can't be kept. */
function toStored(value: unknown): string | undefined | null {
  if (value === undefined) return undefined;
  try {
    // JSON has no functions and symbols, and nothing for what writes itself as nothing.
    const written = JSON.stringify(value);
    return written !== undefined && !UNSTORABLE.test(written) && isShallow(value, DEEPEST) ? written : null;
  } catch {
    return null; // a cycle, a bigint, more levels than the stack has room for
  }
}

export const isStorable = (value: unknown): boolean => toStored(value) !== null;

const isShallow = (value: unknown, levels: number): boolean =>
  typeof value !== "object" ||
  value === null ||
  (levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1)));

/**
 * The JSON of what a caller hands in.
 * @param path of the value, for the error
 * @throws ValidationError (`invalid_parameters`)
 */
export function storableInput(value: Json, path: string): string {
  const json = toStored(value);
  if (typeof json !== "string") throw invalid(path, `must be ${RULE}`);
  return json;
}

/** @throws ValidationError (`invalid_parameters`) */
export function assertKey(key: string): void {
  storableInput(key, "key");
  if (Buffer.byteLength(key) > LONGEST_KEY) throw invalid("key", `must have at most ${LONGEST_KEY} bytes`);
}

const invalid = (path: string, message: string): ValidationError =>
  new ValidationError(`${path} ${message}.`, { issues: [{ path, message }] });

/**
 * The JSON of what an author's code returned; undefined for nothing. What can't be kept fails at once and for good, not each time
 * that it is to be written.
 * @param maker such as "The step sent"
 * @throws UnexpectedError (`not_storable`)
 */
export function storableResult(value: unknown, maker: string): string | undefined {
  const json = toStored(value);
  if (json !== null) return json;
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
