import type { DatabaseSync } from "node:sqlite";
import { makePrivateFile } from "./private-files.ts";

/**
 * Opens a SQLite file for data that must survive a power cut: with a write-ahead log, every commit
 * flushed (`synchronous = FULL`), and a busy timeout of five seconds for another process's write
 * lock. A missing file is created with its folders, readable by its owner only, like the files that
 * SQLite puts beside it. `":memory:"` keeps nothing.
 *
 * `node:sqlite` is loaded when a file is opened, not by an import. So if Node.js is too old to have
 * it, our check of the version is the first to say so.
 */
export function openSqlite(path: string): DatabaseSync {
  if (path !== ":memory:") makePrivateFile(path);
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Opens an existing SQLite file for reading. */
export function openSqliteToRead(path: string): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(path, { readOnly: true });
  database.exec("PRAGMA busy_timeout = 5000");
  return database;
}

/** By SQLite's primary result codes (https://www.sqlite.org/rescode.html). */
const FAULTS: ReadonlyMap<number, SqliteFault> = new Map([
  [5, "busy"],
  [8, "read_only"],
  [11, "damaged"],
  [13, "full"],
  [14, "not_opened"],
  [18, "too_large"],
  [26, "damaged"],
]);

type SqliteFault = "busy" | "damaged" | "full" | "not_opened" | "read_only" | "too_large";

/**
 * The meaning of a SQLite error, or of an error caused by one; undefined for any other error, and
 * for a code that is not listed.
 */
export function sqliteFault(error: unknown): SqliteFault | undefined {
  if (!(error instanceof Error)) return undefined;
  const { errcode } = error as { errcode?: number };
  return errcode === undefined ? sqliteFault(error.cause) : FAULTS.get(errcode & 0xff);
}

/** Names of the tables in a file. */
export const tablesOf = (database: DatabaseSync): string[] =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => String(name));
