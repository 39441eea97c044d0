import type { DatabaseSync } from "node:sqlite";
import { DEFAULT_NAMESPACE_ID } from "openworkflow/internal";
import type { RunQueries, StepRecord } from "./engine-database.ts";

export class SqliteQueries implements RunQueries {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async runIdByKey(workflow: string, key: string): Promise<string | undefined> {
    const row = this.#database
      .prepare(
        `SELECT id FROM workflow_runs WHERE namespace_id = ? AND workflow_name = ? AND idempotency_key = ?
         ORDER BY created_at LIMIT 1`,
      )
      .get(DEFAULT_NAMESPACE_ID, workflow, key);
    return row?.["id"] as string | undefined;
  }

  async steps(runId: string): Promise<StepRecord[]> {
    // By row: creation times are too coarse to tell which came first.
    return this.#database
      .prepare(
        `SELECT step_name AS name, status FROM step_attempts WHERE namespace_id = ? AND workflow_run_id = ? ORDER BY rowid`,
      )
      .all(DEFAULT_NAMESPACE_ID, runId) as unknown as StepRecord[];
  }

  async failedAttempts(runId: string, step: string): Promise<number> {
    const row = this.#database
      .prepare(
        `SELECT count(*) AS failed FROM step_attempts AS attempt JOIN workflow_runs AS run
           ON run.namespace_id = attempt.namespace_id AND run.id = attempt.workflow_run_id
         WHERE run.namespace_id = ? AND run.id = ? AND attempt.step_name = ? AND attempt.status = 'failed'
           AND attempt.created_at >= coalesce(json_extract(run.config, '$.resubmitted_at'), '')`,
      )
      .get(DEFAULT_NAMESPACE_ID, runId, step);
    return Number(row?.["failed"] ?? 0);
  }

  async resubmit(runId: string): Promise<boolean> {
    const now = new Date().toISOString();
    const { changes } = this.#database
      .prepare(
        `UPDATE workflow_runs SET status = 'pending', available_at = ?, finished_at = NULL, error = NULL, worker_id = NULL,
           config = json_set(config, '$.resubmitted_at', ?), updated_at = ?
         WHERE namespace_id = ? AND id = ? AND status IN ('failed', 'canceled')`,
      )
      .run(now, now, now, DEFAULT_NAMESPACE_ID, runId);
    return Number(changes) > 0;
  }

  /** Frees the runs that a dead worker held, without waiting for their leases. Only for whoever holds the worker lock. */
  releaseClaims(): void {
    const now = new Date().toISOString();
    this.#database
      .prepare(
        `UPDATE workflow_runs SET worker_id = NULL, available_at = ?, updated_at = ?
         WHERE namespace_id = ? AND status = 'running' AND worker_id IS NOT NULL`,
      )
      .run(now, now, DEFAULT_NAMESPACE_ID);
  }
}
