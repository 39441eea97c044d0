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
