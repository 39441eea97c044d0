import { mkdirSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { dirname } from "node:path";
import type { Backend } from "openworkflow/internal";
import { BackendSqlite } from "openworkflow/sqlite";

/** OpenWorkflow prepares its few statements anew at every call, which costs more than running them. */
function rememberStatements(database: DatabaseSync): void {
  const prepare = database.prepare.bind(database);
  const statements = new Map<string, StatementSync>();
  database.prepare = (sql) => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
}

/**
 * OpenWorkflow's SQLite backend with the settings that it does not offer: patience with other writers, and a flush to disk
 * where something is acknowledged (a submission, a result) but not where work merely begins. What a power cut takes of the
 * latter is begun again; half of the flushes are saved.
 */
export function openSqliteBackend(path: string): { backend: Backend; database: DatabaseSync } {
  if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
  const sqlite = BackendSqlite.connect(path);
  const database = sqlite["db"] as unknown as DatabaseSync;
  database.exec("PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL;");
  rememberStatements(database);

  /** For work that is done with the database before its first await, as all of this backend's is. */
  const unflushed = <Result>(work: () => Promise<Result>): Promise<Result> => {
    database.exec("PRAGMA synchronous = NORMAL");
    try {
      return work();
    } finally {
      database.exec("PRAGMA synchronous = FULL");
    }
  };
  const backend = Object.assign(Object.create(sqlite) as Backend, {
    claimWorkflowRun: (params) => unflushed(() => sqlite.claimWorkflowRun(params)),
    createStepAttempt: (params) => unflushed(() => sqlite.createStepAttempt(params)),
  } satisfies Partial<Backend>);
  return { backend, database };
}
