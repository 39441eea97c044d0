import type { DatabaseSync } from "node:sqlite";
import { makePrivateFile } from "./private-files.ts";

/**
 * Opens a SQLite file for data that must survive a power cut: write-ahead log, every commit flushed (`synchronous = FULL`),
 * and five seconds of patience with another process's write lock. What is missing is made for its
 * owner alone: the file, the files beside it and folders. `":memory:"` keeps nothing.
 *
 * Loaded at the call, not at the import: where `node:sqlite` is missing, the version check speaks first.
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

/** Opens a SQLite file that exists, to read it. */
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

/** What SQLite means by an error, or by what caused it; undefined for all else. */
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
