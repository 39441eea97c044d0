import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { copyFile, cp } from "node:fs/promises";
import { basename, join } from "node:path";
import type * as sqlite from "node:sqlite";
import { IoError, ValidationError } from "../../src/errors.ts";
import { makeContentsPrivate, makePrivateFile, PRIVATE_FILE } from "../../src/files/private-files.ts";
import { openSqlite } from "../../src/files/sqlite.ts";
import { resolvedPath } from "../terminal/host.ts";

/** The parts of a backup: SQLite files, other files, and folders of files that never change. */
export interface BackupSources {
  readonly databases: readonly string[];
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/**
 * Copies everything into a new or empty folder, even while other processes are working with the
 * originals. Each database is copied as of one moment, so runs and graph, which are in the same
 * database, agree. Folders come last, so they contain at least what the runs refer to. Only its
 * owner can read the new folder and what is in it.
 * @returns the names of what was copied
 * @throws ValidationError if the target is a file or not empty, or Node.js is too old; IoError if
 *   something can't be read or written
 */
export async function backUp({ databases, files, folders }: BackupSources, target: string): Promise<string[]> {
  const backup = sqliteBackup();
  const targetPath = resolvedPath(target);
  prepare(target, targetPath);
  try {
    const snapshots = openSnapshots(databases);
    try {
      for (const [index, path] of databases.entries()) {
        const copy = join(targetPath, basename(path));
        makePrivateFile(copy);
        await backup(snapshots[index]!, copy);
      }
    } finally {
      for (const snapshot of snapshots) snapshot.close();
    }
    for (const path of databases) check(join(targetPath, basename(path)));
    for (const file of files) {
      const copy = join(targetPath, basename(file));
      makePrivateFile(copy);
      await copyFile(file, copy);
      chmodSync(copy, PRIVATE_FILE);
    }
    // Files with temporary names, which begin with a dot, are still being written.
    const filter = (path: string): boolean => !basename(path).startsWith(".");
    for (const folder of folders) {
      const copy = join(targetPath, basename(folder));
      await cp(folder, copy, { recursive: true, filter });
      // The originals may have been readable by others.
      makeContentsPrivate(copy);
    }
  } catch (cause) {
    throw new IoError(
      `The backup in ${target} could not be finished: look for a full disk or a file that can't be read. Remove that folder and try again.`,
      { code: "backup_failed", cause },
    );
  }
  return [...databases, ...files, ...folders].map((path) => basename(path));
}

/** Available since Node.js 22.16. */
function sqliteBackup(): typeof sqlite.backup {
  const { backup } = process.getBuiltinModule("node:sqlite") as Partial<typeof sqlite>;
  if (backup) return backup;
  throw new ValidationError("Backups need Node.js 22.16 or newer.", { code: "node_too_old" });
}

function prepare(target: string, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new ValidationError(`${target} is a file. Name a folder that is empty or doesn't exist.`, {
      code: "not_a_folder",
    });
  }
  if (existsSync(path) && readdirSync(path).length > 0) {
    throw new ValidationError(`${target} is not empty. Name a folder that is empty or doesn't exist.`, {
      code: "folder_not_empty",
    });
  }
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    // Even if the folder exists: others must not read what is written into it.
    chmodSync(path, 0o700);
  } catch (cause) {
    throw new IoError(`The folder ${target} can't be created, or can't be made private. Name a folder of your own.`, {
      code: "backup_failed",
      cause,
    });
  }
}

/** Begins a read transaction on each file. It doesn't see later writes. */
function openSnapshots(paths: readonly string[]): sqlite.DatabaseSync[] {
  const snapshots: sqlite.DatabaseSync[] = [];
  try {
    for (const path of paths) {
      const snapshot = openSqlite(path);
      snapshots.push(snapshot);
      // A transaction only begins with the first read.
      snapshot.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
    }
    return snapshots;
  } catch (error) {
    for (const snapshot of snapshots) snapshot.close();
    throw error;
  }
}

/** Checks a copy by reading it. @throws Error if it is damaged */
function check(path: string): void {
  const database = openSqlite(path);
  try {
    const answer = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
    if (answer !== "ok") throw new Error(String(answer));
  } finally {
    database.close();
  }
}
