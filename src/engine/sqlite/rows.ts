/** Rows of the tables, and the records that they become. */
import type { WireError } from "../../errors.ts";
import type { RunStatus } from "../engine.ts";
import type { EventRecord, EventType, RunRecord } from "../run-store.ts";

/** A row of `runs`; see `schema.ts`. */
export interface RunRow {
  readonly seq: number;
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly input: string;
  readonly status: RunStatus;
  readonly priority: number;
  readonly created_at: number;
  readonly due_at: number | null;
  readonly is_held: 0 | 1;
  readonly epoch: number;
  readonly resumed_at: number | null;
  readonly cancel_requested: 0 | 1;
  readonly waiting_for: string | null;
  readonly output: string | null;
  readonly error: string | null;
  readonly ended_at: number | null;
}

/** A row of `events`. */
export interface EventRow {
  readonly n: number;
  readonly type: EventType;
  readonly time: number;
  readonly name: string | null;
  readonly is_listed: 0 | 1 | null;
  readonly value?: string | null;
  readonly error: string | null;
  readonly is_final: 0 | 1 | null;
  readonly retry_until: number | null;
}

const toError = (json: string): WireError => JSON.parse(json) as WireError;

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
  ...(row.is_listed !== null && { listed: row.is_listed === 1 }),
  ...(row.value != null && { valueJson: row.value }),
  ...(row.error !== null && { error: toError(row.error) }),
  ...(row.is_final !== null && { isFinal: row.is_final === 1 }),
  ...(row.retry_until !== null && { retryUntil: row.retry_until }),
});
