import { setTimeout as pause } from "node:timers/promises";
import pRetry from "p-retry";
import {
  invalidConfiguration,
  IoError,
  isAbiError,
  UnexpectedError,
  ValidationError,
  type AbiError,
} from "./errors.ts";
import { HTTP_RETRY } from "./retry-policies.ts";
import { inClientSpan } from "./telemetry/tracing.ts";

const RETRIED = new Set([408, 425, 429]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 5;
const NOT_IMPLEMENTED = 501;
/**
 * With these statuses, a server refuses the content of one request. With any other refusal, it
 * refuses us, whatever we send.
 */
const ABOUT_THE_REQUEST = new Set([400, 409, 413, 422]);
/** The maximum delay of Node.js timers. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface HttpClientOptions {
  /** The name of the other side in messages, such as `customer source`. */
  name: string;
  /**
   * Any URL of the server. Its path is ignored; `user:password@` in it becomes Basic
   * authentication.
   */
  url: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as `Authorization: Bearer …`, instead of user and password. */
  token?: string;
  /** Time limit for one attempt, headers and body together; a whole number from 1. */
  timeoutMs: number;
  /** Further attempts after the first; a whole number from 0. */
  retries: number;
  /**
   * Called with the headers of every answer whose status doesn't call for a retry. Throws if they
   * show that the answer is unusable: an `IoError` if the problem is temporary.
   */
  inspect?: (headers: Headers) => void;
}

export interface HttpRequest {
  url: URL;
  /** A JSON text to send with POST. */
  json?: string;
  /** Another text to send with POST, and its media type. */
  body?: { type: string; text: string | Uint8Array };
  headers?: Readonly<Record<string, string>>;
  /** Longer answers are refused; the size is counted after decompression. */
  maxBytes: number;
  signal?: AbortSignal;
  /**
   * False if repeating the request would do harm. The client then retries it only if the server
   * can't have acted on it. Default true.
   */
  repeatable?: boolean;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * Whether the answer is a whole web page, as from a proxy that wants people to sign in. The media
 * type alone isn't enough: some servers send "OK" as HTML.
 */
export const isWebPage = (text: string): boolean => /^\s*<(?:!doctype\s+)?html\b/i.test(text);

/** The cause of an `IoError` for an answer with a status that calls for a retry. */
class HttpStatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.name = "HttpStatusError";
    this.status = status;
  }
}

/**
 * Sends requests to one server only. Redirects and links to another origin are refused, so
 * credentials never go elsewhere. After network errors, time-outs, 408, 425, 429 and 5xx except
 * 501, a request is retried after 0.2 to 0.4 s. The delay doubles with each retry, and is never
 * shorter than `Retry-After`. If the server asks for more than half a minute, the request is not
 * retried here. The error says how long the server asked to wait (`retryAfterMs`).
 */
export class HttpClient {
  readonly #name: string;
  readonly #origin: string;
  readonly #headers: Headers;
  readonly #timeoutMs: number;
  readonly #retries: number;
  readonly #inspect: (headers: Headers) => void;

  /**
   * @throws ValidationError for a URL that is not http(s) or whose user or password is not
   *   percent-encoded, headers that HTTP does not allow, an empty token, invalid numbers
   */
  constructor({ name, url: location, headers, token, timeoutMs, retries, inspect }: HttpClientOptions) {
    const url = parseHttpUrl(location, name);
    requireWholeNumber(`timeoutMs of the ${name}`, timeoutMs, 1, MAX_TIMEOUT_MS);
    requireWholeNumber(`retries of the ${name}`, retries, 0);
    if (token === "") throw invalidConfiguration(`token of the ${name} is empty. Leave it out if none is needed.`);
    this.#name = name;
    this.#origin = url.origin;
    this.#timeoutMs = timeoutMs;
    this.#retries = retries;
    this.#inspect = inspect ?? (() => {});
    const credentials = url.username !== "" || url.password !== "" ? basic(url, name) : undefined;
    try {
      this.#headers = new Headers({ accept: "application/json", ...headers });
      if (credentials !== undefined) this.#headers.set("authorization", credentials);
      if (token !== undefined) this.#headers.set("authorization", `Bearer ${token}`);
    } catch {
      // The error of `Headers` quotes the value, which may be a secret, so it is not even used as
      // the cause.
      throw invalidConfiguration(`A header or the token for the ${name} holds characters that HTTP does not allow.`);
    }
  }

  /**
   * Parses a URL on this client's server, for `send`.
   * @throws ValidationError if the URL is invalid or on another server
   */
  resolve(location: string): URL {
    const url = parseHttpUrl(location, this.#name);
    if (url.origin !== this.#origin) throw invalidConfiguration(`All URLs of the ${this.#name} must be on one server.`);
    return withoutCredentials(url);
  }

  /**
   * Sends a request, follows redirects on the same server, and returns the answer, which may have
   * any status except those that are retried.
   * @throws IoError if an attempt fails and no retry is left or allowed
   * @throws UnexpectedError (`redirect_refused`) for a redirect to another server or to an invalid
   *   URL, for more than five redirects, and for a POST that is redirected with 301, 302 or 303
   * @throws ValidationError for an answer that is too long
   * @throws what `inspect` throws
   * @throws the signal's reason
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { signal } = request;
    try {
      return await pRetry((attempt) => this.#attempt(request, attempt), {
        retries: this.#retries,
        minTimeout: HTTP_RETRY.initialDelayMs,
        maxTimeout: HTTP_RETRY.maximumDelayMs,
        randomize: true,
        signal,
        shouldRetry: async ({ error }) => {
          if (!(error instanceof IoError) || error.retryAfterMs > HTTP_RETRY.longestAskedMs) return false;
          if (request.repeatable === false && !wasNeverHandled(error)) return false;
          if (error.retryAfterMs > 0) await pause(error.retryAfterMs, undefined, { signal });
          return true;
        },
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  async #attempt(request: HttpRequest, attempt: number): Promise<HttpAnswer> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
    let response: Response | undefined;
    try {
      response = await this.#fetch(request, attempt, signal);
      if ((response.status >= 500 && response.status !== NOT_IMPLEMENTED) || RETRIED.has(response.status)) {
        await response.body?.cancel();
        throw new IoError(`The ${this.#name} is not available at the moment (HTTP ${response.status}).`, {
          ...(response.status === 429 && { code: "rate_limited" }),
          cause: new HttpStatusError(response.status),
          retryAfterMs: parseRetryAfter(response.headers.get("retry-after")),
        });
      }
      const { status, headers } = response;
      try {
        this.#inspect(headers);
      } catch (error) {
        await response.body?.cancel();
        throw error;
      }
      return { status, headers, text: await this.#text(response, request.maxBytes) };
    } catch (error) {
      if (isAbiError(error)) throw error;
      request.signal?.throwIfAborted();
      const [code, what] = timeout.aborted
        ? ["timeout", `did not answer within ${this.#timeoutMs / 1000} s.`]
        : response
          ? ["broken_off", "broke off its answer."]
          : ["unavailable", "can't be reached. Check that it is running and that its URL is right."];
      throw new IoError(`The ${this.#name} ${what}`, { code, cause: error });
    }
  }

  /** Follows redirects itself, because `fetch` would also follow them to other servers. */
  async #fetch(request: HttpRequest, attempt: number, signal: AbortSignal): Promise<Response> {
    const { url: first, json, headers: extra } = request;
    const body = json === undefined ? request.body : { type: "application/json", text: json };
    const headers = new Headers(this.#headers);
    if (body) headers.set("content-type", body.type);
    for (const [name, value] of Object.entries(extra ?? {})) headers.set(name, value);

    let url = first;
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const init = {
        headers,
        signal,
        redirect: "manual",
        ...(body && { method: "POST", body: body.text as string | Uint8Array<ArrayBuffer> }),
      } as const;
      const own = this.#own(url);
      const described = { method: body ? "POST" : "GET", url: own, headers, attempt: attempt + hop };
      const response = await inClientSpan(described, () => fetch(own, init));
      const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
      if (location === null) return response;
      await response.body?.cancel();
      // Only 307 and 308 keep method and body (RFC 9110, 15.4). After the others, a POST would
      // silently become a GET.
      if (body && response.status < 307) throw this.#misdirected();
      if (!URL.canParse(location, url.href)) throw this.#misdirected();
      url = new URL(location, url.href);
    }
    throw this.#misdirected();
  }

  #own(url: URL): URL {
    if (url.origin !== this.#origin) throw this.#misdirected();
    return withoutCredentials(url);
  }

  #misdirected(): UnexpectedError {
    return misconfigured(
      this.#name,
      `The ${this.#name} redirects us elsewhere. Configure its final URL.`,
      "redirect_refused",
    );
  }

  async #text(response: Response, maxBytes: number): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      // Leaving the loop cancels the rest of the body.
      if (bytes > maxBytes) {
        throw new ValidationError(`The ${this.#name} answered with more than ${maxBytes / 1_000_000} MB.`, {
          code: "answer_too_long",
        });
      }
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  }
}

/** @throws ValidationError; its message does not repeat the URL, which may hold a password */
export function parseHttpUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw invalidConfiguration(`The URL of the ${name} must be an absolute http:// or https:// URL.`);
}

/** @throws ValidationError that names the option */
export function requireWholeNumber(
  option: string,
  value: unknown,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    throw invalidConfiguration(
      `${option} must be a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? "" : ` to ${most}`}.`,
    );
}

/**
 * The error for a permanent refusal. If it is about the request, the caller learns why. If it is
 * about us (credentials, rights, URL), only the operator learns why: see `misconfigured`.
 */
export const refusal = (name: string, status: number, message: string, code: string): AbiError =>
  ABOUT_THE_REQUEST.has(status) ? new ValidationError(message, { code }) : misconfigured(name, message, code);

/**
 * An error that only a change of settings can fix. The details go to the log and the command line;
 * callers only learn which service can't be used.
 */
const misconfigured = (name: string, remedy: string, code: string): UnexpectedError =>
  new UnexpectedError(new Error(remedy), {
    message: `The ${name} can't be used with the current settings. The log says what to correct.`,
    code,
    remedy,
  });

function withoutCredentials(url: URL): URL {
  const bare = new URL(url);
  bare.username = "";
  bare.password = "";
  return bare;
}

/**
 * RFC 7617, with the credentials in UTF-8.
 * @throws ValidationError without a cause, because the text that can't be decoded is a secret
 */
function basic({ username, password }: URL, name: string): string {
  try {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(credentials).toString("base64")}`;
  } catch {
    throw invalidConfiguration(
      `The user or password in the URL of the ${name} is not percent-encoded: write % as %25.`,
    );
  }
}

/** Error codes of Node.js and its `fetch` for connections that couldn't be made. */
const NO_CONNECTION = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Whether there was no connection, or the server rejected the request as one too many (429). */
function wasNeverHandled({ cause }: Error): boolean {
  if (cause instanceof HttpStatusError) return cause.status === 429;
  return cause instanceof Error && NO_CONNECTION.has(codeOf(cause.cause));
}

/**
 * Converts seconds or an HTTP date (RFC 9110, 10.2.3) to milliseconds from now; 0 if it is neither,
 * or in the past.
 */
function parseRetryAfter(value: string | null): number {
  if (value === null) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? ms : 0;
}
