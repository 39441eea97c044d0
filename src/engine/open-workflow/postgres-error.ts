import { IoError } from "../../errors.ts";

/** What to do, by SQLSTATE or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const REMEDIES: readonly (readonly [sqlState: RegExp, message: string])[] = [
  [/^3D000$/, "The PostgreSQL server has no such database: create it, or correct the name at the end of the URL."],
  [/^28/, "The PostgreSQL server refuses the login: check user and password in the URL, and the server's pg_hba.conf."],
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
  [/^53300$/, "The PostgreSQL server has no connection left: raise its max_connections, or end processes that use it."],
  [/^57P0/, "The PostgreSQL server is starting or stopping: try again when it is up."],
  [
    /^(?!08)[\dA-Z]{5}$/,
    "The PostgreSQL server answers with an error when the workflow database is opened; the log has it.",
  ],
];

const UNREACHABLE =
  "The workflow database cannot be reached: is the PostgreSQL server running, and are host and port right?";

/** Why a database can't be opened, for people; what the driver says is in the cause. */
export function openingError(cause: unknown): IoError {
  const state = sqlState(cause);
  const remedy = state === undefined ? undefined : REMEDIES.find(([pattern]) => pattern.test(state));
  return new IoError(remedy?.[1] ?? UNREACHABLE, { code: "engine_unavailable", cause });
}

/** Whether what was to be written can't be, however often that is tried: it is no data for this database (class 22), or too much (54). */
export const isUnwritable = (error: unknown): boolean => /^(?:22|54)/.test(sqlState(error) ?? "");

/** OpenWorkflow wraps the driver's errors. Those of the network have codes too, but no severity. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("severity" in error && "code" in error) return String(error.code);
  return sqlState(error.cause);
}
