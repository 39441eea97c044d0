import { ZodError } from "zod";

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;

/** Why there is no judgement, for people: nothing of what the service said, which may hold anything. */
export function failureReason(error: unknown): string {
  if (field(error, "name") === "TimeoutError") return "the model service did not answer in time";
  if (error instanceof ZodError || field(error, "lc_error_code") === "OUTPUT_PARSING_FAILURE") {
    return "the model's answer did not have the form that was asked for";
  }
  const status = field(error, "status");
  if (status === 401 || status === 403) return "the model service refused the key";
  if (status === 404) return "the model service does not know the model";
  if (status === 429) return "the model service takes no more requests for now";
  if (typeof status === "number") return `the model service answered with status ${status}`;
  const cause = field(error, "cause");
  return cause === undefined ? "the model service could not be reached" : failureReason(cause);
}
