/** The public HTTP API, as pages call it. */
import { signal } from "@preact/signals";

/**
 * Why a call failed. `code` is the API's `error_code`; `offline` if there was no answer,
 * `broken_off` if it was incomplete, `unknown` if the answer has no code.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** What applies instead, such as the decision that someone else made first. */
  readonly standing: unknown;
  readonly fields: readonly { field: string; message: string }[];

  constructor(status: number, body: Problem) {
    super(body.detail ?? `The service answered ${status}.`);
    this.status = status;
    this.code = body.error_code ?? "unknown";
    this.standing = body.standing;
    this.fields = body.fields ?? [];
  }
}

interface Problem {
  detail?: string;
  error_code?: string;
  standing?: unknown;
  fields?: readonly { field: string; message: string }[];
}

/** Whether the service can't be reached. While it can't, we keep trying. */
export const isOffline = signal(false);
/**
 * Counts how often the service came back or a person signed in. What is shown is then loaded again.
 */
export const returns = signal(0);
/** Whether the API requires a sign-in. */
export const isSignedOut = signal(false);

/**
 * The first and the longest pause before checking again whether the service is back. Milliseconds.
 */
const POLL_INTERVAL_MS = 1500;
const LONGEST_POLL_INTERVAL_MS = 15_000;

export interface Call {
  method?: "GET" | "POST" | "DELETE";
  /** Sent as JSON, but a string is sent as it is. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
}

/** @throws ApiError; the abort reason of `signal` */
export async function respond(path: string, { method, body, headers = {}, signal }: Call = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch {
    signal?.throwIfAborted();
    lookAgain();
    throw new ApiError(0, { detail: "The service can't be reached.", error_code: "offline" });
  }
  markReachable();
  if (response.ok) return response;
  if (response.status === 401) isSignedOut.value = true;
  throw new ApiError(response.status, await problemOf(response));
}

/** @throws as `respond` */
export async function call<Answer>(path: string, options: Call = {}): Promise<Answer> {
  const response = await respond(path, options);
  return response.status === 204 ? (undefined as Answer) : jsonIn<Answer>(response, options.signal);
}

/** @throws as `whole` */
export const jsonIn = async <Answer>(response: Response, signal: AbortSignal | undefined): Promise<Answer> =>
  (await whole(response.json(), signal)) as Answer;

/**
 * The body of an answer, once all of it is there.
 * @throws ApiError if it breaks off or can't be read; the abort reason of `signal`
 */
export async function whole<Body>(body: Promise<Body>, signal: AbortSignal | undefined): Promise<Body> {
  try {
    return await body;
  } catch {
    signal?.throwIfAborted();
    throw new ApiError(0, { detail: "The service's answer was interrupted.", error_code: "broken_off" });
  }
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return {};
  }
}

/** Finds out whether the service can be reached; see `isOffline`. */
export const checkReachable = (): Promise<void> =>
  respond("/livez").then(
    () => undefined,
    () => undefined,
  );

function markReachable(): void {
  if (!isOffline.value) return;
  isOffline.value = false;
  returns.value += 1;
}

/** Asks until the service answers again. */
function lookAgain(): void {
  if (isOffline.value) return;
  isOffline.value = true;
  let wait = POLL_INTERVAL_MS;
  const look = async (): Promise<void> => {
    if (!isOffline.value) return;
    try {
      await fetch("/livez");
      markReachable();
    } catch {
      wait = Math.min(wait * 1.5, LONGEST_POLL_INTERVAL_MS);
      setTimeout(() => void look(), wait);
    }
  };
  setTimeout(() => void look(), wait);
}
