import { ValidationError } from "../../errors.ts";
import { bareHost, isLoopback } from "../../loopback.ts";

/** How a Restate server and its workers reach each other, besides the URL of its ingress. */
export interface RestateOptions {
  /** The server's admin API. Default: port 9070 on the host of the ingress. */
  adminUrl?: string;
  /**
   * The URL at which the server reaches the workers: this process, or a load balancer in front of
   * all of them. Default: the address on which this process listens.
   */
  workerUrl?: string;
  /**
   * Address that a worker listens on, as `host:port`; port 0 means any free port. Default
   * `127.0.0.1:9080`.
   */
  listen?: string;
  /**
   * Bearer token for the ingress and the admin API, for Restate Cloud or a proxy in front of them;
   * a secret.
   */
  token?: string;
  /** The server's public key (`publickeyv1_…`): requests that it has not signed are refused. */
  identityKey?: string;
}

const DEFAULT_NAMESPACE = "abi-workflows";
const DEFAULT_ADMIN_PORT = "9070";
const DEFAULT_LISTEN = "127.0.0.1:9080";

/** @throws ValidationError (`invalid_configuration`) */
export function addressesOf(
  url: string,
  { adminUrl, workerUrl }: RestateOptions,
): { ingress: string; admin: string; namespace: string } {
  if (adminUrl !== undefined) assertPlain(adminUrl, "The URL of the admin API (RESTATE_ADMIN_URL)");
  if (workerUrl !== undefined) assertPlain(workerUrl, "The URL of the workers (RESTATE_WORKER_URL)");
  const parsed = URL.parse(url.replace(/^restate\+/i, ""));
  const namespace = parsed?.pathname.replace(/^\/|\/$/g, "") || DEFAULT_NAMESPACE;
  if (!parsed || !isPlain(parsed) || !/^[A-Za-z][\w-]{0,60}$/.test(namespace)) {
    throw new ValidationError(
      "The URL of the Restate server must look like restate+http://host:8080 or restate+http://host:8080/name. The name keeps the runs of " +
        "several applications apart; it has letters, digits, - and _. A token goes into RESTATE_TOKEN, not into the URL.",
      { code: "invalid_configuration" },
    );
  }
  const ingress = parsed.origin;
  if (adminUrl !== undefined) return { ingress, admin: adminUrl.replace(/\/+$/, ""), namespace };
  parsed.port = DEFAULT_ADMIN_PORT;
  return { ingress, admin: parsed.origin, namespace };
}

const isPlain = ({ protocol, username, password }: URL): boolean =>
  /^https?:$/.test(protocol) && username === "" && password === "";

/** The message doesn't contain the URL, because there may be a password in it. */
function assertPlain(url: string, what: string): void {
  const parsed = URL.parse(url);
  if (parsed && isPlain(parsed)) return;
  const message = `${what} must look like http://host:port, without a user or password. A token goes into RESTATE_TOKEN.`;
  throw new ValidationError(message, { code: "invalid_configuration" });
}

/** @throws ValidationError (`invalid_configuration`) */
export function listenAddress({ listen = DEFAULT_LISTEN, identityKey }: RestateOptions): {
  host: string;
  port: number;
} {
  const { hostname = "", port = "" } = URL.parse(`tcp://${listen}`) ?? {};
  const host = bareHost(hostname);
  if (host === "" || port === "") {
    throw new ValidationError(
      "The address for the Restate server to call (RESTATE_LISTEN) must be host:port, such as 0.0.0.0:9080.",
      {
        code: "invalid_configuration",
      },
    );
  }
  if (!isLoopback(host) && identityKey === undefined) {
    throw new ValidationError(
      `Anyone who can reach ${listen} (RESTATE_LISTEN) could execute workflows there: set RESTATE_IDENTITY_KEY to the public key of the Restate ` +
        "server, which it logs when it is started with a request identity key.",
      { code: "invalid_configuration" },
    );
  }
  return { host, port: Number(port) };
}
