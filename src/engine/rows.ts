/** Rows as both databases give them, and the records that they become. */
import type { WireError } from "../errors.ts";
import type { RunCounts, RunStatus } from "./engine.ts";
import type { DecisionRecord, EventRecord, EventType, RunRecord } from "./run-store.ts";

/** SQLite has no truth values and no JSON of its own. */
type Flag = boolean | 0 | 1;
type ErrorValue = WireError | string;

export interface RunRow {
  readonly seq: number;
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly input: string;
  readonly status: RunStatus;
  readonly created_at: number;
  readonly due_at: number | null;
  readonly resumed_at: number | null;
  readonly ended_at: number | null;
  readonly output: string | null;
  readonly error: ErrorValue | null;
  readonly waiting_for: string | null;
}

export interface EventRow {
  readonly n: number;
  readonly type: EventType;
  readonly time: number;
  readonly name: string | null;
  readonly is_listed: Flag | null;
  readonly value?: string | null;
  readonly error: ErrorValue | null;
  readonly is_final: Flag | null;
  readonly retry_until: number | null;
}

export interface DecisionRow {
  readonly value: string;
  readonly time: number;
}

export interface CountRow {
  readonly workflow: string;
  readonly status: RunStatus;
  readonly count: number;
}

const toError = (value: ErrorValue): WireError =>
  typeof value === "string" ? (JSON.parse(value) as WireError) : value;

export const toRunRecord = (row: RunRow): RunRecord => {
  const output = row.output === null ? {} : { outputJson: row.output };
  return {
    seq: row.seq,
    id: row.id,
    workflow: row.workflow,
    key: row.key,
    inputJson: row.input,
    status: row.status,
    createdAt: row.created_at,
    ...(row.due_at !== null && { dueAt: row.due_at }),
    ...(row.resumed_at !== null && { resumedAt: row.resumed_at }),
    ...(row.ended_at !== null && { endedAt: row.ended_at }),
    ...(row.error !== null && { error: toError(row.error) }),
    ...(row.waiting_for === null ? output : { waiting: { subject: row.waiting_for, ...output } }),
  };
};

export const toEvent = (row: EventRow): EventRecord => ({
  n: row.n,
  type: row.type,
  time: row.time,
  ...(row.name !== null && { name: row.name }),
  ...(row.is_listed !== null && { listed: Boolean(row.is_listed) }),
  ...(row.value != null && { valueJson: row.value }),
  ...(row.error !== null && { error: toError(row.error) }),
  ...(row.is_final !== null && { isFinal: Boolean(row.is_final) }),
  ...(row.retry_until !== null && { retryUntil: row.retry_until }),
});

export const toDecision = ({ value, time }: DecisionRow): DecisionRecord => ({ valueJson: value, time });

/** Since when the run of a workflow that has waited longest for a person has waited. */
export interface WaitingRow {
  readonly workflow: string;
  readonly since: number;
}

/** When a run that waits for a person began to: the last time, where it has waited before. */
export const waitingSince = (events: string): string =>
  `(SELECT time FROM ${events} WHERE run = seq AND type = 'waiting' ORDER BY n DESC LIMIT 1)`;

/**
 * @param dueForMs how long the run of a workflow that has been due longest has been so; negative where none is
 * @param waitedForMs how long the one that has waited longest for a person has; undefined where none does
 */
export function toCounts(
  rows: readonly CountRow[],
  dueForMs: (workflow: string) => number,
  waitedForMs: (workflow: string) => number | undefined,
): RunCounts[] {
  return [...Map.groupBy(rows, ({ workflow }) => workflow)].map(([workflow, ofWorkflow]) => {
    const byStatus = Object.fromEntries(ofWorkflow.map(({ status, count }) => [status, count]));
    const oldestDueMs = dueForMs(workflow);
    const waitedMs = waitedForMs(workflow);
    const due = oldestDueMs < 0 ? {} : { oldestDueMs };
    const waiting = waitedMs === undefined ? {} : { oldestWaitingMs: Math.max(0, waitedMs) };
    return Object.assign({ workflow, byStatus }, due, waiting);
  });
}
