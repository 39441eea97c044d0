import { propertyOf } from "../../json.ts";

/**
 * How long to wait for an answer from the server. Calls are answered by a worker, which may still
 * be starting. Milliseconds.
 */
export const PATIENCE_MS = 10_000;

/** The address of a Restate server, and how to authenticate. */
export interface RestateAddresses {
  /** The URL for calls, such as `http://restate:8080`. */
  readonly ingress: string;
  /** The URL of the admin API, such as `http://restate:9070`. */
  readonly admin: string;
  /** Bearer token for both; a secret. */
  readonly token?: string;
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
  #hasScopes: boolean | undefined;

  constructor(addresses: RestateAddresses) {
    this.#addresses = addresses;
  }

  /**
   * Whether it stores state in scopes (since version 1.7). Queries by key must then name the scope.
   */
  async hasScopes(): Promise<boolean> {
    if (this.#hasScopes === undefined) {
      const { version } = await this.#ask<{ version: string }>(`${this.#addresses.admin}/version`, "GET");
      const [major = 0, minor = 0] = version.split(".").map(Number);
      this.#hasScopes = major > 1 || (major === 1 && minor >= 7);
    }
    return this.#hasScopes;
  }

  /**
   * Resolves when queries see everything that was stored about this object before this method was
   * called. After a crash, the server answers queries before it has caught up with its log, but it
   * answers questions about an invocation only afterwards. So this asks about an invocation that
   * was never made. It needs no worker.
   */
  async caughtUp(object: string, key: string): Promise<void> {
    const call = `${this.#addresses.ingress}/restate/invocation/${object}/${encodeURIComponent(key)}/accept/none/output`;
    try {
      await this.#ask(call, "GET");
    } catch (error) {
      if (!(error instanceof RestateError && error.status === 404)) throw error;
    }
  }

  /** Calls a handler of a virtual object and returns what it returns. */
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

  /** Pauses an invocation that failed and would be retried. */
  async pause(invocation: string): Promise<void> {
    await this.#ask(`${this.#addresses.admin}/invocations/${invocation}/pause`, "PATCH");
  }

  /**
   * Resumes an invocation that is paused or suspended.
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
        ...(this.#addresses.token !== undefined && { authorization: `Bearer ${this.#addresses.token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new RestateError(response.status, `${response.status} ${text.slice(0, 500)}`);
    return (text === "" ? undefined : JSON.parse(text)) as Answer;
  }
}

/** Quotes a text for SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** What to check when the server fails. */
export function adviceFor(error: unknown): string {
  if (error instanceof RestateError && error.status === 404) {
    return "no worker has registered with it yet. Start a worker.";
  }
  if (error instanceof RestateError && (error.status === 401 || error.status === 403)) {
    return "the Restate server refused us. Set RESTATE_TOKEN to a token that it accepts.";
  }
  if (propertyOf(error, "name") === "TimeoutError") {
    return (
      "a call was not answered in time. Check whether a worker is up, and whether the server reaches it (RESTATE_WORKER_URL). " +
      "A run that was submitted may still start as soon as a worker is up."
    );
  }
  return "check that the Restate server is up, and that DATABASE_URL and RESTATE_ADMIN_URL lead to it.";
}
