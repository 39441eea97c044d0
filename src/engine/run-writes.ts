/** What the writes of a run mean, the same for every store. */
import type { RunStatus } from "./engine.ts";
import type { Batch, EventRecord, RunWrite } from "./run-store.ts";

/** Writes about a step. */
export type StepWrite = Extract<RunWrite, { kind: "begin" | "complete" | "fail" }>;

export type EndWrite = Extract<RunWrite, { kind: "end" }>;

/** Writes that release the run. Any write after one of these is lost. */
export type ReleasingWrite = Exclude<RunWrite, StepWrite>;

export const releases = (write: RunWrite): write is ReleasingWrite =>
  write.kind === "end" || write.kind === "reschedule" || write.kind === "park";

/** The position of the write that releases the run; Infinity if none does. */
export function releaseAt(writes: readonly RunWrite[]): number {
  const at = writes.findIndex(releases);
  return at === -1 ? Infinity : at;
}

export const mustBeFlushed = ({ accepts, runs }: Batch): boolean =>
  accepts.length > 0 || runs.some(({ writes }) => writes.some((write) => !("isFlushed" in write) || write.isFlushed));

/**
 * An event without its number. Fields that are left out are null, except `valueJson`, which stays
 * absent.
 */
export type NewEvent = Pick<EventRecord, "type" | "time"> & Partial<EventRecord>;

export const toEvent = (n: number, event: NewEvent): EventRecord => ({
  name: null,
  listed: null,
  errorJson: null,
  isFinal: null,
  retryUntil: null,
  ...event,
  n,
});

/** What a write adds to the events of its run, if it takes effect. */
export function eventOf(write: StepWrite | EndWrite): NewEvent {
  const { kind, time } = write;
  if (kind === "end") {
    const { status, errorJson } = endedBy(write);
    return { type: status, time, errorJson };
  }
  const { step: name, listed } = write;
  if (kind === "begin") return { type: "step_started", time, name, listed };
  if (kind === "complete") return { type: "step_completed", time, name, listed, valueJson: write.outputJson ?? null };
  const { error, isFinal, retryUntil = null } = write;
  return { type: "step_failed", time, name, listed, errorJson: JSON.stringify(error), isFinal, retryUntil };
}

/** The state of a run that has ended. */
export interface Ended {
  readonly status: Extract<RunStatus, "completed" | "failed">;
  readonly outputJson: string | null;
  readonly errorJson: string | null;
}

export const endedBy = (end: EndWrite): Ended =>
  "error" in end
    ? { status: "failed", outputJson: null, errorJson: JSON.stringify(end.error) }
    : { status: "completed", outputJson: end.outputJson ?? null, errorJson: null };
