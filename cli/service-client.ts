import { setTimeout as pause } from "node:timers/promises";
import { ConflictError, fromWireError, IoError, isAbiError, UnexpectedError, type ErrorType } from "../src/errors.ts";
import { HttpClient, type HttpAnswer, type HttpRequest } from "../src/http-client.ts";
import { withoutAbsent, isObject, type Json } from "../src/json.ts";
import { HTTP_RETRY } from "../src/retry-policies.ts";
import type { RunResult } from "../src/framework/result.ts";
import type { RunView } from "./runs/runs.ts";

const TIMEOUT_MS = 90_000;
const MAX_RESPONSE_BYTES = 200_000_000;
/** Interval at which the service is asked about a run. Milliseconds. */
const POLL_INTERVAL_MS = 500;
/** How many seconds the service is asked to wait for the result of a submission. */
const PREFERRED_WAIT = 30;

/** The parts of a request besides its path. */
interface ServiceRequest {
  /** Sent as JSON. */
  json?: object;
  body?: HttpRequest["body"];
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}

/** Calls a running service, for commands with `--url` or `ABI_URL`. */
export class ServiceClient {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #client: HttpClient;

  /** @throws ValidationError for an invalid address or token */
  constructor(url: string, token: string | undefined) {
    this.#url = url.replace(/\/+$/, "");
    this.#token = token;
    this.#client = new HttpClient({
      name: "service",
      url,
      timeoutMs: TIMEOUT_MS,
      retries: HTTP_RETRY.retries,
      ...withoutAbsent({ token }),
    });
  }

  /**
   * Calls a path and returns its JSON answer. If the service's rate limit is reached, waits as long
   * as the service asks.
   * @throws the service's error, with its type and code; IoError if the service doesn't answer
   */
  async call(path: string, request: ServiceRequest = {}): Promise<unknown> {
    return parsed((await this.#send(path, request)).text);
  }

  /** Calls a path and returns its answer in JSON Lines, as objects. @throws as `call` */
  async callForLines(path: string, request: ServiceRequest): Promise<Record<string, unknown>[]> {
    const { text } = await this.#send(path, request);
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => parsed(line) as Record<string, unknown>);
  }

  async #send(path: string, { json, body, headers, signal }: ServiceRequest): Promise<HttpAnswer> {
    const request: HttpRequest = {
      url: this.#client.resolve(`${this.#url}${path}`),
      ...(json && { json: JSON.stringify(json) }),
      ...(body && { body }),
      ...withoutAbsent({ headers, signal }),
      maxBytes: MAX_RESPONSE_BYTES,
    };
    for (;;) {
      try {
        const answer = await this.#client.send(request);
        if (answer.status < 400) return answer;
        throw errorIn(parsed(answer.text), answer.status);
      } catch (error) {
        // A batch may have more rows than the service accepts in a minute. The service says when it
        // accepts the next one.
        if (!(error instanceof IoError) || error.code !== "rate_limited" || error.retryAfterMs === 0) throw error;
        await pause(error.retryAfterMs, undefined, { signal });
      }
    }
  }

  /**
   * Posts JSON, and yields the server-sent events that come back: their data, with their type.
   * @throws as `call`; the reason of `signal`
   */
  async *stream(path: string, json: object, signal?: AbortSignal): AsyncGenerator<{ type: string }> {
    const response = await this.#post(path, json, signal);
    if (!response.ok || !response.body) throw errorIn(parsed(await response.text()), response.status);
    let rest = "";
    try {
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) {
          const [, type, data] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
          if (type !== undefined && data !== undefined) yield { type, ...(JSON.parse(data) as object) };
        }
      }
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable("The connection to the service was lost.", cause);
    }
  }

  /** Posts only once, because a message that may have been accepted must not be sent again. */
  async #post(path: string, json: object, signal: AbortSignal | undefined): Promise<Response> {
    try {
      return await fetch(this.#client.resolve(`${this.#url}${path}`), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        },
        body: JSON.stringify(json),
        redirect: "error",
        ...withoutAbsent({ signal }),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable("The service can't be reached. Check --url (ABI_URL), and whether it is running.", cause);
    }
  }

  /** The text of the answer to a SPARQL query, and its media type. @throws as `call` */
  async ask(
    path: string,
    sparql: string,
    signal: AbortSignal,
  ): Promise<{ type: string; text: string; truncated: boolean }> {
    const { text, headers } = await this.#send(path, {
      body: { type: "application/sparql-query", text: sparql },
      headers: { accept: "application/sparql-results+json, application/n-triples" },
      signal,
    });
    const [type = ""] = (headers.get("content-type") ?? "").split(";");
    return { type, text, truncated: headers.get("x-truncated") === "true" };
  }

  /** Does the same as `call`; undefined if the answer is an error with this code. */
  async find(path: string, absent = "unknown_run"): Promise<unknown> {
    try {
      return await this.call(path);
    } catch (error) {
      if (isObject(error) && error["code"] === absent) return undefined;
      throw error;
    }
  }

  async run(workflowId: string): Promise<RunView | undefined> {
    return (await this.find(pathOfRun(workflowId))) as RunView | undefined;
  }

  /** Submits a run to a workflow and waits for its result, however long that takes. */
  async process(workflow: string, parameters: unknown, signal: AbortSignal): Promise<RunResult> {
    const answer = (await this.call(`/workflows/${workflow}`, {
      json: parameters as object,
      headers: { prefer: `wait=${PREFERRED_WAIT}` },
      signal,
    })) as RunResult;
    return answer.success === undefined ? this.result(answer.workflow_id!, signal) : answer;
  }

  /** Does the same as `result`; undefined if the token may not read runs. */
  async resultIfAllowed(workflowId: string, signal: AbortSignal): Promise<RunResult | undefined> {
    try {
      return await this.result(workflowId, signal);
    } catch (error) {
      if (isScopeMissing(error)) return undefined;
      throw error;
    }
  }

  /**
   * The result of a run, once it has ended, waits for a person, or has a step that may be retried
   * for hours (`failing.until`).
   * @throws ValidationError (`unknown_run`) if the service doesn't know it
   */
  async result(workflowId: string, signal: AbortSignal): Promise<RunResult> {
    for (;;) {
      const run = (await this.call(pathOfRun(workflowId), { signal })) as RunView;
      const result = resultOf(run);
      if (result) return result;
      await pause(POLL_INTERVAL_MS, undefined, { signal });
    }
  }
}

export const pathOfRun = (workflowId: string): string => `/runs/${encodeURIComponent(workflowId)}`;

/**
 * Whether any other request would fail in the same way, because the token, the address or the
 * connection is at fault.
 */
export const concernsEveryRequest = (error: unknown): boolean =>
  isAbiError(error) && /^(?:token_|scope_|host_|origin_|no_service$|unavailable$|redirect_refused$)/.test(error.code);

export const isScopeMissing = (error: unknown): boolean => isAbiError(error) && error.code === "scope_missing";

/** For a run that the token could start, but whose result it can't read. */
export const RESULT_NOT_SHOWN = "The token lacks the scope feedback:read, so the result can't be shown.";

function resultOf(run: RunView): RunResult | undefined {
  const { result, status, steps_completed = [], error, error_code, error_type, retriable, failing } = run;
  if (result) return result;
  const { workflow_id, key, feedback_id = key } = run;
  const unsuccessful = { feedback_id, success: false, steps_completed };
  if (failing?.until !== undefined) {
    const { error: why, error_code, error_type, retriable, until } = failing;
    return {
      ...unsuccessful,
      status: "processing",
      workflow_id,
      retry_until: until,
      error: why,
      error_code,
      error_type,
      retriable,
    };
  }
  if (status !== "failed" && status !== "cancelled") return undefined;
  return { ...unsuccessful, error: error ?? "The run was cancelled.", error_code, error_type, retriable } as RunResult;
}

const unreachable = (message: string, cause: unknown): IoError =>
  new IoError(message, { code: "service_unavailable", cause });

function parsed(text: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorIn(answer: unknown, status: number): Error {
  if (!isObject(answer) || typeof answer["detail"] !== "string") {
    return new UnexpectedError(new Error(`HTTP ${status}`), {
      message: `There is no abi-workflows service at this address: it answered with HTTP ${status}. Check --url (ABI_URL).`,
      code: "no_service",
    });
  }
  const { detail, error_code, error_type, standing } = answer;
  if (error_type === "conflict" && standing !== undefined)
    return new ConflictError(detail, { code: String(error_code), standing: standing as Json });
  return fromWireError({
    error: detail,
    error_code: String(error_code),
    error_type: error_type as ErrorType,
    retriable: false,
  });
}
