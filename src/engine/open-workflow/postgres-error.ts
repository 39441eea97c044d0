import { IoError, ValidationError } from "../../errors.ts";
import { parametersOf } from "./postgres-session.ts";

export const READ_ONLY =
  "The PostgreSQL database takes no changes: it is a standby, or set to read-only (default_transaction_read_only). Name the " +
  "primary in the database URL, or let the database be written.";

export const TRANSACTION_POOLING =
  "The database URL leads to a connection pooler in transaction mode (such as PgBouncer with pool_mode = transaction), which " +
  "keeps neither locks nor LISTEN from one transaction to the next. Use a pool in session mode, or the address of the PostgreSQL server itself.";

/** What to do, by SQLSTATE or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const REMEDIES: readonly (readonly [sqlState: RegExp, message: string])[] = [
  [/^3D000$/, "The PostgreSQL server has no such database: create it, or correct the name at the end of the URL."],
  [
    /^28/,
    "The PostgreSQL server refuses the login: check user and password in the URL, whether it demands TLS (sslmode=require in the URL), " +
      "and the server's pg_hba.conf.",
  ],
  [
    /^42501$/,
    "The PostgreSQL user lacks rights on the workflow database. To make or upgrade the tables: CREATE on the database, or to own " +
      "the schema openworkflow and what is in it. To work with them: CONNECT on the database, USAGE on the schema openworkflow, SELECT, INSERT, UPDATE " +
      "and DELETE on its tables, EXECUTE on its functions.",
  ],
  [
    /^55P03$/,
    "The tables of the workflow database can't be made or upgraded, because somebody else holds a lock on them: end the open " +
      "transaction (see pg_stat_activity) or wait for the other upgrade, and try again.",
  ],
  [
    /^53300$/,
    "The PostgreSQL server has no connection left: raise its max_connections or the user's CONNECTION LIMIT, or end processes that use it.",
  ],
  [/^53100$/, "The disk of the PostgreSQL server is full: make room there."],
  [/^57P0/, "The PostgreSQL server is starting or stopping: try again when it is up."],
  [/^25006$/, READ_ONLY],
];

/** Codes of Node.js and of postgres.js for connections that did not come about, with what to do. */
const NETWORK_REMEDIES: readonly (readonly [code: RegExp, message: string])[] = [
  [
    /^(?:ENOTFOUND|EAI_AGAIN)$/,
    "The workflow database cannot be reached: there is no such host, or names can't be looked up. Correct the host in the database URL.",
  ],
  [
    /^ECONNREFUSED$/,
    "The workflow database cannot be reached: nothing listens there. Start the PostgreSQL server, or correct host and port in the database URL.",
  ],
  [
    /^(?:ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_|EPROTO)/,
    "The PostgreSQL server's certificate or TLS is not accepted: check sslmode in the database URL (require, verify-full), the host's " +
      "name in the certificate, and its issuer (NODE_EXTRA_CA_CERTS).",
  ],
  [
    /^(?:ECONNRESET|EPIPE|CONNECTION_(?:CLOSED|DESTROYED|ENDED))$/,
    "The workflow database closed the connection before it was open: check that host and port are those of a PostgreSQL server, whether " +
      "it offers TLS (sslmode in the database URL), and that it is of the kind that target_session_attrs asks for.",
  ],
];

const UNREACHABLE =
  "The workflow database cannot be reached: is the PostgreSQL server running, are host and port right, and does a firewall let us through?";

export const noAnswer = (seconds: number): string =>
  `The workflow database cannot be reached: no PostgreSQL server has answered within ${seconds} s. Check that host and port in the ` +
  "database URL are those of a PostgreSQL server, and, where a pooler stands before it, that it reaches the server and has a connection free.";

const unavailable = (message: string, cause: unknown): IoError =>
  new IoError(message, { code: "engine_unavailable", cause });

/** Why a database can't be opened, for people; all that the driver says is in the cause. */
export function openingError(cause: unknown, url: string): IoError {
  const state = sqlState(cause);
  if (state === undefined) return unavailable(remedy(NETWORK_REMEDIES, networkCode(cause)) ?? UNREACHABLE, cause);
  return unavailable(remedy(REMEDIES, state) ?? refusal(state, cause, url), cause);
}

/** In the words of the server, or of a pooler before it: there is nothing that we could say better. */
function refusal(state: string, cause: unknown, url: string): string {
  const words = `${wordsOf(cause)} (SQLSTATE ${state})`;
  // Undefined object, invalid value, and by a pooler: whatever it does not know.
  const parameters = /^(?:42704|22023|08P01)$/.test(state) ? parametersOf(url) : [];
  const advice =
    parameters.length === 0
      ? "Correct that, in the database URL or on the server."
      : `The parameters in the database URL are handed to it as settings (${parameters.join(", ")}): remove what it does not know.`;
  const who = state.startsWith("08") ? "The connection pooler before the PostgreSQL server" : "The PostgreSQL server";
  return `${who} does not let us open the workflow database: ${words}. ${advice}`;
}

/** On one line, and not long. */
function wordsOf(error: unknown): string {
  const message = serverError(error)?.message ?? "";
  return message
    .replaceAll(/\s+/g, " ")
    .slice(0, 200)
    .replace(/[.\s]+$/, "");
}

const remedy = (remedies: readonly (readonly [RegExp, string])[], code: string): string | undefined =>
  remedies.find(([pattern]) => pattern.test(code))?.[1];

/** What to look at when a database that was open fails. */
export function troubleOf(error: unknown): string {
  const { errcode } = deepest(error) as { errcode?: number };
  const sqlite = errcode === undefined ? undefined : errcode & 0xff;
  const state = sqlState(error) ?? "";
  if (state === "53100" || sqlite === 13) return "its disk is full. Make room there.";
  if (state === "25006" || sqlite === 8)
    return "it takes no changes, as a standby or a read-only disk. Let it be written.";
  if (state === "42501") return "our user lacks rights on it. Grant them.";
  if (state === "53300")
    return "its server has no connection left. Raise max_connections, or end processes that use it.";
  if (sqlite !== undefined) return "its file can't be read or written. Look at its disk and at who else uses it.";
  return "look whether its server is up, and whatever stands between (network, pooler).";
}

function deepest(error: unknown): object {
  if (!(error instanceof Error)) return {};
  return error.cause instanceof Error ? deepest(error.cause) : error;
}

/** For a URL that the driver does not take. What it says of that may hold the password, and so does not become the cause. */
export const invalidUrl = (error?: unknown): ValidationError =>
  new ValidationError(
    error instanceof Error && error.message.startsWith("target_session_attrs")
      ? "The database URL (DATABASE_URL) has a target_session_attrs that is not supported. Leave it out for any server, or give " +
          "read-write, read-only, primary, standby or prefer-standby."
      : "The database URL (DATABASE_URL) must look like postgres://user:password@host:5432/database, with special characters of user and " +
          "password percent-encoded (% as %25, @ as %40, / as %2F, # as %23, : as %3A).",
    { code: "invalid_configuration" },
  );

/** A pooler says so of settings that it does not pass on. */
export const isProtocolViolation = (error: unknown): boolean => sqlState(error) === "08P01";

/** Whether what was to be written can't be, however often that is tried: it is no data for this database (class 22), or too much (54). */
export const isUnwritable = (error: unknown): boolean => /^(?:22|54)/.test(sqlState(error) ?? "");

const sqlState = (error: unknown): string | undefined => serverError(error)?.code;

/** OpenWorkflow wraps the driver's errors. Those of the network have codes too, but no severity; PgBouncer's have it in one form only. */
function serverError(error: unknown): { code: string; message: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  if (("severity" in error || "severity_local" in error) && "code" in error)
    return { code: String(error.code), message: error.message };
  return serverError(error.cause);
}

function networkCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []; // of several addresses of a host
  if ("code" in error && typeof error.code === "string") return error.code;
  return networkCode(first ?? error.cause);
}
