import type { Sql } from "postgres";
import { INDEXED_FIELD } from "./engine-database.ts";
import { claimObjects } from "./postgres-claims.ts";
import { withParameters } from "./postgres-session.ts";

/** OpenWorkflow's own name for it. */
export const SCHEMA = "openworkflow";

/** For locks that making tables takes; whoever queues for one keeps all workers out meanwhile. Milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;
/** Without one, closing waits for ever for a server that has gone. Seconds. */
export const CLOSE_TIMEOUT_S = 3;

/** Loaded when first used: most have no PostgreSQL. */
export const drivers = () => Promise.all([import("postgres"), import("openworkflow/postgres")]);

/** OpenWorkflow's own look-up by key ends after a day; ours are unique for good. */
const UNIQUE_KEYS = `
  CREATE UNIQUE INDEX IF NOT EXISTS workflow_runs_key
    ON ${SCHEMA}.workflow_runs (namespace_id, workflow_name, idempotency_key);`;

/** An index takes no long texts: whoever asks by it compares the whole as well. */
export const PREFIX_LENGTH = 200;
export const INDEXED_PREFIX = `left(input -> 'input' ->> '${INDEXED_FIELD}', ${PREFIX_LENGTH})`;

const CUSTOMER_INDEX = `
  CREATE INDEX IF NOT EXISTS workflow_runs_customer
    ON ${SCHEMA}.workflow_runs (namespace_id, (${INDEXED_PREFIX}), created_at DESC, id DESC);`;

const isThere = (...relations: string[]): string =>
  relations.map((name) => `to_regclass('${SCHEMA}.${name}') IS NOT NULL`).join(" AND ");

const ENOUGH_TO_LOOK_ON = isThere("workflow_runs", "step_attempts", "workflow_runs_key");
/** The last object of OpenWorkflow's last migration, each of which is one transaction, and the last of ours. */
const COMPLETE = `${ENOUGH_TO_LOOK_ON} AND ${isThere("step_attempts_signal_wait_idx", "workflow_runs_due", "waiting_workers", "workflow_runs_customer")}
  AND to_regprocedure('${SCHEMA}.claim_run_5(text, text, interval, jsonb, jsonb, jsonb, timestamptz)') IS NOT NULL`;

/**
 * Makes or migrates the tables where something of them is missing, and only looks otherwise: even a `CREATE INDEX IF NOT
 * EXISTS` that has nothing to do waits for writers, and everybody else behind it.
 * @param worker without one, what only claims need may be missing
 */
export async function prepareSchema(sql: Sql, url: string, worker: boolean): Promise<void> {
  const needed = worker ? COMPLETE : ENOUGH_TO_LOOK_ON;
  if (!(await holds(sql, needed))) await migrateOneByOne(url);
}

async function holds(sql: Sql, condition: string): Promise<boolean> {
  const [row] = await sql.unsafe<{ holds: boolean }[]>(`SELECT ${condition} AS holds`);
  return row?.holds === true;
}

/** OpenWorkflow's migrations fail where two processes run them at once; so only one at a time may. */
async function migrateOneByOne(url: string): Promise<void> {
  const [{ default: postgres }, { BackendPostgres }] = await drivers();
  const turn = postgres(url, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    await turn.unsafe(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    // Held by the session, which ends below.
    await turn`SELECT pg_advisory_lock(hashtextextended('abi-workflows/migrations', 0))`;
    if (await holds(turn, COMPLETE)) return;
    // OpenWorkflow leaves its connection open where a migration fails, and with it the process.
    await (await BackendPostgres.connect(withParameters(url, { idle_timeout: "1" }))).stop();
    await turn.unsafe(`${UNIQUE_KEYS}${CUSTOMER_INDEX}${claimObjects(SCHEMA)}`);
  } finally {
    await turn.end({ timeout: CLOSE_TIMEOUT_S });
  }
}
