import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { DEFAULT_NAMESPACE_ID } from "openworkflow/internal";
import type { PendingDecision } from "../engine.ts";
import {
  INDEXED_FIELD,
  LEASE_MS,
  ON_BUDGET,
  STATUS_CONDITION,
  type RunQueries,
  type StepRecord,
  type StoredDecision,
  type StoredFilter,
} from "./engine-database.ts";

/** Where a decision stands in a run's configuration. */
const pathTo = (subject: string): string => `$.decisions.${JSON.stringify(subject)}`;

// As a text of its own, not as a bound value: only so is its index found.
const INDEXED_VALUE = `json_extract(input, '$.input."${INDEXED_FIELD}"')`;

/** Runs of the same millisecond are in the order of their rows, as they are listed. */
export const CUSTOMER_INDEX = `
  CREATE INDEX IF NOT EXISTS workflow_runs_customer ON workflow_runs (namespace_id, ${INDEXED_VALUE}, created_at)`;

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

  async runIds({
    workflow,
    status,
    input,
    startedSince,
    startedBefore,
    after,
    limit,
  }: StoredFilter): Promise<string[]> {
    const conditions: [condition: string, ...values: SQLInputValue[]][] = [["namespace_id = ?", DEFAULT_NAMESPACE_ID]];
    if (workflow !== undefined) conditions.push(["workflow_name = ?", workflow]);
    if (status !== undefined) conditions.push([STATUS_CONDITION[status]]);
    if (startedSince) conditions.push(["created_at >= ?", startedSince.toISOString()]);
    if (startedBefore) conditions.push(["created_at < ?", startedBefore.toISOString()]);
    for (const [field, value] of Object.entries(input ?? {})) {
      if (field === INDEXED_FIELD) conditions.push([`${INDEXED_VALUE} = ?`, value]);
      else conditions.push(["json_extract(input, ?) = ?", `$.input.${JSON.stringify(field)}`, value]);
    }
    if (after !== undefined) {
      const place = "SELECT created_at, rowid FROM workflow_runs WHERE namespace_id = ? AND id = ?";
      conditions.push([`(created_at, rowid) < (${place})`, DEFAULT_NAMESPACE_ID, after]);
    }
    // Unfinished runs are few: the plus has them looked up by status and sorted, where SQLite would walk through all by time.
    const time = status === "processing" ? "+created_at" : "created_at";
    const rows = this.#database
      .prepare(
        `SELECT id FROM workflow_runs WHERE ${conditions.map(([condition]) => condition).join(" AND ")}
         ORDER BY ${time} DESC, rowid DESC LIMIT ?`,
      )
      .all(...conditions.flatMap(([, ...values]) => values), limit);
    return rows.map(({ id }) => id as string);
  }

  async steps(runId: string): Promise<StepRecord[]> {
    // By row: creation times are too coarse to tell which came first.
    const rows = this.#database
      .prepare(
        `SELECT step_name, status, started_at, finished_at, error FROM step_attempts
         WHERE namespace_id = ? AND workflow_run_id = ? ORDER BY rowid`,
      )
      .all(DEFAULT_NAMESPACE_ID, runId) as unknown as Record<string, string>[];
    return rows.map(({ step_name, status, started_at, finished_at, error }) => ({
      name: step_name!,
      status: status as StepRecord["status"],
      startedAt: new Date(started_at!),
      finishedAt: finished_at ? new Date(finished_at) : null,
      error: error ? (JSON.parse(error) as StepRecord["error"]) : null,
    }));
  }

  async attempts(runId: string, step: string): Promise<{ failed: number; running: number }> {
    const row = this.#database
      .prepare(
        `SELECT total(attempt.status = 'failed') - coalesce(before.value ->> 'failed', 0) AS failed,
           total(attempt.status = 'running') - coalesce(before.value ->> 'running', 0) AS running
         FROM step_attempts AS attempt
         JOIN workflow_runs AS run ON run.namespace_id = attempt.namespace_id AND run.id = attempt.workflow_run_id
         LEFT JOIN json_each(run.config, '$.attempts_before') AS before ON before.key = attempt.step_name
         WHERE run.namespace_id = ? AND run.id = ? AND attempt.step_name = ?
           AND (run.config -> 'attempts_before' IS NOT NULL OR attempt.created_at >= coalesce(run.config ->> 'resubmitted_at', ''))`,
      )
      .get(DEFAULT_NAMESPACE_ID, runId, step);
    return { failed: Number(row?.["failed"]), running: Number(row?.["running"]) };
  }

  async cancel(runId: string): Promise<"cancelled" | "requested" | undefined> {
    const now = new Date().toISOString();
    // Asked first: a run that is left meanwhile is either left before, and cancelled below, or sees this.
    const { changes: requested } = this.#database
      .prepare(
        `UPDATE workflow_runs SET config = json_set(config, '$.cancel_requested', ?), updated_at = ?
         WHERE namespace_id = ? AND id = ? AND status IN ('pending', 'running', 'sleeping')`,
      )
      .run(now, now, DEFAULT_NAMESPACE_ID, runId);
    const { changes: cancelled } = this.#database
      .prepare(
        `UPDATE workflow_runs SET status = 'canceled', available_at = NULL, finished_at = ?, updated_at = ?
         WHERE namespace_id = ? AND id = ? AND status IN ('pending', 'running', 'sleeping') AND worker_id IS NULL`,
      )
      .run(now, now, DEFAULT_NAMESPACE_ID, runId);
    if (Number(cancelled) > 0) return "cancelled";
    return Number(requested) > 0 ? "requested" : undefined;
  }

  async resubmit(runId: string, availableAt?: Date): Promise<boolean> {
    const now = new Date().toISOString();
    const { changes } = this.#database
      .prepare(
        `UPDATE workflow_runs SET status = 'pending', attempts = 0, available_at = ?, finished_at = NULL, error = NULL, worker_id = NULL,
           config = json_remove(json_set(config, '$.resubmitted_at', ?, '$.attempts_before', json((
             SELECT json_group_object(step_name, json_object('failed', failed, 'running', running)) FROM (
               SELECT step_name, sum(status = 'failed') AS failed, sum(status = 'running') AS running FROM step_attempts
               WHERE namespace_id = workflow_runs.namespace_id AND workflow_run_id = workflow_runs.id GROUP BY step_name)
           ))), '$.cancel_requested', '$.waiting'), updated_at = ?
         WHERE namespace_id = ? AND id = ? AND status IN ('failed', 'canceled')`,
      )
      .run(availableAt?.toISOString() ?? now, now, now, DEFAULT_NAMESPACE_ID, runId);
    return Number(changes) > 0;
  }

  async hasten(runId?: string): Promise<boolean> {
    const now = new Date().toISOString();
    const { changes } = this.#database
      .prepare(
        `UPDATE workflow_runs SET available_at = min(available_at, $now), updated_at = $now
         WHERE namespace_id = $namespace AND ${ON_BUDGET} ${runId === undefined ? "" : "AND id = $id"}`,
      )
      .run({ $namespace: DEFAULT_NAMESPACE_ID, $now: now, ...(runId === undefined ? {} : { $id: runId }) });
    return Number(changes) > 0;
  }

  async park(runId: string, workerId: string, waiting: PendingDecision): Promise<boolean> {
    const { changes } = this.#database
      .prepare(
        `UPDATE workflow_runs SET worker_id = NULL, available_at = NULL, updated_at = ?,
           config = json_set(config, '$.waiting', json(?))
         WHERE namespace_id = ? AND id = ? AND status = 'running' AND worker_id = ?
           AND config ->> 'cancel_requested' IS NULL AND json_extract(config, ?) IS NULL`,
      )
      .run(
        new Date().toISOString(),
        JSON.stringify(waiting),
        DEFAULT_NAMESPACE_ID,
        runId,
        workerId,
        pathTo(waiting.subject),
      );
    return Number(changes) > 0;
  }

  async decide(runId: string, subject: string, decision: StoredDecision): Promise<boolean> {
    const now = new Date().toISOString();
    const { changes } = this.#database
      .prepare(
        `UPDATE workflow_runs SET config = json_set(json_remove(config, '$.waiting'), ?, json(?)),
           available_at = CASE WHEN config ->> 'waiting' IS NULL THEN available_at ELSE ? END, updated_at = ?
         WHERE namespace_id = ? AND id = ? AND status IN ('pending', 'running', 'sleeping')
           AND json_extract(config, ?) IS NULL AND coalesce(config ->> '$.waiting.subject', ?) = ?`,
      )
      .run(
        pathTo(subject),
        JSON.stringify(decision),
        now,
        now,
        DEFAULT_NAMESPACE_ID,
        runId,
        pathTo(subject),
        subject,
        subject,
      );
    return Number(changes) > 0;
  }

  /**
   * For when the clock was set back: what was written at a time that is yet to come is due now, and nobody's lease holds longer
   * than one from now. What somebody has put off until a later time stays put off.
   */
  followClock(): void {
    const now = Date.now();
    this.#database
      .prepare(
        `UPDATE workflow_runs SET available_at = iif(worker_id IS NULL, $now, $until), updated_at = $now
         WHERE namespace_id = $namespace AND status IN ('pending', 'running', 'sleeping')
           AND available_at > $now AND updated_at > $now AND (attempts > 0 OR available_at <= updated_at)`,
      )
      .run({
        $namespace: DEFAULT_NAMESPACE_ID,
        $now: new Date(now).toISOString(),
        $until: new Date(now + LEASE_MS).toISOString(),
      });
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
