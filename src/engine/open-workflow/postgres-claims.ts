import { DEFAULT_NAMESPACE_ID } from "openworkflow/internal";
import type { BackendPostgres } from "openworkflow/postgres";
import type { Sql } from "postgres";
import type { Places, WorkerSlot } from "./engine-database.ts";
import type { WorkflowRun } from "./observed-backend.ts";

/**
 * One claim at a time in the whole database, so that two can't see the same last place. What a crash of the server takes of a
 * claim is claimed again: so it need not be on disk, and the turn is short.
 */
const TAKE_TURN = `
  SET LOCAL synchronous_commit = off;
  SELECT pg_advisory_xact_lock(hashtextextended('abi-workflows/claims', 0))`;

/** One that has not asked for so long has ended or has no slot free. Longer than the poll interval. */
const PATIENCE = "interval '3 seconds'";

/**
 * The claims of one worker process on a PostgreSQL database.
 *
 * Where a workflow has no place left, workers queue for the next one in a table, and a place goes to whoever has asked for it
 * longest: a worker that is near the database, or has just freed a place itself, would get all of them otherwise.
 */
export class PostgresClaims {
  readonly #backend: BackendPostgres;
  readonly #schema: string;
  readonly #worker: string;

  constructor(backend: BackendPostgres, schema: string, worker: string) {
    this.#backend = backend;
    this.#schema = schema;
    this.#worker = worker;
  }

  /** Makes the table of those who wait for a place. It need not survive a crash of the server. */
  static async migrate(sql: Sql, schema: string): Promise<void> {
    await sql`
      CREATE UNLOGGED TABLE IF NOT EXISTS ${sql(schema)}.waiting_workers (
        workflow_name text NOT NULL,
        worker text NOT NULL,
        since timestamptz NOT NULL,
        asked_at timestamptz NOT NULL,
        PRIMARY KEY (workflow_name, worker)
      )`;
  }

  /**
   * Claims the run that has been due longest, of the workflows that have a place for this worker: one look into the index of
   * due times for each workflow and status, however long the queue is.
   */
  claim({ workerId, leaseDurationMs }: WorkerSlot, places: Places): Promise<WorkflowRun | null> {
    return this.#backend["withTransaction"](async (sql: Sql) => {
      const runs = sql`${sql(this.#schema)}.workflow_runs`;
      const waiting = sql`${sql(this.#schema)}.waiting_workers`;
      // The time of the statement, not that of the transaction, which may have waited for its turn.
      const now = sql`statement_timestamp()`;
      const [, claimed] = await Promise.all([
        sql.unsafe(TAKE_TURN),
        sql<WorkflowRun[]>`
          WITH workflow AS (
            SELECT key AS name, value::int AS places FROM jsonb_each_text(${sql.json(Object.fromEntries(places))})
          ), place AS (
            SELECT name, places IS NULL OR places > (
              SELECT count(*) FROM ${runs}
              WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND workflow_name = name
                AND status = 'running' AND worker_id IS NOT NULL AND available_at > ${now}
            ) + (
              SELECT count(*) FROM ${waiting} AS other
              LEFT JOIN ${waiting} AS own ON own.workflow_name = name AND own.worker = ${this.#worker}
              WHERE other.workflow_name = name AND other.worker <> ${this.#worker}
                AND other.asked_at > ${now} - ${sql.unsafe(PATIENCE)} AND other.since < coalesce(own.since, 'infinity')
            ) AS free FROM workflow
          ), due AS (
            SELECT place.name, place.free, run.*
            FROM place
            CROSS JOIN (VALUES ('pending'), ('running'), ('sleeping')) AS stage (status)
            CROSS JOIN LATERAL (
              SELECT id, available_at, created_at FROM ${runs}
              WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND workflow_name = place.name
                AND status = stage.status AND available_at <= ${now}
              ORDER BY available_at, created_at LIMIT 1
              FOR UPDATE SKIP LOCKED
            ) AS run
          ), next AS (
            SELECT name, id FROM due WHERE free ORDER BY available_at, created_at LIMIT 1
          ), queued AS (
            INSERT INTO ${waiting} (workflow_name, worker, since, asked_at)
            SELECT DISTINCT name, ${this.#worker}, ${now}, ${now} FROM due WHERE NOT free
            ON CONFLICT (workflow_name, worker) DO UPDATE SET asked_at = excluded.asked_at
          ), served AS (
            DELETE FROM ${waiting}
            WHERE (worker = ${this.#worker} AND workflow_name = (SELECT name FROM next))
              OR (worker <> ${this.#worker} AND asked_at < ${now} - ${sql.unsafe(PATIENCE)})
          )
          UPDATE ${runs} AS run
          SET status = 'running', attempts = attempts + 1, worker_id = ${workerId},
            available_at = ${now} + ${leaseDurationMs} * INTERVAL '1 millisecond',
            started_at = coalesce(started_at, ${now}), updated_at = ${now}
          FROM next WHERE run.namespace_id = ${DEFAULT_NAMESPACE_ID} AND run.id = next.id
          RETURNING run.*`,
      ]);
      return claimed[0] ?? null;
    });
  }

  /** Gives up this worker's turn. */
  async leave(): Promise<void> {
    const { pg: sql } = this.#backend as unknown as { pg: Sql };
    await sql`DELETE FROM ${sql(this.#schema)}.waiting_workers WHERE worker = ${this.#worker}`;
  }
}
