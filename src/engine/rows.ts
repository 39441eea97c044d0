/**
 * SQL for SQLite and PostgreSQL that returns rows in the shape of the records in `run-store.ts`.
 */
import type { RunCounts, RunStatus } from "./engine.ts";

/** Without the CASTs, the PostgreSQL driver would parse the JSON. */
export const RUN_COLUMNS = `seq, id, workflow, key, CAST(input AS text) AS "inputJson", status, created_at AS "createdAt",
  due_at AS "dueAt", resumed_at AS "resumedAt", ended_at AS "endedAt", CAST(output AS text) AS "outputJson",
  CAST(error AS text) AS "errorJson", waiting_for AS "waitingFor"`;

/** Leaves out step results and the values of decisions; `EVENT_VALUE` adds them. */
export const EVENT_COLUMNS = `n, type, time, name, is_listed AS listed, CAST(error AS text) AS "errorJson", is_final AS "isFinal",
  retry_until AS "retryUntil"`;
export const EVENT_VALUE = 'CAST(value AS text) AS "valueJson"';

/** An SQL expression for the time when the current row's run last began to wait for a person. */
export const waitingSince = (events: string): string =>
  `(SELECT time FROM ${events} WHERE run = seq AND type = 'waiting' ORDER BY n DESC LIMIT 1)`;

export interface CountRow {
  readonly workflow: string;
  readonly status: RunStatus;
  readonly count: number;
}

/**
 * How long, in milliseconds, the oldest due run of a workflow has been due, and the oldest waiting
 * one has waited for a person.
 */
export interface Ages {
  /** Negative or null if none is due. */
  readonly dueForMs: number | null;
  /** Null if none waits. */
  readonly waitedForMs: number | null;
}

export const toCounts = (rows: readonly CountRow[], agesOf: (workflow: string) => Ages): RunCounts[] =>
  [...Map.groupBy(rows, ({ workflow }) => workflow)].map(([workflow, ofWorkflow]) =>
    countsOf(workflow, ofWorkflow, agesOf(workflow)),
  );

const countsOf = (workflow: string, rows: readonly CountRow[], { dueForMs, waitedForMs }: Ages): RunCounts => ({
  workflow,
  byStatus: Object.fromEntries(rows.map(({ status, count }) => [status, count])),
  ...(dueForMs !== null && dueForMs >= 0 && { oldestDueMs: dueForMs }),
  ...(waitedForMs !== null && { oldestWaitingMs: Math.max(0, waitedForMs) }),
});
