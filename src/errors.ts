import type { Json } from "./json.ts";

/**
 * What went wrong, as callers see it. The four kinds are the contract of every face; `retriable` follows from them:
 * only an `io_error` may go well when the same thing is tried again.
 */
export type ErrorType = "validation_error" | "conflict" | "io_error" | "unexpected_error";

/** The small, safe form of an error that goes over the wire: no stack, no query, no secret, no address. */
export interface WireError {
  error: string;
  error_code: string;
  error_type: ErrorType;
  retriable: boolean;
}

/**
 * Base of all errors that this package throws on purpose. The message is for people and may be shown to anyone;
 * what must stay inside (driver messages, responses) goes into `cause`, which is logged and never sent.
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

/** One field at fault: `path` as in JavaScript, `categories[0]`; empty for the whole input. */
export interface FieldIssue {
  path: string;
  message: string;
}

/** The input or the data at hand can never work as it is. */
export class ValidationError extends AbiError {
  override readonly type = "validation_error";
  readonly issues: readonly FieldIssue[];

  constructor(message: string, options: { code?: string; issues?: readonly FieldIssue[]; cause?: unknown } = {}) {
    super(message, options.code ?? "invalid_parameters", { cause: options.cause });
    this.issues = options.issues ?? [];
  }
}

/** Settings or options that can't work. */
export const invalidConfiguration = (message: string, cause?: unknown): ValidationError =>
  new ValidationError(message, { code: "invalid_configuration", cause });

/** The same identity came with another content, or somebody else was first. */
export class ConflictError extends AbiError {
  override readonly type = "conflict";
  /** What is in force instead, such as the decision that was taken first. The caller may see it. */
  readonly standing: Json | undefined;

  constructor(message: string, options: { code?: string; cause?: unknown; standing?: Json } = {}) {
    super(message, options.code ?? "conflict", { cause: options.cause });
    this.standing = options.standing;
  }
}

/** Something outside (store, mail server, customer source, model, ticket system) is unreachable, slow or failing for now. */
export class IoError extends AbiError {
  override readonly type = "io_error";
  /** Milliseconds before which the other side does not want to be asked again; 0 where it has not said. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { code?: string; cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options.code ?? "unavailable", { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** A fault of ours. The message says nothing of internals; the cause is in the log. */
export class UnexpectedError extends AbiError {
  override readonly type = "unexpected_error";
  /** What whoever runs this must correct, in their words: for the log and the command line, not for callers. */
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

/** Tells errors that this package throws on purpose from all others. */
export const isAbiError = (error: unknown): error is AbiError => error instanceof AbiError;

/** Any thrown value as one of ours: what is not ours becomes an `UnexpectedError` with the value as its cause. */
export const toAbiError = (error: unknown): AbiError => (isAbiError(error) ? error : new UnexpectedError(error));

/** The form of an error that may leave the process. */
export function toWireError(error: unknown): WireError {
  const { message, code, type, retriable } = toAbiError(error);
  return { error: message, error_code: code, error_type: type, retriable };
}

/** An error out of the form that left a process: of the same type, with code and message, and with nothing else of what it was. */
export function fromWireError({ error: message, error_code: code, error_type: type }: WireError): AbiError {
  if (type === "unexpected_error") return new UnexpectedError(undefined, { message, code });
  const Kind = { validation_error: ValidationError, conflict: ConflictError, io_error: IoError }[type];
  return new Kind(message, { code });
}
