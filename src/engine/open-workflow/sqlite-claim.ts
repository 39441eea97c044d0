import type { DatabaseSync } from "node:sqlite";
import { DEFAULT_NAMESPACE_ID } from "openworkflow/internal";
import type { Places, RunsAtWork, WorkerSlot } from "./engine-database.ts";

/** So that queues of other workflows are not read; the claim names the statuses too, or it could not be used. */
export const DUE_INDEX = `
  CREATE INDEX IF NOT EXISTS workflow_runs_due ON workflow_runs (namespace_id, workflow_name, status, available_at, created_at)
    WHERE status IN ('pending', 'running', 'sleeping')`;

// One look into the index of due times for each workflow and status, however long its queue and those of others are;
// CROSS JOIN keeps SQLite from plans that read the whole table.
const CLAIM = `
  UPDATE workflow_runs
  SET status = 'running', attempts = attempts + 1, worker_id = $worker, available_at = $until,
    started_at = coalesce(started_at, $now), updated_at = $now
  WHERE namespace_id = $namespace AND id = (
    SELECT run.id
    FROM (
      SELECT (
        SELECT id FROM workflow_runs INDEXED BY workflow_runs_due
        WHERE namespace_id = $namespace AND workflow_name = workflow.key AND status = stage.value
          AND status IN ('pending', 'running', 'sleeping') AND available_at <= $now
        ORDER BY available_at, created_at LIMIT 1
      ) AS id
      FROM json_each($places) AS workflow, json_each('["pending", "running", "sleeping"]') AS stage
      WHERE workflow.value IS NULL OR workflow.value > (
        SELECT count(*) FROM workflow_runs
        WHERE namespace_id = $namespace AND workflow_name = workflow.key
          AND status = 'running' AND worker_id IS NOT NULL AND available_at > $now
      )
    ) AS due
    CROSS JOIN workflow_runs AS run ON run.namespace_id = $namespace AND run.id = due.id
    ORDER BY run.available_at, run.created_at LIMIT 1
  )
  RETURNING id`;

const RENEW = `
  UPDATE workflow_runs AS run SET available_at = $until, updated_at = $now
  FROM json_each($own) AS execution
  WHERE run.namespace_id = $namespace AND run.id = execution.value AND run.worker_id = execution.key
    AND run.status = 'running' AND run.available_at <= $now`;

/** The id of the run that was claimed. One process executes the runs of a file, and one statement finds and takes: so it is exact. */
export function claimRun(
  database: DatabaseSync,
  { workerId, leaseDurationMs }: WorkerSlot,
  places: Places,
  own: RunsAtWork,
): string | undefined {
  const now = Date.now();
  const lease = {
    $namespace: DEFAULT_NAMESPACE_ID,
    $now: new Date(now).toISOString(),
    $until: new Date(now + leaseDurationMs).toISOString(),
  };
  database.prepare(RENEW).run({ ...lease, $own: JSON.stringify(Object.fromEntries(own)) });
  const row = database
    .prepare(CLAIM)
    .get({ ...lease, $worker: workerId, $places: JSON.stringify(Object.fromEntries(places)) });
  return row?.["id"] as string | undefined;
}
