/** Errors of the service as problem details (RFC 9457). */
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { ConflictError, IoError, toAbiError, toWireError, ValidationError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { fieldsOf } from "./workflow-router.ts";
import { statusOf } from "./status.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** The form of every error that the service answers with. */
export const ProblemSchema = z.looseObject({
  type: z.string().describe("Always about:blank: `error_code` says what went wrong."),
  title: z.string().describe("The meaning of the status code."),
  status: z.int().describe("The HTTP status code."),
  detail: z.string().describe("What went wrong and what to do, for people."),
  error_code: z.string().describe("A stable code for what went wrong, such as `customer_not_found`, for programs."),
  error_type: z.enum(["validation_error", "conflict", "io_error", "unexpected_error"]),
  retriable: z.boolean().describe("Whether the same request may succeed later."),
  fields: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .optional()
    .describe("The invalid fields; only for invalid input."),
  standing: z.unknown().optional().describe("What applies instead, such as the decision that someone else made first."),
});

/** What to override in the answer for an error, or to add to it. */
export interface ProblemOptions {
  status?: number;
  headers?: Record<string, string>;
  /** Further members of the document. */
  extras?: Readonly<Record<string, Json | undefined>>;
}

/** The body of a problem document. */
export function problemBody(error: unknown, { status = statusOf(error), extras = {} }: ProblemOptions = {}): object {
  const abiError = toAbiError(error);
  const { error: detail, ...wire } = toWireError(abiError);
  return {
    ...extras,
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail,
    ...wire,
    ...(abiError instanceof ValidationError && abiError.issues.length > 0 && { fields: fieldsOf(abiError) }),
    ...(abiError instanceof ConflictError && abiError.standing !== undefined && { standing: abiError.standing }),
  };
}

/**
 * The answer for an error: a problem document. `Retry-After` is set if the error says how long to
 * wait.
 */
export function problem(error: unknown, options: ProblemOptions = {}): Response {
  const { status = statusOf(error), headers = {} } = options;
  const wait = error instanceof IoError && error.retryAfterMs > 0 ? Math.ceil(error.retryAfterMs / 1000) : undefined;
  return new Response(JSON.stringify(problemBody(error, options)), {
    status,
    headers: {
      "content-type": PROBLEM_TYPE,
      ...(wait !== undefined && { "retry-after": String(wait) }),
      ...headers,
    },
  });
}
