/**
 * Turns external text into ids. Every interface and file reader uses this module, so two ids never
 * differ only in invisible characters.
 */
import { z } from "zod";
import { ValidationError } from "./errors.ts";
import { tidyIdentifier } from "./tidy-identifier.ts";
import { isVisible } from "./visible-text.ts";

const MAX_ID_LENGTH = 200;

/** Characters inside an id that people can't see or read. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\uFFFC\uFFFD]/u;
const OTHER_BLANK = /(?! )\p{Zs}/u;

/**
 * What is wrong with a tidy id; undefined if nothing is. Names a character by its code point and
 * position, and never prints it.
 */
function problemOf(id: string): string | undefined {
  if (!isVisible(id)) return "must not be empty";
  let position = 0;
  let before = "";
  for (const character of id) {
    position += 1;
    const place = `${codePoint(character)} at position ${position}`;
    if (!character.isWellFormed()) return `has half of a Unicode surrogate pair, ${place}; send well-formed text`;
    if (HIDDEN.test(character)) return `has ${place}, a character that people can't see or read; remove it`;
    if (OTHER_BLANK.test(character)) return `has the blank ${place}; write an ordinary space, or none`;
    if (character === " " && before === " ") return `has two spaces in a row, at position ${position - 1}; write one`;
    before = character;
  }
  return undefined;
}

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/**
 * Converts a JSON number to its digits. Numbers beyond the safe integers have already lost digits,
 * so they are refused.
 */
const numberAsText = (value: unknown): unknown => (Number.isSafeInteger(value) ? String(value) : value);

/**
 * The schema of an external id: a text of 1 to `longest` UTF-16 code units, normalized by
 * `tidyIdentifier`, or a whole number, which becomes its digits. Inside, it may have visible
 * characters and single spaces. Control and format characters, direction marks, zero-width
 * characters, blanks other than the space, and private and unassigned characters are refused.
 *
 * @param longest default 200
 * @example z.strictObject({ order_id: identifier("Id of the order.") })
 */
export const identifier = (description: string, longest = MAX_ID_LENGTH): z.ZodType<string, string> =>
  z
    .preprocess(
      numberAsText,
      z
        .string({ error: ({ input }) => (input === undefined ? undefined : "must be a text") })
        .overwrite(tidyIdentifier)
        .min(1, "must not be empty")
        .max(longest, `must have at most ${longest} characters`)
        .superRefine((id, context) => {
          const problem = id.length > longest || id === "" ? undefined : problemOf(id);
          if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
        }),
    )
    .describe(description) as unknown as z.ZodType<string, string>;

const ANY_LENGTH = identifier("An id.", Number.POSITIVE_INFINITY);

/**
 * Reads an id of any length, with the rules of `identifier`.
 * @param name of the field, for the error
 * @throws ValidationError (`invalid_parameters`)
 */
export function readIdentifier(name: string, value: unknown): string {
  const result = ANY_LENGTH.safeParse(value);
  if (result.success) return result.data;
  const [message = "is not an id"] = result.error.issues.map((issue) => issue.message);
  throw new ValidationError(`${name}: ${message}`, { issues: [{ path: name, message }] });
}
