import { ZodError } from "zod";
import type { AnalysisFallback } from "../sentiment-analyzer.ts";

type Failure = Pick<AnalysisFallback, "reason" | "permanent">;

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;

const NO_CONNECTION =
  /^(?:ECONN\w+|EPIPE|EPROTO|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(?:HOST|NET)UNREACH|UND_ERR_\w+|ERR_TLS_\w+)$/u;

const isConnectionError = (error: unknown): boolean =>
  NO_CONNECTION.test(String(field(error, "code"))) ||
  // OpenAI's client says it by the class alone: not all causes have a code.
  (error instanceof Error && error.constructor.name.startsWith("APIConnection"));

const passing = (reason: string): Failure => ({ reason, permanent: false });

/** Why there is no judgement, for people: nothing of what the service said, which may hold anything. */
export function failureReason(error: unknown): Failure {
  if (field(error, "name") === "TimeoutError") return passing("the model service did not answer in time");
  if (error instanceof ZodError || field(error, "lc_error_code") === "OUTPUT_PARSING_FAILURE") {
    return passing("the model's answer did not have the form that was asked for");
  }
  const status = field(error, "status");
  if (typeof status === "number") return refusal(status);
  if (isConnectionError(error)) return passing("the model service could not be reached");
  const cause = field(error, "cause");
  if (cause !== undefined) return failureReason(cause);
  return passing("the model service answered with something that is no chat completion; check OPENAI_BASE_URL");
}

function refusal(status: number): Failure {
  switch (status) {
    case 401:
    case 403:
      return { reason: "the model service refused the key", permanent: true };
    case 404:
      return { reason: "the model service does not know the model, or not this address", permanent: true };
    case 429:
      return passing("the model service takes no more requests for now");
    case 400:
    case 422:
      return passing(`the model service refused the request (status ${status}); can the model call tools?`);
    default:
      return passing(`the model service answered with status ${status}`);
  }
}
