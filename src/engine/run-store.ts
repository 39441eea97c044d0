/**
 * The port to the database: a store keeps runs and what happened to them, and finds due runs. It
 * knows nothing about handlers and doesn't decide on retries; the engine knows nothing about SQL.
 * Times are milliseconds since 1970, texts named `…Json` are JSON.
 *
 * A run is in one of four states:
 *
 * | state   | what it has              | what changes it                                   |
 * | ------- | ------------------------ | ------------------------------------------------- |
 * | due     | a due time, now or later | `claim`, `cancel`                                 |
 * | held    | a worker and an epoch    | a write that releases it, the worker's death      |
 * | waiting | a subject to be decided  | `decide`, `cancel`                                |
 * | ended   | an end time              | `forget`; unless completed: `retry`, resubmission |
 *
 * `claim` raises the epoch, and a write counts only under the current one. So a worker that was
 * stopped, cut off or believed dead can't overwrite anything when it continues: its writes answer
 * "lost".
 */
import type { WireError } from "../errors.ts";
import type { RunCounts, RunOrder, RunStatus } from "./engine.ts";

/** A run as it is stored. */
export interface RunRecord {
  /** Rises in the order in which runs were accepted; the store's own id of a run. */
  readonly seq: number;
  /** A UUID. */
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly inputJson: string;
  readonly status: RunStatus;
  readonly createdAt: number;
  /**
   * When it is due to be claimed; null while it is executed, waits for a person, or has ended.
   */
  readonly dueAt: number | null;
  /** When it was last resumed after it had failed or been cancelled; never the same time twice. */
  readonly resumedAt: number | null;
  readonly endedAt: number | null;
  /**
   * If it completed: what the handler returned. While it waits for a person: what it knows so far.
   */
  readonly outputJson: string | null;
  readonly errorJson: string | null;
  /** While it waits for a person: the subject of the decision. */
  readonly waitingFor: string | null;
}

/** A boolean as the database represents it. */
export type Flag = boolean | 0 | 1;

/**
 * What can happen to a run after it was accepted. `waiting`: it began to wait for a person.
 * `resumed` may follow `failed` and `cancelled`.
 */
export type EventType =
  | "step_started"
  | "step_completed"
  | "step_failed"
  | "waiting"
  | "decided"
  | "resumed"
  | "completed"
  | "failed"
  | "cancelled";

/** An event, which never changes once it is stored. */
export interface EventRecord {
  /** Positive, and rising in the order in which a run's events were written, with gaps. */
  readonly n: number;
  readonly type: EventType;
  readonly time: number;
  /** The step, or the subject of a decision. */
  readonly name: string | null;
  /** Whether callers see the step; null if the event is not about a step. */
  readonly listed: Flag | null;
  /**
   * The result of a step, or what was decided. Absent if there is no value, or values were not
   * requested.
   */
  readonly valueJson?: string | null;
  /** The error of the step or the run. */
  readonly errorJson: string | null;
  /** For a failed step: whether it isn't tried again before the run is resumed. */
  readonly isFinal: Flag | null;
  /** For a failed step on its retry budget: when that ends. */
  readonly retryUntil: number | null;
}

/** A decision on a subject; the first one counts. */
export interface DecisionRecord {
  readonly valueJson: string;
  readonly time: number;
}

/**
 * The right to execute a run, until the run is left or claimed again (then under a higher epoch).
 */
export interface Hold {
  readonly seq: number;
  readonly epoch: number;
  readonly workflow: string;
}

/** A run that this process has claimed, with everything stored about it. */
export interface ClaimedRun {
  readonly hold: Hold;
  readonly run: RunRecord;
  readonly events: readonly EventRecord[];
  /** Whether, as far as is stored, no worker has executed it before. */
  readonly isFirstExecution: boolean;
}

/** A run to accept. */
export interface NewRunRecord {
  /**
   * A UUID that the caller created, so that the run is recognized when it is submitted again after
   * a lost answer.
   */
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly inputJson: string;
  /** Default: at once. */
  readonly availableAt?: number;
  readonly priority: number;
}

/**
 * How a run was accepted (see `StartedRun`). `conflict`: its key was used with different content.
 */
export interface Accepted {
  readonly id: string;
  readonly outcome: "created" | "resumed" | "existing" | "conflict";
}

/**
 * What a worker writes about a run that it holds. `end`, `reschedule` and `park` release the run. A
 * power cut may lose a write whose `isFlushed` is false: the beginning of a step, or the result of
 * a step that may be repeated. All other writes must be on disk.
 */
export type RunWrite =
  | {
      readonly kind: "begin";
      readonly step: string;
      readonly listed: boolean;
      readonly time: number;
      readonly isFlushed: boolean;
    }
  | {
      readonly kind: "complete";
      readonly step: string;
      readonly listed: boolean;
      readonly time: number;
      readonly outputJson: string | undefined;
      readonly isFlushed: boolean;
    }
  | {
      readonly kind: "fail";
      readonly step: string;
      readonly listed: boolean;
      readonly time: number;
      readonly error: WireError;
      readonly isFinal: boolean;
      readonly retryUntil?: number;
    }
  | { readonly kind: "end"; readonly time: number; readonly outputJson: string | undefined }
  | { readonly kind: "end"; readonly time: number; readonly error: WireError }
  /**
   * The run is due again after `delayMs`. If its cancellation was requested, it is cancelled
   * instead.
   */
  | { readonly kind: "reschedule"; readonly delayMs: number; readonly retryUntil?: number }
  /**
   * The run waits for a person; `outputJson` is what it knows so far. If the decision has been made
   * in the meantime, the run is due at once instead. If its cancellation was requested, it is
   * cancelled.
   */
  | { readonly kind: "park"; readonly subject: string; readonly outputJson?: string };

/**
 * The outcome of a write. `lost`: the run is no longer held under this epoch, so nothing was
 * written. `cancelled`: cancellation was requested, so the step was not begun, or the run has ended
 * instead of being rescheduled or parked.
 */
export type WriteOutcome = "done" | "lost" | "cancelled";

/** Writes of one run, in their order. They take effect together or not at all. */
export interface RunWrites {
  readonly hold: Hold;
  readonly writes: readonly RunWrite[];
}

/** What is written in one transaction, with one flush. */
export interface Batch {
  readonly accepts: readonly NewRunRecord[];
  readonly runs: readonly RunWrites[];
}

export interface BatchOutcome {
  readonly accepts: readonly Accepted[];
  /** For each run, the outcomes of its writes. */
  readonly runs: readonly (readonly WriteOutcome[])[];
}

/** Which runs a process wants to execute. */
export interface ClaimRequest {
  /** How many runs to claim at most. */
  readonly most: number;
  /**
   * The workflows whose runs may be claimed, and for each the limit on its concurrent runs in all
   * processes together; null: no limit.
   */
  readonly workflows: ReadonlyMap<string, number | null>;
  /** The runs that this process is already executing. */
  readonly held: readonly Hold[];
}

export interface Claimed {
  readonly runs: readonly ClaimedRun[];
  /** When the next run of these workflows becomes due. */
  readonly nextDueAt?: number;
  /** Whether more runs are due that could not be claimed yet. Absent: perhaps. */
  readonly isMoreDue?: boolean;
}

export interface RunQuery {
  readonly workflow?: string;
  readonly status?: RunStatus;
  readonly input?: Readonly<Record<string, string>>;
  readonly startedSince?: number;
  readonly startedBefore?: number;
  /** Workflows whose completed runs are left out. */
  readonly withoutCompleted?: readonly string[];
  /** Default: the newest first. */
  readonly order?: RunOrder;
  /** Id of a run: only runs that come after it in this order. */
  readonly after?: string;
  readonly limit: number;
}

/** A run as callers see it: its events may come without values. */
export interface SeenRun {
  readonly run: RunRecord;
  readonly events: readonly EventRecord[];
}

/** What `decide` found. */
export interface DecisionOutcome {
  readonly taken: boolean;
  /** The first decision on the subject. */
  readonly decision?: DecisionRecord;
  /** Absent if the run is unknown. */
  readonly run?: RunRecord;
}

/**
 * Where runs are stored. Promises reject if the database fails. When they resolve, what was written
 * is on disk, except where a method says otherwise.
 */
export interface RunStore {
  /**
   * Whether it wants each write separately and at once. Writes then share no transaction, and none
   * is repeated after a failure. Default: false.
   */
  readonly isUngrouped?: boolean;

  /**
   * How long a write waits for writes of other runs, to share a transaction. Milliseconds; default:
   * not at all.
   */
  readonly gatherMs?: number;

  /** The highest `concurrency` of an engine or a workflow that it supports. Default: any. */
  readonly highestConcurrency?: number;

  /** Creates an index on a top-level field of the inputs, for `find`. */
  index(field: string): Promise<void>;

  /**
   * Accepts runs, and stores what workers have done, in one transaction. It is flushed if a write
   * needs that (`mustBeFlushed`), together with everything written before.
   *
   * A batch may be written twice, if the first answer was lost. The second time must have no effect
   * and give the same outcomes.
   */
  write(batch: Batch): Promise<BatchOutcome>;

  /** Whether a write failed because of its content, so that repeating it is useless. */
  isUnwritable(error: unknown): boolean;

  /**
   * What an operator should check when the database fails. It continues a sentence after a colon,
   * ends it, and may add further sentences.
   */
  adviceFor(error: unknown): string;

  /**
   * Claims due runs: the highest priority first, then the longest due. This need not be flushed:
   * after a power cut, the runs are due again.
   */
  claim(request: ClaimRequest): Promise<Claimed>;

  /** Events of a run after the n-th, without values. */
  events(seq: number, after: number): Promise<EventRecord[]>;

  /** The decision on a subject, if it has been made. */
  decision(seq: number, subject: string): Promise<DecisionRecord | undefined>;

  /**
   * Stores the first decision on a subject, and makes the run that waits for it due. Without
   * `take`, it only reads.
   */
  decide(id: string, subject: string, decision: DecisionRecord, options: { take: boolean }): Promise<DecisionOutcome>;

  byId(id: string): Promise<SeenRun | undefined>;
  byKey(workflow: string, key: string): Promise<SeenRun | undefined>;
  find(query: RunQuery): Promise<SeenRun[]>;
  counts(): Promise<RunCounts[]>;

  /** Deletes a run that has ended, so that its key may be used again. Otherwise returns false. */
  forget(id: string): Promise<boolean>;

  /**
   * Makes a run due now if it has failed, was cancelled, or waits to retry a step on its retry
   * budget. Otherwise returns false.
   */
  retry(id: string): Promise<boolean>;

  /**
   * Makes all runs that wait to retry a step on its retry budget due now. Returns false if there are
   * none.
   */
  hastenRetries(): Promise<boolean>;

  /**
   * Cancels a run that nobody executes; if a worker holds it, asks that worker to stop before its
   * next step that is not eager.
   * @returns undefined if it has ended or is unknown
   */
  cancel(id: string): Promise<"cancelled" | "requested" | undefined>;

  /**
   * Announces to other processes on this database that a run has changed. Never fails: if an
   * announcement is lost, polling makes up for it.
   */
  announce(id: string): void;
  /**
   * Calls `listener` with ids that others announce, and with undefined when some may have been
   * missed.
   */
  listen(listener: (id: string | undefined) => void): void;

  /**
   * Announces that this process claims no more runs, so that another worker gets its turn in
   * workflows with a limit.
   */
  leaveQueue(): Promise<void>;
  close(): Promise<void>;
}
