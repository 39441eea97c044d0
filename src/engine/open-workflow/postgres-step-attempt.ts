import { DEFAULT_NAMESPACE_ID, type Backend } from "openworkflow/internal";
import type { Sql } from "postgres";
import type { NewStepAttempt } from "./observed-backend.ts";
import { SCHEMA } from "./postgres-schema.ts";

type StepAttempt = Awaited<ReturnType<Backend["createStepAttempt"]>>;

/**
 * Begins an attempt of a step, of a run that this worker slot has, under an id that is given: asked again, it finds what it has made. OpenWorkflow
 * gives another id each time, and what it has made without being heard would count as an attempt whose process died.
 * @throws Error as OpenWorkflow's own, where the slot has the run no more
 */
export async function createAttempt(sql: Sql, attempt: NewStepAttempt): Promise<StepAttempt> {
  const { id, workflowRunId, workerId, stepName, kind, config, context } = attempt;
  const [made] = await sql<StepAttempt[]>`
    WITH owned AS (
      SELECT 1 FROM ${sql(SCHEMA)}.workflow_runs
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND id = ${workflowRunId} AND status = 'running' AND worker_id = ${workerId}
      FOR NO KEY UPDATE)
    INSERT INTO ${sql(SCHEMA)}.step_attempts (namespace_id, id, workflow_run_id, step_name, kind, status, config, context,
      started_at, created_at, updated_at)
    SELECT ${DEFAULT_NAMESPACE_ID}, ${id}, ${workflowRunId}, ${stepName}, ${kind}, 'running', ${sql.json(config)},
      ${sql.json(context as never)}, now(), date_trunc('milliseconds', now()), now()
    FROM owned
    ON CONFLICT (namespace_id, id) DO UPDATE SET updated_at = now()
    RETURNING *`;
  if (!made) throw new Error("Failed to create step attempt");
  return made;
}
