import { toAbiError, type ErrorType } from "../../errors.ts";

const STATUS = {
  validation_error: 422,
  conflict: 409,
  io_error: 503,
  unexpected_error: 500,
} as const satisfies Record<ErrorType, number>;

/** Error codes with a status of their own, whatever their type. */
const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  ["bad_request", 400],
  ["incomplete_body", 400],
  ["malformed_json", 400],
  ["invalid_sparql", 400],
  ["unsupported_sparql", 400],
  ["query_too_large", 400],
  ["token_missing", 401],
  ["token_invalid", 401],
  ["signature_invalid", 401],
  ["scope_missing", 403],
  ["origin_not_allowed", 403],
  ["not_found", 404],
  ["no_model", 404],
  ["unknown_run", 404],
  ["unknown_mail", 404],
  ["no_approvals", 404],
  ["nothing_waits", 404],
  ["method_not_allowed", 405],
  ["not_acceptable", 406],
  ["request_timeout", 408],
  ["webhook_replayed", 409],
  ["body_too_large", 413],
  ["unsupported_media_type", 415],
  ["expectation_failed", 417],
  ["host_not_allowed", 421],
  ["rate_limited", 429],
  ["headers_too_large", 431],
]);

/** The HTTP status for an error. */
export function statusOf(error: unknown): number {
  const { code, type } = toAbiError(error);
  return STATUS_OF_CODE.get(code) ?? STATUS[type];
}
