import { invalidConfiguration } from "../../../errors.ts";
import { withoutAbsent } from "../../../json.ts";
import { bareHost, isLoopback } from "../../../loopback.ts";

/** How to reach a mail server. */
export interface SmtpServer {
  host: string;
  port: number;
  /** TLS from the first byte; otherwise STARTTLS if the server offers it. */
  secure: boolean;
  /** Never send anything without TLS. */
  requireTls: boolean;
  credentials?: { user: string; password: string };
  /**
   * Milliseconds for connecting, for the greeting, and of silence after that; default: 30 s, 30 s,
   * 10 min.
   */
  timeoutMs?: number;
  /** Connections at a time; default 5. If the server allows fewer, fewer are used automatically. */
  connections?: number;
}

const PARAMETERS = ["requireTLS", "timeout", "connections"];
const MAX_CONNECTIONS = 100;

/**
 * Reads `smtp://user:password@host:587?requireTLS=true&timeout=20000&connections=2` (port 587 by
 * default) or `smtps://…` (465). With a password, TLS is required unless the server is this
 * machine; `requireTLS` takes precedence over that.
 * @throws ValidationError (`invalid_configuration`), which never quotes the URL, because it may
 *   contain a password
 */
export function parseSmtpUrl(text: string): SmtpServer {
  const url = parseUrl(text);
  const secure = url.protocol === "smtps:";
  const host = bareHost(url.hostname);
  if (host === "")
    throw invalidConfiguration("The mail server's URL has no host. Write smtp://host:port or smtps://host:port.");
  for (const name of url.searchParams.keys()) {
    if (!PARAMETERS.includes(name)) {
      throw invalidConfiguration(
        `The mail server's URL has an unknown parameter. Known are ${new Intl.ListFormat("en").format(PARAMETERS)}.`,
      );
    }
  }
  const credentials = readCredentials(url);
  const timeoutMs = readTimeout(url.searchParams.get("timeout"));
  const connections = readConnections(url.searchParams.get("connections"));
  return {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTls: readBoolean(url.searchParams.get("requireTLS")) ?? (credentials !== undefined && !isLoopback(host)),
    ...withoutAbsent({ credentials, timeoutMs, connections }),
  };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) {
    throw invalidConfiguration(
      "The mail server's URL can't be read. Write smtp://user:password@host:port, with special characters of user and password percent-encoded.",
    );
  }
  return url;
}

function readCredentials(url: URL): SmtpServer["credentials"] {
  if (url.username === "" && url.password === "") return undefined;
  if (url.username === "" || url.password === "") {
    throw invalidConfiguration("The mail server's URL must have both user and password, or neither.");
  }
  try {
    return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    throw invalidConfiguration(
      "User or password in the mail server's URL is not correctly percent-encoded: write % as %25.",
    );
  }
}

function readTimeout(value: string | null): number | undefined {
  if (value === null) return undefined;
  const timeout = Number(value);
  if (Number.isInteger(timeout) && timeout >= 1 && timeout <= 2 ** 31 - 1) return timeout;
  throw invalidConfiguration(
    "The parameter timeout of the mail server's URL must be a whole number of milliseconds, such as 20000.",
  );
}

function readConnections(value: string | null): number | undefined {
  if (value === null) return undefined;
  const connections = Number(value);
  if (/^\d+$/.test(value) && connections >= 1 && connections <= MAX_CONNECTIONS) return connections;
  throw invalidConfiguration(
    `The parameter connections of the mail server's URL must be a whole number from 1 to ${MAX_CONNECTIONS}, such as 2.`,
  );
}

function readBoolean(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  if (value === "true") return true;
  if (value === "false") return false;
  throw invalidConfiguration("The parameter requireTLS of the mail server's URL must be true or false.");
}
