import { existsSync } from "node:fs";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Backend } from "openworkflow/internal";
import { BackendSqlite } from "openworkflow/sqlite";
import { IoError, isAbiError, ValidationError } from "../../errors.ts";
import { lockFile } from "../../file-lock.ts";
import { makePrivateFile } from "../../private-files.ts";
import { sqliteFault, tablesOf } from "../../sqlite.ts";
import type { EngineDatabase } from "./engine-database.ts";
import { claimRun, DUE_INDEX } from "./sqlite-claim.ts";
import { CUSTOMER_INDEX, SqliteQueries } from "./sqlite-queries.ts";

const SQLITE_BUSY = 5;
/** How long another process may keep the file to itself while it makes the tables, or closes it as the last one. Milliseconds. */
const PATIENCE_MS = 5000;
const RETRY_MS = 20;

/**
 * OpenWorkflow prepares its few statements anew at every call, which costs more than running them. And it asks for the one row
 * that an `UPDATE … RETURNING` gives: `get` stops there, before the commit, and says nothing where that fails on a full disk.
 */
function prepareOnce(database: DatabaseSync): void {
  const prepare = database.prepare.bind(database);
  const statements = new Map<string, StatementSync>();
  database.prepare = (sql) => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = prepare(sql);
    if (sql.includes("RETURNING")) statement.get = (...values) => statement.all(...(values as SQLInputValue[]))[0];
    statements.set(sql, statement);
    return statement;
  };
}

/**
 * OpenWorkflow's tables in a SQLite file, with the settings that its backend does not offer: patience with other writers, and
 * a flush to disk where something is acknowledged (a submission, a result) but not where work merely begins. What a power cut
 * takes of the latter is begun again; half of the flushes are saved.
 * @param path of the file, or `":memory:"`
 * @param worker whether runs are to be executed: only one process at a time may, and frees what a dead one had claimed
 * @throws IoError (`in_use`, `engine_unavailable`)
 */
export function openSqliteDatabase(path: string, worker: boolean): EngineDatabase {
  const lock = worker ? lockFile(path) : undefined;
  try {
    refuseForeign(path);
    if (path !== ":memory:") makePrivateFile(path);
    const sqlite = connect(path);
    const database = sqlite["db"] as unknown as DatabaseSync;
    database.exec("PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL;");
    prepareOnce(database);
    const queries = new SqliteQueries(database);
    if (worker) {
      database.exec(`${DUE_INDEX};${CUSTOMER_INDEX}`);
      queries.releaseClaims();
      queries.followClock();
    }
    const close = async (): Promise<void> => {
      await sqlite.stop();
      lock?.release();
    };
    let lastLook = 0;
    const claim: EngineDatabase["claim"] = async (slot, places, own) => {
      const now = Date.now();
      if (now < lastLook) queries.followClock();
      lastLook = now;
      const workflowRunId = unflushed(database, () => claimRun(database, slot, places, own));
      return workflowRunId === undefined ? null : sqlite.getWorkflowRun({ workflowRunId });
    };
    // Whoever looks on from another process polls.
    const alone = { announce: () => {}, listen: () => {}, leave: async () => {} };
    return { backend: flushLess(sqlite, database), queries, claim, ...alone, close };
  } catch (cause) {
    lock?.release();
    throw isAbiError(cause) ? cause : openingError(path, cause);
  }
}

function openingError(path: string, cause: unknown): IoError {
  const fault = sqliteFault(cause);
  const advice =
    fault === "damaged"
      ? "it is damaged, or no SQLite file. Put a backup in its place, or name another data directory."
      : fault === "full"
        ? "its disk is full. Make room there."
        : "check that it is a file, that it and its folder can be written, and that its disk is not read-only.";
  return new IoError(`The workflow database ${path} cannot be opened: ${advice}`, {
    code: "engine_unavailable",
    cause,
  });
}

/**
 * OpenWorkflow would make its tables beside those of another application.
 * @throws ValidationError
 */
function refuseForeign(path: string): void {
  if (path === ":memory:" || !existsSync(path)) return;
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    const tables = tablesOf(database);
    // The table that it makes first.
    if (tables.length === 0 || tables.includes("openworkflow_migrations")) return;
  } finally {
    database.close();
  }
  throw new ValidationError(
    `The file ${path} holds the data of another application, and no runs. Name another data directory.`,
    { code: "engine_unreadable" },
  );
}

/**
 * OpenWorkflow makes its tables without patience for others. All that it does there can be done again.
 * @throws Error as `BackendSqlite.connect`
 */
function connect(path: string): BackendSqlite {
  const start = performance.now();
  for (;;) {
    try {
      return BackendSqlite.connect(path);
    } catch (error) {
      if (!isBusy(error) || performance.now() - start > PATIENCE_MS) throw error;
      // Whoever constructs an engine can't await.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/** Also where the code says more than that: its last byte is what SQLite calls the primary result code. */
function isBusy(error: unknown): boolean {
  const { errcode } = ((error as Error).cause ?? {}) as { errcode?: number };
  return errcode !== undefined && (errcode & 0xff) === SQLITE_BUSY;
}

/** For work that is done with the database before its first await, as all of this backend's is. */
function unflushed<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec("PRAGMA synchronous = NORMAL");
  try {
    return work();
  } finally {
    database.exec("PRAGMA synchronous = FULL");
  }
}

const flushLess = (sqlite: BackendSqlite, database: DatabaseSync): Backend =>
  Object.assign(Object.create(sqlite) as Backend, {
    createStepAttempt: (params) => unflushed(database, () => sqlite.createStepAttempt(params)),
  } satisfies Partial<Backend>);
