import { IoError, ValidationError } from "../../errors.ts";

export const READ_ONLY =
  "The PostgreSQL database is read-only: it is a standby, or default_transaction_read_only is set. Name the " +
  "primary in the database URL, or make the database writable.";

export const TRANSACTION_POOLING =
  "The database URL leads to a connection pooler in transaction mode (such as PgBouncer with pool_mode = transaction), which " +
  "keeps neither locks nor LISTEN from one transaction to the next. Use a pool in session mode, or the address of the PostgreSQL server itself.";

const OTHER_TARGET =
  "The PostgreSQL server does not match target_session_attrs in the database URL. Name another server, or remove the parameter.";

/**
 * What to do, by SQLSTATE or its class
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const REMEDIES: readonly (readonly [sqlState: RegExp, message: string])[] = [
  [/^3D000$/, "The PostgreSQL server has no such database: create it, or correct the name at the end of the URL."],
  [
    /^28/,
    "The PostgreSQL server refuses the login: check user and password in the URL, whether it demands TLS (sslmode=require in the URL), " +
      "and the server's pg_hba.conf.",
  ],
  [
    /^42501$/,
    "The PostgreSQL user lacks rights on the workflow database. To create or upgrade the tables, it needs CREATE on the database, or " +
      "must own the schema abi_workflows and what is in it. To work with them, it needs CONNECT on the database, USAGE on the schema abi_workflows, " +
      "SELECT, INSERT, UPDATE and DELETE on its tables, and EXECUTE on its functions.",
  ],
  [
    /^55P03$/,
    "The tables of the workflow database can't be created or upgraded, because someone else holds a lock on them: end the open " +
      "transaction (see pg_stat_activity) or wait for the other upgrade, and try again.",
  ],
  [
    /^53300$/,
    "The PostgreSQL server has no connection left: raise its max_connections or the user's CONNECTION LIMIT, or end processes that use it.",
  ],
  [/^53100$/, "The disk of the PostgreSQL server is full: free some space."],
  [/^57P0/, "The PostgreSQL server is starting or stopping: try again when it is up."],
  [/^25006$/, READ_ONLY],
];

/** For failed connections, by the code of Node.js or the words of the driver. */
const NETWORK_REMEDIES: readonly (readonly [codeOrWords: RegExp, message: string])[] = [
  [
    /^(?:ENOTFOUND|EAI_AGAIN)$/,
    "The workflow database cannot be reached: there is no such host, or names can't be looked up. Correct the host in the database URL.",
  ],
  [
    /^ECONNREFUSED$/,
    "The workflow database cannot be reached: nothing listens there. Start the PostgreSQL server, or correct host and port in the database URL.",
  ],
  [
    /^(?:ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_|EPROTO)|\bSSL\b/,
    "The PostgreSQL server's certificate or TLS is not accepted: check sslmode in the database URL (require, verify-full), the host's " +
      "name in the certificate, and its issuer (NODE_EXTRA_CA_CERTS).",
  ],
  [
    /^(?:ECONNRESET|EPIPE)$|^Connection terminated/,
    "The workflow database closed the connection before it was open: check that host and port are those of a PostgreSQL server, and " +
      "whether it offers TLS (sslmode in the database URL).",
  ],
];

const UNREACHABLE =
  "The workflow database cannot be reached: is the PostgreSQL server running, are host and port right, and does a firewall let us through?";

const noAnswer = (seconds: number): string =>
  `The workflow database cannot be reached: no PostgreSQL server has answered within ${seconds} s. Check that host and port in the ` +
  "database URL are those of a PostgreSQL server, and, if there is a pooler in between, that it reaches the server and has a free connection.";

/** Why a database can't be opened, with advice. The cause has the driver's message. */
export function openingError(cause: unknown, given: readonly string[], patienceS: number): IoError {
  const state = sqlState(cause);
  const message =
    state === undefined ? networkRemedy(cause, patienceS) : (remedy(REMEDIES, state) ?? refusal(state, cause, given));
  return new IoError(message, { code: "engine_unavailable", cause });
}

const networkRemedy = (cause: unknown, patienceS: number): string =>
  isTimeout(cause) ? noAnswer(patienceS) : (remedy(NETWORK_REMEDIES, networkFault(cause)) ?? UNREACHABLE);

/** Quotes the server, or the pooler in front of it, if we have no better advice. */
function refusal(state: string, cause: unknown, given: readonly string[]): string {
  const words = `${wordsOf(cause)} (SQLSTATE ${state})`;
  // An undefined object, an invalid value, or a parameter that a pooler doesn't know.
  const parameters = /^(?:42704|22023|08P01)$/.test(state) ? given : [];
  const advice =
    parameters.length === 0
      ? "Correct that, in the database URL or on the server."
      : `The parameters in the database URL are passed on as settings (${parameters.join(", ")}): remove those that it does not know.`;
  const who = state.startsWith("08")
    ? "The connection pooler in front of the PostgreSQL server"
    : "The PostgreSQL server";
  return `${who} does not let us open the workflow database: ${words}. ${advice}`;
}

/** On one line, and shortened. */
function wordsOf(error: unknown): string {
  const message = serverError(error)?.message ?? "";
  return message
    .replaceAll(/\s+/g, " ")
    .slice(0, 200)
    .replace(/[.\s]+$/, "");
}

const remedy = (remedies: readonly (readonly [RegExp, string])[], code: string): string | undefined =>
  remedies.find(([pattern]) => pattern.test(code))?.[1];

/** What to check when an open database fails. */
export function adviceFor(error: unknown): string {
  const state = sqlState(error);
  if (state === "53100") return "its disk is full. Free some space.";
  if (state === "25006") return "it is read-only, as a standby or on a read-only disk. Make it writable.";
  if (state === "42501") return "our user lacks rights on it. Grant them.";
  if (state === "53300")
    return "its server has no connection left. Raise max_connections, or end processes that use it.";
  return "check that its server is up, and that nothing in between (network, pooler) has failed.";
}

/** For a URL that can't be parsed. It quotes nothing, because the URL may hold a password. */
export const invalidUrl = (): ValidationError =>
  new ValidationError(
    "The database URL (DATABASE_URL) must look like postgres://user:password@host:5432/database, with special characters of user and " +
      "password percent-encoded (% as %25, @ as %40, / as %2F, # as %23, : as %3A).",
    { code: "invalid_configuration" },
  );

export const unsupportedTarget = (): ValidationError =>
  new ValidationError(
    "The database URL (DATABASE_URL) has a target_session_attrs that is not supported. Leave it out for any server, or give " +
      "read-write, read-only, primary, standby or prefer-standby.",
    { code: "invalid_configuration" },
  );

export const unsupportedSslMode = (): ValidationError =>
  new ValidationError(
    "The database URL (DATABASE_URL) has an unknown sslmode. Use disable, prefer, require, verify-full or no-verify.",
    { code: "invalid_configuration" },
  );

export const otherTarget = (): IoError => new IoError(OTHER_TARGET, { code: "engine_unavailable" });

/** This is how a pooler rejects start options. */
export const isProtocolViolation = (error: unknown): boolean => sqlState(error) === "08P01";

/** Whether the server offers no TLS. */
export const lacksTls = (error: unknown): boolean =>
  error instanceof Error && error.message.includes("does not support SSL");

/**
 * Whether a write can never succeed: the data doesn't fit this database (class 22) or is too large
 * for it (54), or the statement would be longer than a JavaScript string can be (RangeError).
 */
export const isUnwritable = (error: unknown): boolean =>
  error instanceof RangeError || /^(?:22|54)/.test(sqlState(error) ?? "");

export const sqlState = (error: unknown): string | undefined => serverError(error)?.code;

/**
 * The server's error among an error and its causes. Network errors have a code too, but no
 * severity.
 */
function serverError(error: unknown): { code: string; message: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("severity" in error && "code" in error && typeof error.code === "string")
    return { code: error.code, message: error.message };
  return serverError(error.cause);
}

/**
 * Whether a statement or a new connection got no answer, by the driver's messages. A pool without a
 * free connection is another error.
 */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof Error && /Query read timeout|due to connection timeout/.test(error.message);

/** Whether it is one of the driver's own time-outs, which have no code. */
const isTimeout = (error: unknown): boolean =>
  error instanceof Error && !("code" in error) && /timeout/.test(error.message);

/** The code of Node.js, or the driver's message if it gives no code, as for a lost connection. */
function networkFault(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []; // of several addresses of a host
  const next = first ?? error.cause;
  return next === undefined ? error.message : networkFault(next);
}
