import { ZodError } from "zod";
import { modelFailure, type FailureKind } from "../../chat-completions/model-failure.ts";
import { propertyOf } from "../../json.ts";
import type { AnalysisFallback } from "../sentiment-analyzer.ts";

type Failure = Pick<AnalysisFallback, "reason" | "permanent">;

const NOT_A_COMPLETION =
  "the model service answered with something that is not a chat completion; check OPENAI_BASE_URL";

const REASONS: Readonly<Record<FailureKind, string | ((status: number | undefined) => string)>> = {
  bad_key: "the model service refused the key",
  forbidden: "the model service does not let the key use the model",
  payment_required: "the account at the model service has no credit",
  quota_exhausted: "the quota at the model service is used up",
  rate_limited: "the model service accepts no more requests for now",
  unknown_model: "the model service does not know the model; check OPENAI_MODEL",
  unknown_address: "the model service does not know the model or this address",
  no_tool_support: "the model can't call tools; check OPENAI_MODEL",
  context_too_long: "the text is longer than the model can read",
  refused_request: (status) =>
    `the model service refused the request${status === undefined ? "" : ` (status ${status})`}; can the model call tools?`,
  timeout: "the model service did not answer in time",
  unreachable: "the model service could not be reached",
  broken_off: "the model service broke off its answer",
  stalled: "the model service stopped answering",
  service_error: (status) =>
    status === undefined ? "the model service failed" : `the model service answered with status ${status}`,
  not_a_completion: NOT_A_COMPLETION,
  content_filter: "the content filter of the model service stopped the answer",
  refusal: "the model refused to answer",
  no_room_to_answer: "the model reached its length limit before it answered",
  empty_answer: "the model gave an empty answer",
};

/** Failures that affect every text until someone changes a setting or pays. */
const PERMANENT: ReadonlySet<FailureKind> = new Set<FailureKind>([
  "bad_key",
  "forbidden",
  "payment_required",
  "quota_exhausted",
  "unknown_model",
  "unknown_address",
  "no_tool_support",
]);

/**
 * Why there is no judgement, for people. It doesn't quote the service, whose words may contain
 * anything.
 */
export function failureReason(error: unknown): Failure {
  if (error instanceof ZodError || propertyOf(error, "lc_error_code") === "OUTPUT_PARSING_FAILURE") {
    return { reason: "the model's answer did not have the requested form", permanent: false };
  }
  const failure = modelFailure(error);
  if (failure === undefined) return { reason: NOT_A_COMPLETION, permanent: false };
  const reason = REASONS[failure.kind];
  return {
    reason: typeof reason === "string" ? reason : reason(failure.status),
    permanent: PERMANENT.has(failure.kind),
  };
}
