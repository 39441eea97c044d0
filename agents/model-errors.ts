import { AbiError, IoError, toAbiError, ValidationError } from "../src/errors.ts";

/** Longest wait in ms that a model service may ask for before we rather fail. */
const LONGEST_WAIT = 60_000;

const field = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;

/** The innermost cause that says something of HTTP, else the innermost: middleware and client wrap errors in one another. */
function rootOf(error: unknown): unknown {
  const cause = field(error, "cause");
  return cause === undefined || error instanceof AbiError || typeof field(error, "status") === "number"
    ? error
    : rootOf(cause);
}

const NETWORK = /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)UNREACH|UND_ERR_\w+)$/u;

/** No answer, or one that broke off: the connection failed somewhere. */
function isNetworkError(error: unknown): boolean {
  for (let at: unknown = error; at !== undefined && at !== null; at = field(at, "cause")) {
    const [name, code] = [String(field(at, "name")), String(field(at, "code"))];
    const kind = at instanceof Error ? at.constructor.name : "";
    if (NETWORK.test(code) || name === "TimeoutError" || kind.startsWith("APIConnection")) return true;
    if (at instanceof TypeError && at.message === "terminated") return true;
  }
  return false;
}

/** How long in ms the service asks us to wait. */
export function retryAfterMs(error: unknown): number | undefined {
  const wait = field(rootOf(error), "retryAfterMs");
  return typeof wait === "number" ? wait : undefined;
}

/** Whether the same call of the model may go well shortly. */
export function isTransient(error: unknown): boolean {
  const root = rootOf(error);
  if (root instanceof AbiError) return root.retriable;
  const status = field(root, "status");
  if (field(root, "code") === "insufficient_quota" || (retryAfterMs(error) ?? 0) > LONGEST_WAIT) return false;
  return typeof status === "number" ? status === 429 || status >= 500 || status === 408 : isNetworkError(error);
}

/** What went wrong between us and the model, for people. The service's own words stay in `cause`. */
export function toModelError(error: unknown): AbiError {
  const root = rootOf(error);
  if (root instanceof AbiError) return root;
  const status = field(root, "status");
  if (status === 401 || status === 403) {
    return new ValidationError("The model service refused the key. Check OPENAI_API_KEY and OPENAI_BASE_URL.", {
      code: "model_refused_key",
      cause: error,
    });
  }
  if (status === 404) {
    return new ValidationError(
      "The model service does not know this model or address. Check OPENAI_MODEL and OPENAI_BASE_URL.",
      {
        code: "model_not_found",
        cause: error,
      },
    );
  }
  if (status === 429) {
    return new IoError("The model service takes no more requests for now, or its quota is used up. Try again later.", {
      code: "model_busy",
      cause: error,
    });
  }
  if (isTransient(error)) {
    return new IoError("The model service can't be reached or broke off its answer. Try again later.", {
      code: "model_unavailable",
      cause: error,
    });
  }
  if (typeof status === "number") {
    return new ValidationError(
      "The model service refused the request. It may be too long, or the model may not support tools: start a new conversation or choose another model.",
      { code: "model_refused_request", cause: error },
    );
  }
  return toAbiError(root);
}
