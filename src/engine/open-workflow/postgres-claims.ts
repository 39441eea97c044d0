import type { Sql } from "postgres";
import { DEFAULT_NAMESPACE_ID } from "openworkflow/internal";
import { LEASE_MS, type Places, type RunsAtWork, type WorkerSlot } from "./engine-database.ts";
import type { WorkflowRun } from "./observed-backend.ts";

/** How often a worker looks whether the server's clock was set back. Milliseconds. */
const CLOCK_INTERVAL_MS = 60_000;

/**
 * What claims need in the database, made where it is missing; the function by the name of its version, because processes of different
 * versions may share a database.
 *
 * - One claim at a time in the whole database, so that two can't see the same last place. The lock and what is done under it
 *   are one call: one round trip, and no transaction that postgres.js could lose a connection in, which it does not survive.
 * - What a crash of the server takes of a claim is claimed again: so it need not be on disk, and the turn is short.
 * - One look into the index of due times for each workflow and status, however long its queue and those of others are. The list of
 *   statuses is there so that the index, which has no runs that have ended, may be used, and the namespace is hidden from the planner
 *   so that no other is: OpenWorkflow's has no workflow, and a table with one workflow in it makes both look the same.
 * - While the server was away, no lease could be renewed: each gets its time anew.
 * - Where a workflow has no place left, workers queue for the next one, and it goes to whoever has asked for it longest: a
 *   worker that is near the database, or has just freed a place itself, would get all of them otherwise. Who has not asked
 *   for three seconds, which is longer than the poll interval, has ended or has no slot free; and so may who asked at a time that
 *   is yet to come, before the server's clock was set back. The queue need not survive a crash.
 * - A claim whose answer is lost with its connection is made all the same. The next one of that process names the slots that asked so.
 *   By the order of the lock it comes after those claims, wherever they have been meanwhile.
 * - What this process executes is its own as long as its slot still has it: its lease is renewed where it has run out. Where somebody
 *   has locked the row, nobody waits for that with the turn in hand, and it is not claimed either.
 */
export const claimObjects = (schema: string): string => `
  CREATE INDEX IF NOT EXISTS workflow_runs_due
    ON ${schema}.workflow_runs (workflow_name, status, available_at, created_at)
    WHERE status IN ('pending', 'running', 'sleeping');

  CREATE UNLOGGED TABLE IF NOT EXISTS ${schema}.waiting_workers (
    workflow_name text NOT NULL,
    worker text NOT NULL,
    since timestamptz NOT NULL,
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (workflow_name, worker)
  );

  CREATE OR REPLACE FUNCTION ${schema}.claim_run_5(
    claimant text, slot text, lease interval, places jsonb, own jsonb, unanswered jsonb,
    server_start timestamptz DEFAULT pg_postmaster_start_time()
  )
  RETURNS SETOF ${schema}.workflow_runs LANGUAGE plpgsql AS $claim$
  DECLARE
    moment timestamptz;
    renewable boolean;
  BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtextextended('abi-workflows/claims', 0));
    moment := clock_timestamp();
    renewable := moment BETWEEN server_start AND server_start + lease;
    IF unanswered <> '[]' THEN
      UPDATE ${schema}.workflow_runs
      SET status = 'pending', worker_id = NULL, attempts = attempts - 1, available_at = moment, updated_at = moment
      WHERE namespace_id = '${DEFAULT_NAMESPACE_ID}' AND status = 'running' AND unanswered ? worker_id
        AND own ->> worker_id IS DISTINCT FROM id;
    END IF;
    UPDATE ${schema}.workflow_runs
    SET available_at = moment + lease, updated_at = moment
    WHERE namespace_id = '${DEFAULT_NAMESPACE_ID}' AND id IN (
      SELECT run.id FROM jsonb_each_text(own) AS execution (slot, run)
      JOIN ${schema}.workflow_runs AS run
        ON run.namespace_id = '${DEFAULT_NAMESPACE_ID}' AND run.id = execution.run AND run.worker_id = execution.slot
      WHERE run.status = 'running' AND run.available_at <= moment
      FOR UPDATE OF run SKIP LOCKED
    );
    RETURN QUERY
      WITH workflow AS (
        SELECT key AS name, value::int AS most FROM jsonb_each_text(places)
      ), place AS (
        SELECT name, most IS NULL OR most > (
          SELECT count(*) FROM ${schema}.workflow_runs
          WHERE namespace_id = '${DEFAULT_NAMESPACE_ID}' AND workflow_name = name
            AND status = 'running' AND worker_id IS NOT NULL AND (available_at > moment OR renewable)
        ) + (
          SELECT count(*) FROM ${schema}.waiting_workers AS other
          LEFT JOIN ${schema}.waiting_workers AS own ON own.workflow_name = name AND own.worker = claimant
          WHERE other.workflow_name = name AND other.worker <> claimant
            AND other.asked_at BETWEEN moment - interval '3 seconds' AND moment AND other.since < coalesce(own.since, 'infinity')
        ) AS free FROM workflow
      ), due AS (
        SELECT place.name, place.free, run.*
        FROM place
        CROSS JOIN (VALUES ('pending'), ('running'), ('sleeping')) AS stage (status)
        CROSS JOIN LATERAL (
          SELECT id, available_at, created_at FROM ${schema}.workflow_runs
          WHERE namespace_id || '' = '${DEFAULT_NAMESPACE_ID}' AND workflow_name = place.name
            AND status = stage.status AND status IN ('pending', 'running', 'sleeping') AND available_at <= moment AND (worker_id IS NULL OR NOT renewable)
            AND own ->> worker_id IS DISTINCT FROM id
          ORDER BY available_at, created_at LIMIT 1
          FOR UPDATE SKIP LOCKED
        ) AS run
      ), next AS (
        SELECT name, id FROM due WHERE free ORDER BY available_at, created_at LIMIT 1
      ), queued AS (
        INSERT INTO ${schema}.waiting_workers AS own (workflow_name, worker, since, asked_at)
        SELECT DISTINCT name, claimant, moment, moment FROM due WHERE NOT free
        ON CONFLICT (workflow_name, worker) DO UPDATE SET since = least(own.since, moment), asked_at = moment
      ), served AS (
        DELETE FROM ${schema}.waiting_workers
        WHERE (worker = claimant AND workflow_name = (SELECT name FROM next))
          OR (worker <> claimant AND asked_at NOT BETWEEN moment - interval '3 seconds' AND moment)
      )
      UPDATE ${schema}.workflow_runs AS run
      SET status = 'running', attempts = run.attempts + 1, worker_id = slot, available_at = moment + lease,
        started_at = coalesce(run.started_at, moment), updated_at = moment
      FROM next WHERE run.namespace_id = '${DEFAULT_NAMESPACE_ID}' AND run.id = next.id
      RETURNING run.*;
  END $claim$;`;

/** The claims of one worker process on a PostgreSQL database. */
export class PostgresClaims {
  readonly #sql: Sql;
  readonly #schema: string;
  readonly #worker: string;
  /** Slots whose last claim may have been made without their hearing of it. They are free: whoever has a run does not claim. */
  readonly #unanswered = new Set<string>();
  #followedAt = -Infinity;

  constructor(sql: Sql, schema: string, worker: string) {
    this.#sql = sql;
    this.#schema = schema;
    this.#worker = worker;
  }

  /** Claims the run that has been due longest, of the workflows that have a place for this worker. */
  async claim({ workerId, leaseDurationMs }: WorkerSlot, places: Places, own: RunsAtWork): Promise<WorkflowRun | null> {
    const sql = this.#sql;
    if (performance.now() - this.#followedAt > CLOCK_INTERVAL_MS) {
      await this.#followClock();
      this.#followedAt = performance.now();
    }
    const unanswered = [...this.#unanswered];
    try {
      const [claimed] = await sql<WorkflowRun[]>`
        SELECT * FROM ${sql(this.#schema)}.claim_run_5(${this.#worker}, ${workerId},
          ${leaseDurationMs} * INTERVAL '1 millisecond', ${sql.json(Object.fromEntries(places))},
          ${sql.json(Object.fromEntries(own))}, ${sql.json(unanswered)})`;
      for (const slot of unanswered) this.#unanswered.delete(slot);
      return claimed ?? null;
    } catch (error) {
      this.#unanswered.add(workerId);
      throw error;
    }
  }

  /** Gives up this worker's turn. */
  async leave(): Promise<void> {
    const sql = this.#sql;
    await sql`DELETE FROM ${sql(this.#schema)}.waiting_workers WHERE worker = ${this.#worker}`;
  }

  /**
   * For when the server's clock was set back: what was written at a time that is yet to come is due now, and nobody's lease holds
   * longer than one from now. What somebody has put off until a later time stays put off.
   */
  async #followClock(): Promise<void> {
    const sql = this.#sql;
    await sql`
      UPDATE ${sql(this.#schema)}.workflow_runs
      SET available_at = now() + CASE WHEN worker_id IS NULL THEN 0 ELSE ${LEASE_MS}::int END * INTERVAL '1 millisecond',
        updated_at = now()
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND status IN ('pending', 'running', 'sleeping')
        AND available_at > now() AND updated_at > now() AND (attempts > 0 OR available_at <= updated_at)`;
  }
}
