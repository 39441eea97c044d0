/** What is read of the tables, and the records that it becomes. */
import type { WireError } from "../../errors.ts";
import type { RunStatus } from "../engine.ts";
import type { DecisionRecord, EventRecord, EventType, RunRecord, SeenRun } from "../run-store.ts";

/** A run as it is read. */
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
  readonly error: WireError | null;
  readonly waiting_for: string | null;
}

export interface EventRow {
  readonly n: number;
  readonly type: EventType;
  readonly time: number;
  readonly name: string | null;
  readonly is_listed: boolean | null;
  readonly value?: string | null;
  readonly error: WireError | null;
  readonly is_final: boolean | null;
  readonly retry_until: number | null;
}

export type SeenRow = RunRow & { readonly events: readonly EventRow[] | null };
export type DecisionRow = { readonly value: string; readonly time: number };

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
    ...(row.error !== null && { error: row.error }),
    ...(row.waiting_for === null ? output : { waiting: { subject: row.waiting_for, ...output } }),
  };
};

export const toEvent = (row: EventRow): EventRecord => ({
  n: row.n,
  type: row.type,
  time: row.time,
  ...(row.name !== null && { name: row.name }),
  ...(row.is_listed !== null && { listed: row.is_listed }),
  ...(row.value != null && { valueJson: row.value }),
  ...(row.error !== null && { error: row.error }),
  ...(row.is_final !== null && { isFinal: row.is_final }),
  ...(row.retry_until !== null && { retryUntil: row.retry_until }),
});

export const toSeen = (row: SeenRow): SeenRun => ({ run: toRunRecord(row), events: (row.events ?? []).map(toEvent) });

export const toDecision = ({ value, time }: DecisionRow): DecisionRecord => ({ valueJson: value, time });
