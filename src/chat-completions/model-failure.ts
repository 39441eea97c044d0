import { withoutAbsent, propertyOf } from "../json.ts";

/**
 * Why a chat model gave no usable answer. The agent and the analysers share this list, but have
 * their own messages.
 */
export type FailureKind =
  | "bad_key"
  | "forbidden"
  | "payment_required"
  | "quota_exhausted"
  | "rate_limited"
  | "unknown_model"
  | "unknown_address"
  | "no_tool_support"
  | "context_too_long"
  | "refused_request"
  | "timeout"
  | "unreachable"
  | "broken_off"
  | "stalled"
  | "service_error"
  | "not_a_completion"
  | "content_filter"
  | "refusal"
  | "no_room_to_answer"
  | "empty_answer";

export interface ModelFailure {
  kind: FailureKind;
  /** Whether the same request may succeed later. */
  transient: boolean;
  /** The HTTP status, if there is one. */
  status?: number;
}

const TRANSIENT: ReadonlySet<FailureKind> = new Set<FailureKind>([
  "rate_limited",
  "timeout",
  "unreachable",
  "broken_off",
  "stalled",
  "service_error",
  "empty_answer",
]);

const failure = (kind: FailureKind, status?: number): ModelFailure => ({
  kind,
  transient: TRANSIENT.has(kind),
  ...withoutAbsent({ status }),
});

/**
 * An unusable answer with status 200. The message is for the log, because it may quote the service.
 */
export class ModelAnswerError extends Error {
  readonly failure: ModelFailure;

  constructor(what: FailureKind | ModelFailure, message?: string, options?: ErrorOptions) {
    const known = typeof what === "string" ? failure(what) : what;
    super(message ?? known.kind, options);
    this.name = "ModelAnswerError";
    this.failure = known;
  }

  /**
   * The error for an error object that came instead of an answer, in any format that services use.
   */
  static fromService(reported: unknown): ModelAnswerError {
    const words = describe(reported);
    const status = statusIn(reported);
    return new ModelAnswerError(status === undefined ? byWords(words) : byStatus(status, words), words);
  }
}

/** What a service says about an error: its text and its codes. */
function describe(reported: unknown): string {
  if (typeof reported === "string") return reported;
  const parts = ["message", "msg", "status_msg", "code", "type", "status", "detail", "details"].map((name) =>
    propertyOf(reported, name),
  );
  return parts
    .filter((part) => part !== undefined && part !== null)
    .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
    .join(" ");
}

const isStatus = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 400 && Number(value) < 600;

/** The HTTP status in an error object, as in `code: 429` or `code: "429"`. */
function statusIn(reported: unknown): number | undefined {
  const named = ["status", "code", "status_code"].map((name) => {
    const value = propertyOf(reported, name);
    return typeof value === "string" ? Number(value) : value;
  });
  return named.find(isStatus);
}

const CONTEXT =
  /context_length_exceeded|exceed_context_size|context (?:length|size|window)|too many tokens|prompt is too long|input (?:tokens|token count|is too long)/iu;
const UNKNOWN_MODEL =
  /model_not_found|model[\s_]not[\s_](?:found|exist)|unknown model|invalid model|no such model|not a valid model|\bmodel\b.{0,200}?(?:not found|(?:does|do) not exist|not exist|is not (?:available|supported))/isu;
const NO_TOOLS =
  /(?:not support|no endpoints found that support|does(?: not|n't) (?:support|have)).{0,40}?(?:tool|function)|tool choice requires|\btools\b.{0,20}requires --jinja/isu;
const CONTENT_FILTER = /content_?filter|content management policy|content_policy|responsibleai|flagged|moderation/iu;
const QUOTA = /insufficient_quota|exceeded your current quota|insufficient (?:balance|credit|funds)|billing/iu;
const OVERLOADED = /rate.?limit|too many requests|overloaded|overload_error|capacity/iu;
/** The words of an error that passes soon, even if the service calls it a quota. */
const SAYS_WHEN = /retryinfo|retry in \d/iu;
const BAD_KEY =
  /invalid[_ ]api[_ ]key|api[_ ]key[_ ](?:not[_ ]valid|is[_ ]invalid|invalid)|incorrect api key|authentication_error|unauthorized|\blog-?in\b|token (?:is )?(?:invalid|expired)|令牌/iu;
const UNPAID = /arrear|overdue|payment required|欠费|余额不足/iu;
const UNKNOWN_ADDRESS = /unexpected endpoint/iu;

/**
 * What an error means if the service gives no status. An unknown error counts as a failure of the
 * service, which is temporary.
 */
function byWords(words: string): ModelFailure {
  if (CONTEXT.test(words)) return failure("context_too_long");
  if (CONTENT_FILTER.test(words)) return failure("content_filter");
  if (UNPAID.test(words)) return failure("payment_required");
  if (QUOTA.test(words) && !SAYS_WHEN.test(words)) return failure("quota_exhausted");
  if (UNKNOWN_ADDRESS.test(words)) return failure("unknown_address");
  if (SAYS_WHEN.test(words)) return failure("rate_limited");
  if (OVERLOADED.test(words)) return failure("rate_limited");
  if (BAD_KEY.test(words)) return failure("bad_key");
  if (NO_TOOLS.test(words)) return failure("no_tool_support");
  if (UNKNOWN_MODEL.test(words)) return failure("unknown_model");
  return /invalid_request|bad ?request/iu.test(words) ? failure("refused_request") : failure("service_error");
}

function byStatus(status: number, words: string): ModelFailure {
  if (status === 401) return failure("bad_key", status);
  if (status === 402) return failure("payment_required", status);
  if (status === 429) {
    const exhausted = QUOTA.test(words) && !SAYS_WHEN.test(words);
    return failure(exhausted ? "quota_exhausted" : "rate_limited", status);
  }
  if (status === 408) return failure("timeout", status);
  if (status === 413 || CONTEXT.test(words)) return failure("context_too_long", status);
  if (NO_TOOLS.test(words)) return failure("no_tool_support", status);
  if (status >= 500) return failure("service_error", status);
  if (CONTENT_FILTER.test(words)) return failure("content_filter", status);
  if (status === 400 && BAD_KEY.test(words)) return failure("bad_key", status);
  if (status === 403) return failure("forbidden", status);
  if (UNKNOWN_MODEL.test(words)) return failure("unknown_model", status);
  if (status === 404 || status === 405) return failure("unknown_address", status);
  return failure("refused_request", status);
}

/** Whether nothing in a refusal says what it is about. */
export const isUnexplained = (status: number, body: string): boolean =>
  byStatus(status, body).kind === "refused_request";

const NETWORK =
  /^(?:ECONN\w+|EPIPE|EPROTO|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(?:HOST|NET)UNREACH|UND_ERR_\w+|ERR_TLS_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/u;

/** An error and what it wraps: middleware and clients wrap errors in one another. */
export function* chainOf(error: unknown): Generator {
  const seen = new Set<unknown>();
  for (let at = error; at !== undefined && at !== null && !seen.has(at); at = propertyOf(at, "cause")) {
    seen.add(at);
    yield at;
  }
}

/** What a thrown value says about the model service; undefined if it is about something else. */
export function modelFailure(error: unknown): ModelFailure | undefined {
  const chain = [...chainOf(error)];
  const answer = chain.find((at) => at instanceof ModelAnswerError);
  if (answer !== undefined) return answer.failure;
  const refused = chain.find((at) => isStatus(propertyOf(at, "status")));
  if (refused !== undefined) return byStatus(Number(propertyOf(refused, "status")), wordsOf(refused));
  if (chain.some((at) => propertyOf(at, "name") === "TimeoutError")) return failure("timeout");
  if (chain.some((at) => propertyOf(at, "name") === "ContextOverflowError")) return failure("context_too_long");
  // OpenAI's client reports an error in the middle of a stream without a status.
  const reported = chain.find((at) => at instanceof Error && at.constructor.name === "APIError");
  if (reported !== undefined)
    return ModelAnswerError.fromService(propertyOf(reported, "error") ?? wordsOf(reported)).failure;
  return chain.some(isNetworkError) ? failure("unreachable") : undefined;
}

/**
 * An error's message, text and codes, without the link that LangChain appends: it contains
 * misleading words.
 */
function wordsOf(error: unknown): string {
  const message = propertyOf(error, "message");
  const [words = ""] = typeof message === "string" ? message.split("\n\nTroubleshooting URL:") : [];
  return `${words} ${describe(propertyOf(error, "error"))} ${describe({ code: propertyOf(error, "code"), type: propertyOf(error, "type") })}`;
}

/** There was no connection, or it broke. */
const isNetworkError = (error: unknown): boolean =>
  NETWORK.test(String(propertyOf(error, "code"))) ||
  (error instanceof Error && error.constructor.name.startsWith("APIConnection")) ||
  (error instanceof TypeError && error.message === "terminated");
