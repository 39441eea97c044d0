import type { z } from "zod";
import { type FieldIssue, ValidationError } from "../errors.ts";

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}${text && "."}${String(part)}`),
    "",
  );

/** The schema of a field, where an object has a field of exactly this name: `constructor` is none that every object has. */
export const fieldSchema = ({ shape }: z.ZodObject, name: string): z.ZodType | undefined =>
  Object.hasOwn(shape, name) ? (shape[name] as z.ZodType) : undefined;

/** The message of a validation: every field at fault with what is wrong about it, for people and models alike. */
function describe(issues: readonly FieldIssue[]): string {
  return issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; ");
}

/**
 * Input as its schema says, or an error that names every field at fault. The input is never changed.
 * @throws ValidationError (`invalid_parameters`)
 */
export function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input, {
    error: ({ code, input: given, path = [] }) => {
      if (code !== "invalid_type" || given !== undefined) return undefined;
      return path.length > 0 ? "is missing" : "there is no input";
    },
  });
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => ({ path: pathText(issue.path), message: issue.message }));
  throw new ValidationError(describe(issues), { issues });
}
