import { randomUUID } from "node:crypto";
import { DEFAULT_NAMESPACE_ID, type Backend } from "openworkflow/internal";
import type { Sql } from "postgres";
import { IoError, isAbiError } from "../../errors.ts";
import { silentLogger, type Logger } from "../../log.ts";
import type { PendingDecision } from "../engine.ts";
import {
  INDEXED_FIELD,
  ON_BUDGET,
  STATUS_CONDITION,
  type EngineDatabase,
  type RunQueries,
  type StepRecord,
  type StoredDecision,
  type StoredFilter,
} from "./engine-database.ts";
import type { NewStepAttempt, WorkflowRun } from "./observed-backend.ts";
import { PostgresChannel } from "./postgres-channel.ts";
import { PostgresClaims } from "./postgres-claims.ts";
import {
  isProtocolViolation,
  noAnswer,
  openingError,
  READ_ONLY,
  TRANSACTION_POOLING,
  invalidUrl,
} from "./postgres-error.ts";
import { CLOSE_TIMEOUT_S, drivers, INDEXED_PREFIX, PREFIX_LENGTH, prepareSchema, SCHEMA } from "./postgres-schema.ts";
import { readFacts, sharesProcesses, withSession, type SessionFacts } from "./postgres-session.ts";
import { PostgresSockets } from "./postgres-sockets.ts";
import { createAttempt } from "./postgres-step-attempt.ts";
import { settlesWithin } from "./within.ts";

/**
 * For claims, which a worker with a free slot makes every second, and renewals of leases, which each run at work makes every 15
 * seconds: by them a network that has fallen silent is noticed. Milliseconds.
 */
const ANSWER_TIMEOUT_MS = 30_000;

/** For a session that only looks what kind of pooler there is. Milliseconds. */
const SECOND_SESSION_MS = 5000;

/** Of one process, besides the one on which it listens. A server takes a hundred by default, and many processes share it. */
const MOST_CONNECTIONS = 4;

/**
 * OpenWorkflow's tables in a PostgreSQL database, in the schema `openworkflow`, made or migrated where need be.
 * Any number of processes may share it.
 * @param url `postgres://user:password@host:5432/database`
 * @param options `worker`: whether it is to be claimed from (default)
 * @throws ValidationError for what is no such URL, IoError where the database can't be opened
 */
export async function connectPostgres(
  url: string,
  { worker = true, logger = silentLogger }: { worker?: boolean; logger?: Logger } = {},
): Promise<EngineDatabase> {
  if (!isDatabaseUrl(url)) throw invalidUrl();
  const [, { BackendPostgres }] = await drivers();
  const { sql, sockets, close } = await openPool(url, worker, logger);
  const answered = async <Answer>(work: Promise<Answer>): Promise<Answer> => {
    // What else is under way on these connections gets no answer either.
    if (!(await settlesWithin(work, ANSWER_TIMEOUT_MS))) sockets.cut();
    return work;
  };
  const pooled: Backend = BackendPostgres.fromPool(sql);
  const backend = Object.assign(Object.create(pooled) as Backend, {
    createWorkflowRun: (run) => createRun(sql, run),
    createStepAttempt: (attempt) => createAttempt(sql, attempt as NewStepAttempt),
    extendWorkflowRunLease: (params) => answered(pooled.extendWorkflowRunLease(params)),
    // Claims go by the server's clock: so the wait is counted from there. OpenWorkflow puts what it gets into its statement.
    rescheduleWorkflowRunAfterFailedStepAttempt: ({ availableAt, ...params }) => {
      const fromNow = sql`now() + ${availableAt.getTime() - Date.now()} * INTERVAL '1 millisecond'`;
      return pooled.rescheduleWorkflowRunAfterFailedStepAttempt({ ...params, availableAt: fromNow as never });
    },
  } satisfies Partial<Backend>);
  const processId = randomUUID();
  const claims = new PostgresClaims(sql, SCHEMA, processId);
  const channel = new PostgresChannel(sql, processId, logger);
  return {
    backend,
    queries: new PostgresQueries(sql),
    claim: (...args) => answered(claims.claim(...args)),
    leave: () => claims.leave(),
    announce: (runId) => channel.announce(runId),
    listen: (listener) => channel.listen(listener),
    close: () => {
      channel.close();
      return close();
    },
  };
}

interface Pool {
  /** With the settings of its sessions. */
  readonly url: string;
  readonly sql: Sql;
  readonly sockets: PostgresSockets;
  readonly close: () => Promise<void>;
}

/** A pool on a database that has our tables and can be worked with. */
async function openPool(url: string, worker: boolean, logger: Logger): Promise<Pool> {
  let pool = await createPool(withSession(url, false));
  try {
    const facts = await firstAnswer(pool).catch(async (error: unknown) => {
      if (!isProtocolViolation(error)) throw error;
      await pool.close();
      pool = await createPool(withSession(url, true));
      return firstAnswer(pool);
    });
    if (await isPooledByTransaction(pool)) {
      throw new IoError(TRANSACTION_POOLING, { code: "engine_unavailable" });
    }
    if (worker && facts.readOnly) throw new IoError(READ_ONLY, { code: "engine_unavailable" });
    warnOf(facts, logger);
    await prepareSchema(pool.sql, pool.url, worker);
    return pool;
  } catch (cause) {
    await pool.close();
    throw isAbiError(cause) ? cause : openingError(cause, url);
  }
}

async function createPool(url: string, most = MOST_CONNECTIONS): Promise<Pool> {
  const [{ default: postgres }] = await drivers();
  const sockets = new PostgresSockets();
  const options = {
    max: most,
    socket: sockets.create, // not in its types
    onnotice: () => {}, // they would land on standard output
    transform: { column: { from: postgres.toCamel } }, // as OpenWorkflow has it
    // Not needed, and a connection that breaks while it asks for them is an unhandled rejection.
    fetch_types: false,
    // Seconds before it connects again; 20, as by default, would be long after a server is back.
    backoff: (retries: number) => Math.min(2 ** retries / 50, 1),
  };
  let sql: Sql;
  try {
    sql = postgres(url, options);
  } catch (error) {
    throw invalidUrl(error);
  }
  const close = async (): Promise<void> => {
    await sql.end({ timeout: CLOSE_TIMEOUT_S });
    sockets.close();
  };
  return { url, sql, sockets, close };
}

/** The driver tries again for ever where the other side closes the connection before it is open, or waits for a pooler that waits. */
async function firstAnswer({ sql, sockets }: Pool): Promise<SessionFacts> {
  const patienceS = sql.options.connect_timeout;
  const facts = readFacts(sql);
  if (await settlesWithin(facts, patienceS * 1000)) return facts;
  facts.catch(() => {});
  sockets.close();
  throw new IoError(noAnswer(patienceS), { code: "engine_unavailable" });
}

async function isPooledByTransaction({ url, sql }: Pool): Promise<boolean> {
  const second = await createPool(url, 1);
  try {
    const shares = sharesProcesses(sql, second.sql);
    shares.catch(() => {});
    // A pool in session mode that has no connection left lets it wait.
    return (await settlesWithin(shares, SECOND_SESSION_MS)) && (await shares);
  } finally {
    await second.close();
  }
}

function warnOf({ encoding, synchronousCommit }: SessionFacts, logger: Logger): void {
  if (encoding !== "UTF8") {
    logger.warn(
      { encoding },
      "the encoding of the workflow database lacks most characters, and runs that need them fail: make one with ENCODING 'UTF8'",
    );
  }
  if (synchronousCommit === "off") {
    logger.warn(
      "synchronous_commit is off by default in the workflow database: what was accepted just before its server crashes may be lost",
    );
  }
}

/** With a host or a database after the user: the driver would guess both. */
function isDatabaseUrl(url: string): boolean {
  const [, rest] = /^postgres(?:ql)?:\/\/(?:[^/?#]*@)?(.*)$/i.exec(url) ?? [];
  return rest !== undefined && /[^/?#\s]/.test(rest);
}

type NewWorkflowRun = Parameters<Backend["createWorkflowRun"]>[0];

/**
 * Makes a run, or finds the one that has its key, in one statement. OpenWorkflow takes a connection out of the pool for it, for
 * a transaction: postgres.js can't give it one where it does not ask for types first.
 */
async function createRun(sql: Sql, run: NewWorkflowRun): Promise<WorkflowRun> {
  const runs = sql`${sql(SCHEMA)}.workflow_runs`;
  const { workflowName, idempotencyKey, availableAt } = run;
  const [created] = await sql<WorkflowRun[]>`
    INSERT INTO ${runs} (namespace_id, id, workflow_name, status, idempotency_key, config, input, attempts,
      available_at, created_at, updated_at)
    VALUES (${DEFAULT_NAMESPACE_ID}, gen_random_uuid(), ${workflowName}, 'pending', ${idempotencyKey}, ${sql.json(run.config)},
      ${sql.json(run.input ?? null)}, 0, coalesce(${availableAt}, now()), date_trunc('milliseconds', now()), now())
    ON CONFLICT (namespace_id, workflow_name, idempotency_key) DO NOTHING
    RETURNING *`;
  if (created) return created;
  const [known] = await sql<WorkflowRun[]>`
    SELECT * FROM ${runs}
    WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND workflow_name = ${workflowName} AND idempotency_key = ${idempotencyKey}`;
  return known!;
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

  async runIds({
    workflow,
    status,
    input,
    startedSince,
    startedBefore,
    after,
    limit,
  }: StoredFilter): Promise<string[]> {
    const sql = this.#sql;
    const runs = sql`${sql(SCHEMA)}.workflow_runs`;
    const conditions = [sql`namespace_id = ${DEFAULT_NAMESPACE_ID}`];
    if (workflow !== undefined) conditions.push(sql`workflow_name = ${workflow}`);
    if (status !== undefined) conditions.push(sql.unsafe(STATUS_CONDITION[status]) as never);
    if (startedSince) conditions.push(sql`created_at >= ${startedSince}`);
    if (startedBefore) conditions.push(sql`created_at < ${startedBefore}`);
    for (const [field, value] of Object.entries(input ?? {})) {
      if (field === INDEXED_FIELD)
        conditions.push(sql`${sql.unsafe(INDEXED_PREFIX)} = left(${value}, ${PREFIX_LENGTH})`);
      conditions.push(sql`input -> 'input' ->> ${field}::text = ${value}`);
    }
    if (after !== undefined) {
      conditions.push(sql`(created_at, id) < (
        SELECT created_at, id FROM ${runs} WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND id = ${after})`);
    }
    const all = conditions.reduce((left, right) => sql`${left} AND ${right}`);
    const rows = await sql<{ id: string }[]>`
      SELECT id FROM ${runs} WHERE ${all} ORDER BY created_at DESC, id DESC LIMIT ${limit}`;
    return rows.map(({ id }) => id);
  }

  async steps(runId: string): Promise<StepRecord[]> {
    const sql = this.#sql;
    // Microseconds: attempts of one run begin one after the other.
    return sql<StepRecord[]>`
      SELECT step_name AS name, status, started_at, finished_at, error FROM ${sql(SCHEMA)}.step_attempts
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND workflow_run_id = ${runId} ORDER BY started_at, created_at, id`;
  }

  async attempts(runId: string, step: string): Promise<{ failed: number; running: number }> {
    const sql = this.#sql;
    const [row] = await sql<{ failed: number; running: number }[]>`
      SELECT count(*) FILTER (WHERE attempt.status = 'failed')::int
          - coalesce((run.config -> 'attempts_before' -> ${step}::text ->> 'failed')::int, 0) AS failed,
        count(*) FILTER (WHERE attempt.status = 'running')::int
          - coalesce((run.config -> 'attempts_before' -> ${step}::text ->> 'running')::int, 0) AS running
      FROM ${sql(SCHEMA)}.step_attempts AS attempt
      JOIN ${sql(SCHEMA)}.workflow_runs AS run
        ON run.namespace_id = attempt.namespace_id AND run.id = attempt.workflow_run_id
      WHERE run.namespace_id = ${DEFAULT_NAMESPACE_ID} AND run.id = ${runId} AND attempt.step_name = ${step}
        AND (run.config ? 'attempts_before'
          OR attempt.started_at >= coalesce((run.config ->> 'resubmitted_at')::timestamptz, '-infinity'))
      GROUP BY run.namespace_id, run.id`;
    return row ?? { failed: 0, running: 0 };
  }

  async cancel(runId: string): Promise<"cancelled" | "requested" | undefined> {
    const sql = this.#sql;
    const alive = sql`namespace_id = ${DEFAULT_NAMESPACE_ID} AND id = ${runId} AND status IN ('pending', 'running', 'sleeping')`;
    // Asked first: a run that is left meanwhile is either left before, and cancelled below, or sees this.
    const requested = await sql`
      UPDATE ${sql(SCHEMA)}.workflow_runs
      SET config = jsonb_set(config, '{cancel_requested}', to_jsonb(now())), updated_at = now() WHERE ${alive}`;
    const cancelled = await sql`
      UPDATE ${sql(SCHEMA)}.workflow_runs
      SET status = 'canceled', available_at = NULL, finished_at = now(), updated_at = now()
      WHERE ${alive} AND worker_id IS NULL`;
    if (cancelled.count > 0) return "cancelled";
    return requested.count > 0 ? "requested" : undefined;
  }

  async resubmit(runId: string, availableAt?: Date): Promise<boolean> {
    const sql = this.#sql;
    const { count } = await sql`
      UPDATE ${sql(SCHEMA)}.workflow_runs AS run
      SET status = 'pending', attempts = 0, available_at = coalesce(${availableAt ?? null}, now()), finished_at = NULL,
        error = NULL, worker_id = NULL,
        config = config - 'cancel_requested' - 'waiting' || jsonb_build_object('resubmitted_at', now(), 'attempts_before', (
          SELECT coalesce(jsonb_object_agg(step_name, jsonb_build_object('failed', failed, 'running', running)), '{}') FROM (
            SELECT step_name, count(*) FILTER (WHERE status = 'failed') AS failed,
              count(*) FILTER (WHERE status = 'running') AS running
            FROM ${sql(SCHEMA)}.step_attempts
            WHERE namespace_id = run.namespace_id AND workflow_run_id = run.id GROUP BY step_name
          ) AS counted)), updated_at = now()
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND id = ${runId} AND status IN ('failed', 'canceled')`;
    return count > 0;
  }

  async hasten(runId?: string): Promise<boolean> {
    const sql = this.#sql;
    const { count } = await sql`
      UPDATE ${sql(SCHEMA)}.workflow_runs SET available_at = least(available_at, now()), updated_at = now()
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND ${sql.unsafe(ON_BUDGET)}
        ${runId === undefined ? sql`` : sql`AND id = ${runId}`}`;
    return count > 0;
  }

  async park(runId: string, workerId: string, waiting: PendingDecision): Promise<boolean> {
    const sql = this.#sql;
    const { count } = await sql`
      UPDATE ${sql(SCHEMA)}.workflow_runs
      SET worker_id = NULL, available_at = NULL, updated_at = now(),
        config = config || jsonb_build_object('waiting', ${sql.json(waiting as never)}::jsonb)
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND id = ${runId} AND status = 'running' AND worker_id = ${workerId}
        AND config ->> 'cancel_requested' IS NULL AND config -> 'decisions' -> ${waiting.subject}::text IS NULL`;
    return count > 0;
  }

  async decide(runId: string, subject: string, decision: StoredDecision): Promise<boolean> {
    const sql = this.#sql;
    const decided = sql`jsonb_build_object(${subject}::text, ${sql.json(decision as never)}::jsonb)`;
    const { count } = await sql`
      UPDATE ${sql(SCHEMA)}.workflow_runs
      SET config = config - 'waiting' || jsonb_build_object('decisions', coalesce(config -> 'decisions', '{}') || ${decided}),
        available_at = CASE WHEN config ->> 'waiting' IS NULL THEN available_at ELSE now() END, updated_at = now()
      WHERE namespace_id = ${DEFAULT_NAMESPACE_ID} AND id = ${runId} AND status IN ('pending', 'running', 'sleeping')
        AND config -> 'decisions' -> ${subject}::text IS NULL
        AND coalesce(config -> 'waiting' ->> 'subject', ${subject}) = ${subject}`;
    return count > 0;
  }
}
