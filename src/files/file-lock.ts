import type { DatabaseSync } from "node:sqlite";
import { IoError } from "../errors.ts";
import { makePrivateFile } from "./private-files.ts";
import { sqliteFault } from "./sqlite.ts";

export interface FileLock {
  release(): void;
}

/**
 * Reserves a file for this process. `":memory:"` needs no lock.
 *
 * The lock is an open write transaction in a second SQLite file beside it (`<path>.lock`). Nobody
 * else can begin one meanwhile, but everybody can read the id of the process that holds the lock.
 * The operating system releases the lock when the process ends, however it ends.
 * @throws IoError (`in_use`) if another process, or this one, already has the file open, or the
 *   lock file can't be used
 */
export function lockFile(path: string): FileLock {
  if (path === ":memory:") return { release: () => {} };
  const database = openLock(path);
  try {
    database.exec("PRAGMA busy_timeout = 0");
    // Other processes can read our id only after a commit, which also releases the lock. So take
    // the lock again, and check that the id is still ours.
    while (!tryToHold(database, path)) continue;
  } catch (error) {
    database.close();
    throw error;
  }
  return { release: () => database.close() };
}

function openLock(path: string): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  try {
    makePrivateFile(`${path}.lock`);
    return new DatabaseSync(`${path}.lock`);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** True if we now hold the lock; false if we only got as far as committing our id. */
function tryToHold(database: DatabaseSync, path: string): boolean {
  try {
    database.exec("BEGIN IMMEDIATE");
  } catch (cause) {
    if (sqliteFault(cause) !== "busy") throw unusable(path, cause);
    throw new IoError(heldBy(holder(database), path), { code: "in_use", cause });
  }
  try {
    database.exec("CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL)");
    if (holder(database) === process.pid) return true;
    database.exec("DELETE FROM holder");
    database.prepare("INSERT INTO holder (pid) VALUES (?)").run(process.pid);
    database.exec("COMMIT");
    return false;
  } catch (cause) {
    // Another process is just reading which process holds the lock.
    if (sqliteFault(cause) === "busy") throw new IoError(heldBy(undefined, path), { code: "in_use", cause });
    throw unusable(path, cause);
  }
}

function holder(database: DatabaseSync): number | undefined {
  try {
    const row = database.prepare("SELECT pid FROM holder").get();
    return row ? Number(row["pid"]) : undefined;
  } catch {
    return undefined;
  }
}

const unusable = (path: string, cause: unknown): IoError =>
  new IoError(
    `The lock file ${path}.lock can't be used. Check that its folder can be written to; remove the lock file if no process uses it.`,
    { code: "in_use", cause },
  );

function heldBy(pid: number | undefined, path: string): string {
  if (pid === process.pid) return `${path} is already open in this process. Use the open one, or close it first.`;
  const who = pid === undefined ? "another process" : `another process (pid ${pid})`;
  return `${path} is in use by ${who}. If that is a service (abi-workflows serve), use it with --url; otherwise stop it, wait until it has ended, or use another data directory.`;
}
