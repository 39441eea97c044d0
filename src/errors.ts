import type { Json } from "./json.ts";

/**
 * Errors as callers see them. Every interface uses these four types. The type determines
 * `retriable`: only an `io_error` may go away by itself, so that the same call succeeds later.
 */
export type ErrorType = "validation_error" | "conflict" | "io_error" | "unexpected_error";

/**
 * The small, safe form in which an error is sent to callers: no stack, no query, no secret, no
 * address.
 */
export interface WireError {
  error: string;
  error_code: string;
  error_type: ErrorType;
  retriable: boolean;
}

/**
 * Base of the errors that callers of this package have to expect. The message is for people and
 * may be shown to anyone. Internal details (driver messages, responses) go into `cause`, which is
 * logged and never sent.
 */
export abstract class AbiError extends Error {
  abstract readonly type: ErrorType;
  /** Stable, machine-readable: `customer_not_found`. */
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }

  get retriable(): boolean {
    return this.type === "io_error";
  }
}

/**
 * An invalid field. `path` is written as in JavaScript, such as `categories[0]`; it is empty for
 * the whole input.
 */
export interface FieldIssue {
  path: string;
  message: string;
}

/**
 * The input or the data is invalid. Someone has to correct it before the same call can succeed.
 */
export class ValidationError extends AbiError {
  override readonly type = "validation_error";
  readonly issues: readonly FieldIssue[];

  constructor(message: string, options: { code?: string; issues?: readonly FieldIssue[]; cause?: unknown } = {}) {
    super(message, options.code ?? "invalid_parameters", { cause: options.cause });
    this.issues = options.issues ?? [];
  }
}

/** An error for invalid settings or options. */
export const invalidConfiguration = (message: string, cause?: unknown): ValidationError =>
  new ValidationError(message, { code: "invalid_configuration", cause });

/** The same key was used with different content, or someone else acted first. */
export class ConflictError extends AbiError {
  override readonly type = "conflict";
  /** What applies instead, such as the decision that was made first. The caller may see it. */
  readonly standing: Json | undefined;

  constructor(message: string, options: { code?: string; cause?: unknown; standing?: Json } = {}) {
    super(message, options.code ?? "conflict", { cause: options.cause });
    this.standing = options.standing;
  }
}

/**
 * Something that we depend on (store, mail server, customer source, model, ticket system) is
 * unreachable, busy, slow or failing at the moment.
 */
export class IoError extends AbiError {
  override readonly type = "io_error";
  /**
   * How long the other side wants us to wait before a retry, in milliseconds; 0 if it hasn't said.
   */
  readonly retryAfterMs: number;

  constructor(message: string, options: { code?: string; cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.code ?? "unavailable", { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** An error on our side. The message reveals no internals; the cause is in the log. */
export class UnexpectedError extends AbiError {
  override readonly type = "unexpected_error";
  /**
   * What the operator must correct. The command line prints it; other callers never see it. The log
   * has only the `cause`, so put the remedy there too.
   */
  readonly remedy: string | undefined;

  constructor(
    cause: unknown,
    {
      message = "Something went wrong on our side. The log has the details.",
      code = "internal",
      remedy,
    }: { message?: string; code?: string; remedy?: string } = {},
  ) {
    super(message, code, { cause });
    this.remedy = remedy;
  }
}

/** Whether an error is an `AbiError`. */
export const isAbiError = (error: unknown): error is AbiError => error instanceof AbiError;

/**
 * Converts any thrown value to one of our errors: one of ours stays as it is, and anything else
 * becomes the cause of an `UnexpectedError`.
 */
export const toAbiError = (error: unknown): AbiError => (isAbiError(error) ? error : new UnexpectedError(error));

/** Converts an error to the form that may be sent to callers. */
export function toWireError(error: unknown): WireError {
  const { message, code, type, retriable } = toAbiError(error);
  return { error: message, error_code: code, error_type: type, retriable };
}

/** Converts a sent error back to an error object, with the same type, code and message. */
export function fromWireError({ error: message, error_code: code, error_type: type }: WireError): AbiError {
  if (type === "unexpected_error") return new UnexpectedError(undefined, { message, code });
  const Kind = { validation_error: ValidationError, conflict: ConflictError, io_error: IoError }[type];
  return new Kind(message, { code });
}
