import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { ValidationError } from "./errors.ts";

export interface FileLock {
  release(): void;
}

const CODE = "in_use";

function holder(database: DatabaseSync): string {
  const row = database.prepare("SELECT pid FROM holder").get();
  return row ? `process ${String(row["pid"])}` : "another process";
}

/**
 * Claims a data file for this process, and for one owner within it. The lock is the write lock of the SQLite file
 * `<path>.lock`: the operating system frees it with the process, so that `kill -9` leaves none behind.
 * @throws ValidationError (`in_use`) that names the holder's process id
 */
export function lockFile(path: string): FileLock {
  if (path === ":memory:") return { release: () => {} };
  mkdirSync(dirname(path), { recursive: true });
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(`${path}.lock`);
  try {
    database.exec("BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS holder (pid INTEGER); DELETE FROM holder");
    database.prepare("INSERT INTO holder VALUES (?)").run(process.pid);
    // Committed, so that others can read who it is; begun again, so that they cannot write.
    database.exec("COMMIT; BEGIN IMMEDIATE");
  } catch (error) {
    let by = "another process";
    try {
      by = holder(database);
    } catch {
      // The holder is just writing its name.
    }
    database.close();
    throw new ValidationError(`${path} is in use by ${by}. Wait until it has ended, stop it, or use another folder.`, {
      code: CODE,
      cause: error,
    });
  }
  return { release: () => database.close() };
}
