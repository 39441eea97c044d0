import type { z } from "zod";
import { type FieldIssue, ValidationError } from "../errors.ts";

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}${text && "."}${String(part)}`),
    "",
  );

/**
 * The schema of a field with exactly this name. Inherited names such as `constructor` don't count.
 */
export const fieldSchema = ({ shape }: z.ZodObject, name: string): z.ZodType | undefined =>
  Object.hasOwn(shape, name) ? (shape[name] as z.ZodType) : undefined;

/**
 * The message of a validation error: every invalid field and what is wrong with it, for people and
 * models alike.
 */
function describe(issues: readonly FieldIssue[]): string {
  return issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** Our own message for an issue; undefined if Zod's message is good, or the schema has its own. */
function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  const { code, path = [] } = issue;
  if (code === "too_small" || code === "too_big") return rangeOf(issue);
  if (code !== "invalid_type") return undefined;
  if (issue.input === undefined) return path.length > 0 ? "is missing" : "there is no input";
  const expected = TYPES[issue.expected];
  return expected === undefined ? undefined : `must be ${expected}`;
}

/** Words for limits on numbers and on counts. */
function rangeOf(issue: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall> | z.core.$ZodRawIssue<z.core.$ZodIssueTooBig>) {
  const [word, bound] = issue.code === "too_small" ? ["at least", issue.minimum] : ["at most", issue.maximum];
  const { origin, inclusive = true } = issue;
  if (origin === "string" && issue.code === "too_small" && Number(bound) === 1) return "must not be empty";
  if (origin === "string") return `must have ${word} ${bound} characters`;
  if (origin === "array" || origin === "set") return `must have ${word} ${bound} elements`;
  if (inclusive) return `must be ${word} ${bound}`;
  return `must be ${issue.code === "too_small" ? "more" : "less"} than ${bound}`;
}

/**
 * If a value has the wrong type, its other issues are dropped: if a list comes instead of a text,
 * Zod also applies the text's length limits to the list.
 */
function withoutConsequences(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const mistyped = new Set(issues.filter(({ code }) => code === "invalid_type").map(({ path }) => pathText(path)));
  return issues.filter(({ code, path }) => code === "invalid_type" || !mistyped.has(pathText(path)));
}

/**
 * Parses input with a schema, or throws an error that names every invalid field. The input is never
 * changed.
 * @throws ValidationError (`invalid_parameters`)
 */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input, { error: wordsFor });
  if (result.success) return result.data;
  const issues = withoutConsequences(result.error.issues).flatMap((issue) => {
    const { path, message } = issue;
    if (issue.code !== "unrecognized_keys") return { path: pathText(path), message };
    return issue.keys.map((key) => ({ path: pathText([...path, key]), message: "there is no such field" }));
  });
  throw new ValidationError(describe(issues), { issues });
}
