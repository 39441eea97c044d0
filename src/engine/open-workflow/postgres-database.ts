import { DEFAULT_NAMESPACE_ID } from "openworkflow/internal";
import type { Sql } from "postgres";
import { IoError, ValidationError } from "../../errors.ts";
import type { EngineDatabase, RunQueries, StepRecord } from "./engine-database.ts";

const SCHEMA = "openworkflow";

/**
 * OpenWorkflow's tables in a PostgreSQL database, in the schema `openworkflow`, made or migrated where need be.
 * Any number of processes may share it.
 * @param url `postgres://user:password@host:5432/database`
 * @throws ValidationError for what is no such URL, IoError where the server can't be reached
 */
export async function connectPostgres(url: string): Promise<EngineDatabase> {
  if (!/^postgres(?:ql)?:\/\//i.test(url)) {
    throw new ValidationError("The database URL must look like postgres://user:password@host:5432/database.", {
      code: "invalid_configuration",
    });
  }
  try {
    const { BackendPostgres } = await import("openworkflow/postgres");
    const backend = await BackendPostgres.connect(url);
    return { backend, queries: new PostgresQueries(backend["pg"]), close: () => backend.stop() };
  } catch (cause) {
    throw new IoError(
      "The workflow database cannot be reached: is the PostgreSQL server running and the login right?",
      {
        code: "engine_unavailable",
        cause,
      },
    );
  }
}

class PostgresQueries implements RunQueries {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async runIdByKey(workflow: string, key: string): Promise<string | undefined> {
    const sql = this.#sql;
    const [row] = await sql<{ id: string }[]>`
      SELECT id FROM ${sql(SCHEMA)}.workflow_runs
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND workflow_name = ${workflow} AND idempotency_key = ${key}
      ORDER BY created_at, id LIMIT 1`;
    return row?.id;
  }

  async steps(runId: string): Promise<StepRecord[]> {
    const sql = this.#sql;
    // Microseconds: attempts of one run begin one after the other.
    return sql<StepRecord[]>`
      SELECT step_name AS name, status FROM ${sql(SCHEMA)}.step_attempts
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND workflow_run_id = ${runId} ORDER BY started_at, created_at, id`;
  }

  async failedAttempts(runId: string, step: string): Promise<number> {
    const sql = this.#sql;
    const [row] = await sql<{ failed: number }[]>`
      SELECT count(*)::int AS failed FROM ${sql(SCHEMA)}.step_attempts AS attempt
      JOIN ${sql(SCHEMA)}.workflow_runs AS run
        ON run.namespace_id = attempt.namespace_id AND run.id = attempt.workflow_run_id
      WHERE run.namespace_id = ${DEFAULT_NAMESPACE_ID} AND run.id = ${runId}
        AND attempt.step_name = ${step} AND attempt.status = 'failed'
        AND attempt.started_at >= coalesce((run.config ->> 'resubmitted_at')::timestamptz, '-infinity')`;
    return row?.failed ?? 0;
  }

  async resubmit(runId: string): Promise<boolean> {
    const sql = this.#sql;
    const { count } = await sql`
      UPDATE ${sql(SCHEMA)}.workflow_runs
      SET status = 'pending', available_at = now(), finished_at = NULL, error = NULL, worker_id = NULL,
        config = jsonb_set(config::jsonb, '{resubmitted_at}', to_jsonb(now())), updated_at = now()
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND id = ${runId} AND status IN ('failed', 'canceled')`;
    return count > 0;
  }
}
