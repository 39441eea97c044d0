import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { ValidationError } from "../../errors.ts";
import { tablesOf } from "../../sqlite.ts";

/** "abiw": tells our files from those of other applications (PRAGMA application_id). */
const APPLICATION_ID = 0x61626977;

/**
 * What each version of the tables adds to the one before; the version of a file is its PRAGMA user_version. Never change one that
 * was published: add another.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, -- a forgotten run's is never used again: it may still be at work
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    input TEXT NOT NULL, -- JSON
    status TEXT NOT NULL, -- as RunStatus
    priority INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    due_at INTEGER, -- NULL: it is at work, waits for a person, or has ended
    due_since INTEGER, -- when due_at was written, for clocks that are set back
    is_held INTEGER NOT NULL DEFAULT 0, -- a process executes it
    epoch INTEGER NOT NULL DEFAULT 0, -- how often it was taken up
    resumed_at INTEGER,
    retry_until INTEGER, -- due for another attempt of a step that lives on its retry budget
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    waiting_for TEXT, -- the subject of a decision
    output TEXT, -- JSON; while it waits for a person what it knows so far
    error TEXT, -- JSON
    ended_at INTEGER,
    UNIQUE (workflow, key)
  ) STRICT;
  CREATE INDEX runs_due ON runs (workflow, priority, due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX runs_status ON runs (status, created_at);
  CREATE INDEX runs_created ON runs (created_at);
  CREATE INDEX runs_workflow ON runs (workflow, created_at);
  CREATE INDEX runs_workflow_status ON runs (workflow, status, created_at);
  CREATE TABLE events ( -- written once, never changed
    run INTEGER NOT NULL,
    n INTEGER NOT NULL,
    type TEXT NOT NULL, -- as EventType
    time INTEGER NOT NULL,
    name TEXT, -- of the step, or the subject of the decision
    is_listed INTEGER,
    value TEXT, -- JSON
    error TEXT, -- JSON
    is_final INTEGER,
    retry_until INTEGER,
    PRIMARY KEY (run, n)
  ) STRICT, WITHOUT ROWID;`,
];

const versionOf = (database: DatabaseSync): number => pragma(database, "user_version");
const pragma = (database: DatabaseSync, name: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0]);

const unreadable = (message: string): ValidationError => new ValidationError(message, { code: "engine_unreadable" });

/**
 * Whether a file may hold runs: it is new, or ours.
 * @throws ValidationError (`engine_unreadable`)
 */
export function refuseForeign(path: string): void {
  if (path === ":memory:" || !existsSync(path)) return;
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    if (pragma(database, "application_id") === APPLICATION_ID) {
      if (versionOf(database) <= MIGRATIONS.length) return;
      throw unreadable(`The runs in ${path} were written by a newer version of abi-workflows. Use that version.`);
    }
    const tables = tablesOf(database);
    if (tables.length === 0) return;
    if (tables.includes("openworkflow_migrations")) {
      throw unreadable(
        `The runs in ${path} were written by an earlier build of abi-workflows, which kept them in another form. Move the file away, ` +
          "with those beside it (-wal, -shm), and submit what had not ended again.",
      );
    }
  } finally {
    database.close();
  }
  throw unreadable(`The file ${path} holds the data of another application, and no runs. Name another data directory.`);
}

/** Makes the tables that are missing. */
export function migrate(database: DatabaseSync): void {
  if (versionOf(database) === MIGRATIONS.length) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have done it meanwhile.
    for (const migration of MIGRATIONS.slice(versionOf(database))) database.exec(migration);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
