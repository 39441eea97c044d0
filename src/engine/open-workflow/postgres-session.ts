import type { Sql } from "postgres";

/**
 * What our reading of values rests on, whatever the database, the role or the URL says. PgBouncer passes these on, and no others
 * unless it is told to.
 */
const VALUES = { client_encoding: "UTF8", DateStyle: "ISO, YMD", TimeZone: "UTC", standard_conforming_strings: "on" };

/** What our statements rest on, unless the URL says otherwise. Sessions without work are kept: they listen. */
const STATEMENTS = {
  IntervalStyle: "postgres",
  search_path: "pg_catalog", // all else is named with its schema
  default_transaction_isolation: "read committed",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  idle_session_timeout: "0",
};

const queryOf = (url: string): URLSearchParams => new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? "");

/** Parameters that a URL gives beyond ours, as it spells them. */
export const parametersOf = (url: string): string[] => [...new Set(queryOf(url).keys())];

/** A database URL with parameters more; where a name comes twice, its last value counts. */
export function withParameters(url: string, parameters: Readonly<Record<string, string>>): string {
  return `${url}${url.includes("?") ? "&" : "?"}${new URLSearchParams(parameters).toString()}`;
}

/** The URL with the settings of our sessions; with those alone that poolers take where `pooled`. */
export function withSession(url: string, pooled: boolean): string {
  const given = new Set(parametersOf(url).map((name) => name.toLowerCase()));
  const statements = Object.entries(STATEMENTS).filter(([name]) => !pooled && !given.has(name.toLowerCase()));
  return withParameters(url, { ...Object.fromEntries(statements), ...VALUES });
}

/** What a session finds in its database. */
export interface SessionFacts {
  /** The server process at work for the session. */
  readonly pid: number;
  readonly readOnly: boolean;
  readonly encoding: string;
  readonly synchronousCommit: string;
}

export async function readFacts(sql: Sql): Promise<SessionFacts> {
  const [facts] = await sql.unsafe<SessionFacts[]>(`
    SELECT pg_backend_pid() AS pid, current_setting('transaction_read_only') = 'on' AS read_only,
      current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS synchronous_commit`);
  return facts!;
}

/**
 * Whether sessions get another server process from one transaction to the next: so that they can neither listen nor hold a lock.
 * Two that are open at once then share a process, or one has two.
 * @param second another session, for this alone
 */
export async function sharesProcesses(sql: Sql, second: Sql): Promise<boolean> {
  const pids = async (session: Sql): Promise<number> => (await readFacts(session)).pid;
  const first = await pids(sql);
  // Where there is no connection for it, that is no reason not to open.
  const other = await pids(second).catch(() => undefined);
  return other === first || (await pids(sql)) !== first;
}
