import { chainOf, modelFailure, type FailureKind } from "../src/chat-completions/model-failure.ts";
import { propertyOf } from "../src/json.ts";
import { AGENT_MODEL_RETRY } from "../src/retry-policies.ts";
import { AbiError, IoError, toAbiError, ValidationError } from "../src/errors.ts";

/** The first among an error and its causes that matches. */
const findCause = (error: unknown, matches: (cause: unknown) => boolean): unknown => [...chainOf(error)].find(matches);

const ownError = (error: unknown): AbiError | undefined =>
  findCause(error, (cause) => cause instanceof AbiError) as AbiError | undefined;

/** How long the service asks us to wait, in milliseconds. */
export function retryAfterMs(error: unknown): number | undefined {
  const wait = propertyOf(
    findCause(error, (cause) => typeof propertyOf(cause, "retryAfterMs") === "number"),
    "retryAfterMs",
  );
  return wait as number | undefined;
}

/** Whether the same call of the model may succeed soon. */
export function isTransient(error: unknown): boolean {
  const own = ownError(error);
  if (own !== undefined) return own.retriable;
  return modelFailure(error)?.transient === true && (retryAfterMs(error) ?? 0) <= AGENT_MODEL_RETRY.longestAskedMs;
}

type Words = (model: string, status?: number) => string;

const NO_COMPLETION: Words = () =>
  "The model service answered with something that is not a chat completion. Check OPENAI_BASE_URL: it must be the address of an " +
  "OpenAI-compatible API, which usually ends in /v1.";

const UNREACHABLE: Words = () =>
  "The model service can't be reached or broke off its answer. Try again later; if the problem persists, check OPENAI_BASE_URL.";

/** The code of each failure, and its message for people. */
const MESSAGES: Readonly<Record<FailureKind, readonly [code: string, words: Words]>> = {
  bad_key: ["model_refused_key", () => "The model service refused the key. Check OPENAI_API_KEY and OPENAI_BASE_URL."],
  forbidden: [
    "model_forbidden",
    (model) =>
      `The model service does not let this key use ${model}. Check OPENAI_API_KEY, or choose another model with OPENAI_MODEL.`,
  ],
  payment_required: [
    "model_payment_required",
    () => "The model service requires payment: the account of OPENAI_API_KEY has no credit. Top it up there.",
  ],
  quota_exhausted: [
    "model_quota_exhausted",
    () => "The quota at the model service is used up. Raise it in the account of OPENAI_API_KEY, or use another key.",
  ],
  rate_limited: ["model_busy", () => "The model service takes no more requests for now. Try again later."],
  unknown_model: [
    "model_not_found",
    (model) =>
      `The model service does not know ${model}. Set OPENAI_MODEL to a model that it has, and check OPENAI_BASE_URL.`,
  ],
  unknown_address: [
    "model_not_found",
    (model) =>
      `The model service does not know this address, or does not have ${model}. Check OPENAI_BASE_URL, which usually ends in /v1, and OPENAI_MODEL.`,
  ],
  no_tool_support: [
    "model_without_tools",
    (model) =>
      `${capitalized(model)} can't call tools. Set OPENAI_MODEL to one that can, or start the model's server with tools (llama.cpp: --jinja).`,
  ],
  context_too_long: [
    "model_context_exceeded",
    (model) =>
      `The conversation is longer than ${model} can read. Start a new one, send less at a time, or set OPENAI_MODEL to a model that can read more.`,
  ],
  refused_request: [
    "model_refused_request",
    (model, status) =>
      (status === 422
        ? "The model service does not accept a field of the request (status 422)."
        : `The model service refused the request (status ${status ?? 400}).`) +
      ` ${capitalized(model)} may not support tools, or the conversation contains something that it does not accept: start a new conversation, or choose another model with OPENAI_MODEL.`,
  ],
  timeout: [
    "model_timeout",
    (model) =>
      `The model service did not answer in time. Try again later, or set OPENAI_MODEL to a model that is faster than ${model}.`,
  ],
  unreachable: ["model_unavailable", UNREACHABLE],
  broken_off: ["model_unavailable", UNREACHABLE],
  stalled: [
    "model_timeout",
    (model) =>
      `The model service stopped answering in the middle of its answer. Try again later, or set OPENAI_MODEL to another model than ${model}.`,
  ],
  service_error: [
    "model_unavailable",
    (_model, status) =>
      `The model service failed${status === undefined ? "" : ` (status ${status})`}. Try again later; if the problem persists, check OPENAI_BASE_URL and OPENAI_MODEL.`,
  ],
  not_a_completion: ["model_answer_unreadable", NO_COMPLETION],
  content_filter: [
    "model_content_filter",
    () =>
      "The content filter of the model service stopped the answer. Word the request differently, or choose another model with OPENAI_MODEL.",
  ],
  refusal: [
    "model_refused_answer",
    (model) =>
      `${capitalized(model)} refused to answer. Word the request differently, or choose another model with OPENAI_MODEL.`,
  ],
  no_room_to_answer: [
    "model_answer_too_long",
    (model) =>
      `${capitalized(model)} reached its length limit before it said anything. Raise the limit at the service, ask for less at a time, or choose another model with OPENAI_MODEL.`,
  ],
  empty_answer: [
    "model_empty_answer",
    (model) =>
      `${capitalized(model)} gave an empty answer. What its tools have done stays done. Try again, or choose another model with OPENAI_MODEL.`,
  ],
};

const capitalized = (model: string): string => `${model.charAt(0).toUpperCase()}${model.slice(1)}`;

/**
 * The error with a message for people that says what went wrong between us and the model. The
 * service's own words stay in `cause`.
 */
export function toModelError(error: unknown, modelName?: string): AbiError {
  const own = ownError(error);
  if (own !== undefined) return own;
  const failure = modelFailure(error);
  if (failure === undefined) return toAbiError(error);
  const [code, words] = MESSAGES[failure.kind];
  const message = words(modelName === undefined ? "the model" : `the model ${modelName}`, failure.status);
  return failure.transient
    ? new IoError(message, { code, cause: error, retryAfterMs: retryAfterMs(error) ?? 0 })
    : new ValidationError(message, { code, cause: error });
}
