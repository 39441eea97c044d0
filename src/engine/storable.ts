/**
 * What can be stored. PostgreSQL's text can't contain NUL or half of a surrogate pair, its indexes
 * limit the length of keys, and SQLite can't query JSON that is nested more than 1,000 levels deep.
 * The same rules apply on every database, so what works on one works on the others, up to their
 * limits on size.
 */
import { UnexpectedError, ValidationError } from "../errors.ts";
import type { Json } from "../json.ts";

/**
 * NUL or half of a surrogate pair, as `JSON.stringify` escapes them; an even number of backslashes
 * may come before.
 */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** Levels of arrays and objects. */
const MAX_DEPTH = 500;

/** An index entry can have 2,704 bytes, including the name of the workflow and other data. */
const MAX_KEY_LENGTH = 2000;
const MAX_STEP_NAME_LENGTH = 1000;

const RULE = `plain JSON, nested at most ${MAX_DEPTH} levels deep, without NUL characters or halves of Unicode surrogate pairs`;

/** The JSON of a value: undefined if the value is undefined, null if it can't be stored. */
function toStored(value: unknown): string | undefined | null {
  if (value === undefined) return undefined;
  try {
    // The JSON of a function, a symbol, or an object whose toJSON returns undefined is undefined.
    const written = JSON.stringify(value);
    return written !== undefined && !UNSTORABLE.test(written) && isShallow(value, MAX_DEPTH) ? written : null;
  } catch {
    return null; // a cycle, a bigint, or more levels than the stack can hold
  }
}

export const isStorable = (value: unknown): boolean => toStored(value) !== null;

const isShallow = (value: unknown, levels: number): boolean =>
  typeof value !== "object" ||
  value === null ||
  (levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1)));

/**
 * The JSON of a caller's value.
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
  if (Buffer.byteLength(key) > MAX_KEY_LENGTH) throw invalid("key", `must have at most ${MAX_KEY_LENGTH} bytes`);
}

export const invalid = (path: string, message: string): ValidationError =>
  new ValidationError(`${path} ${message}.`, { issues: [{ path, message }] });

/**
 * The JSON of what a step or handler returned; undefined if it returned nothing. It is checked
 * here, so that the step fails once and permanently instead of at every write.
 * @param maker such as `The step "sent"`
 * @throws UnexpectedError (`not_storable`)
 */
export function storableResult(value: unknown, maker: string): string | undefined {
  const json = toStored(value);
  if (json !== null) return json;
  throw new UnexpectedError(undefined, {
    message: `${maker} returned a value that can't be stored: it must be ${RULE}.`,
    code: "not_storable",
  });
}

/** @throws UnexpectedError (`invalid_step_name`) */
export function assertStepName(name: string): void {
  // Stored names of unlisted steps begin with an underscore.
  if (/^[^_]/.test(name) && isStorable(name) && Buffer.byteLength(name) <= MAX_STEP_NAME_LENGTH) return;
  throw new UnexpectedError(undefined, {
    message: `The name of a step can't be stored: it must have 1 to ${MAX_STEP_NAME_LENGTH} bytes, not begin with "_", and have no NUL characters or halves of Unicode surrogate pairs.`,
    code: "invalid_step_name",
  });
}

const REFUSED =
  "can't be stored in the workflow database: it is too large, or has characters that the database's encoding lacks.";

/** The error if the database itself refused a caller's value. */
export const refusedInput = (cause: unknown): ValidationError =>
  new ValidationError(`What was submitted ${REFUSED}`, { code: "not_storable", cause });

/**
 * The error if the database itself refused what a step or handler returned.
 * @param maker such as `the step "sent"`
 */
export const refusedResult = (maker: string, cause: unknown): UnexpectedError =>
  new UnexpectedError(cause, { message: `What comes from ${maker} ${REFUSED}`, code: "not_storable" });
