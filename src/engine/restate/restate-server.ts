import { propertyOf } from "../../json.ts";

/**
 * How long a call waits for its answer: it comes from a worker, which may be starting.
 * Milliseconds.
 */
const PATIENCE_MS = 10_000;

/** Where to reach a Restate server. */
export interface RestateAddresses {
  /** The URL for calls, such as `http://restate:8080`. */
  readonly ingress: string;
  /** The URL of the admin API, such as `http://restate:9070`. */
  readonly admin: string;
}

/** An error response from the server, with its message. */
export class RestateError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The part of a Restate server's API that we use: https://docs.restate.dev/references/admin-api and
 * /services/invocation/http.
 */
export class RestateServer {
  readonly #addresses: RestateAddresses;

  constructor(addresses: RestateAddresses) {
    this.#addresses = addresses;
  }

  /** Calls a handler of a virtual object and returns its result. */
  call<Answer>(object: string, key: string, handler: string, parameter: unknown): Promise<Answer> {
    return this.#ask(`${this.#addresses.ingress}/${object}/${encodeURIComponent(key)}/${handler}`, "POST", parameter);
  }

  /**
   * The rows of an SQL query, without columns that are NULL:
   * https://docs.restate.dev/references/sql-introspection.
   */
  async query<Row>(sql: string): Promise<Row[]> {
    const { rows } = await this.#ask<{ rows: Row[] }>(`${this.#addresses.admin}/query`, "POST", { query: sql });
    return rows;
  }

  /** Tells the server the URL of our services. Returns the server's id of that deployment. */
  async register(url: string): Promise<string> {
    const { id } = await this.#ask<{ id: string }>(`${this.#addresses.admin}/deployments`, "POST", {
      uri: url,
      force: true,
    });
    return id;
  }

  /**
   * Resumes an invocation that waits for its next attempt or is paused.
   * @param deployment where to resume it, if it began elsewhere
   */
  async resume(invocation: string, deployment?: string): Promise<void> {
    const where = deployment === undefined ? "" : `?deployment=${deployment}`;
    await this.#ask(`${this.#addresses.admin}/invocations/${invocation}/resume${where}`, "PATCH");
  }

  async #ask<Answer>(url: string, method: string, body?: unknown): Promise<Answer> {
    const response = await fetch(url, {
      method,
      // Compressing answers costs both sides more time than sending them uncompressed.
      headers: {
        accept: "application/json",
        "accept-encoding": "identity",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const said = await response.text();
    if (!response.ok) throw new RestateError(response.status, `${response.status} ${said.slice(0, 500)}`);
    return (said === "" ? undefined : JSON.parse(said)) as Answer;
  }
}

/** Quotes a text for SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** What to check when the server fails. */
export function adviceFor(error: unknown): string {
  if (error instanceof RestateError && error.status === 404) {
    return "no worker has registered with it yet. Start a worker.";
  }
  if (propertyOf(error, "name") === "TimeoutError") {
    return "a call was not answered in time. Check that a worker is up and that the server reaches it (RESTATE_WORKER_URL).";
  }
  return "check that the Restate server is up, and that DATABASE_URL and RESTATE_ADMIN_URL lead to it.";
}
