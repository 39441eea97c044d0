/**
 * The port behind the engine: where runs and their steps are kept, and what is due is found. It knows no handlers, timers or
 * policies; the engine knows no SQL. Times are milliseconds since 1970, texts named `…Json` are JSON.
 */
import type { WireError } from "../errors.ts";
import type { RunCounts, RunStatus } from "./engine.ts";

/** A run as it is stored. */
export interface RunRecord {
  /** In the order in which runs were accepted; the store's own name for a run. */
  readonly seq: number;
  /** A UUID. */
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly inputJson: string;
  readonly status: RunStatus;
  readonly createdAt: number;
  /** When it is to be taken up; null while it is at work, waits for a person, or has ended. */
  readonly dueAt: number | null;
  /** When it was last submitted again after it had failed or been cancelled; never the same twice. */
  readonly resumedAt: number | null;
  readonly endedAt: number | null;
  /** While it waits for a person, what it knows so far. */
  readonly outputJson: string | null;
  readonly errorJson: string | null;
  /** While it waits for a person: the subject of the decision. */
  readonly waitingFor: string | null;
}

/** A truth value as the database has it. */
export type Flag = boolean | 0 | 1;

/**
 * What happens to a run, written down once and never changed. `waiting`: for a person; `cancelled` and `failed` may be followed by
 * `resumed`.
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

export interface EventRecord {
  /** Positive, and rises in the order in which the events of a run were written; there may be gaps. */
  readonly n: number;
  readonly type: EventType;
  readonly time: number;
  /** The step, or the subject of a decision. */
  readonly name: string | null;
  /** Whether callers see the step; null where the event is none of a step. */
  readonly listed: Flag | null;
  /** What a step returned, where it returned something; what was decided. Absent where values were not asked for. */
  readonly valueJson?: string | null;
  /** What a step or the run failed with. */
  readonly errorJson: string | null;
  /** Of a failed step: it is not tried again before the run is resumed. */
  readonly isFinal: Flag | null;
  /** Of a failed step that is tried again on its retry budget: until when. */
  readonly retryUntil: number | null;
}

/** A decision on a subject; the first one stands. */
export interface DecisionRecord {
  readonly valueJson: string;
  readonly time: number;
}

/**
 * The right to execute a run. Each time that a run is taken up it gets a higher epoch; what is written under an older one, or
 * after the run was left, has no effect.
 */
export interface Hold {
  readonly seq: number;
  readonly epoch: number;
  readonly workflow: string;
}

/** A run that this process has taken up, with all that is known of it. */
export interface TakenRun {
  readonly hold: Hold;
  readonly run: RunRecord;
  readonly events: readonly EventRecord[];
}

/** A run to accept. */
export interface NewRunRecord {
  /** A UUID of the caller's making: so it finds its own where only the answer was lost. */
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly inputJson: string;
  /** At once where absent. */
  readonly availableAt?: number;
  readonly priority: number;
}

/** How a run was accepted, see `StartedRun`; `conflict`: its key has other content. */
export interface Accepted {
  readonly id: string;
  readonly outcome: "created" | "resumed" | "existing" | "conflict";
}

/** What is written of a run at work. */
export type RunWrite =
  | { readonly kind: "begin"; readonly step: string; readonly listed: boolean; readonly time: number }
  | {
      readonly kind: "complete";
      readonly step: string;
      readonly listed: boolean;
      readonly time: number;
      readonly outputJson: string | undefined;
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
  /** The run is due again after this time; at once where it is 0. Asked to be cancelled, it is. */
  | { readonly kind: "put_off"; readonly delayMs: number; readonly retryUntil?: number }
  /** The run waits for a person; `outputJson` is what it knows so far. Decided on meanwhile, it is due at once; asked to be cancelled, it is. */
  | { readonly kind: "park"; readonly subject: string; readonly outputJson?: string };

/**
 * What came of a write. `lost`: the run is not held under this epoch any more, and nothing was written. `cancelled`: somebody has asked
 * for it; a step was not begun, a run that was left has ended.
 */
export type WriteOutcome = "done" | "lost" | "cancelled";

/** Writes of one run, in their order. They take effect together or not at all. */
export interface RunWrites {
  readonly hold: Hold;
  readonly writes: readonly RunWrite[];
}

/** What is written together, with one flush of the disk. */
export interface Batch {
  readonly accepts: readonly NewRunRecord[];
  readonly runs: readonly RunWrites[];
}

export interface BatchOutcome {
  readonly accepts: readonly Accepted[];
  /** For each run, for each of its writes. */
  readonly runs: readonly (readonly WriteOutcome[])[];
}

/** Which runs a process wants. */
export interface TakeUpRequest {
  /** At most so many. */
  readonly most: number;
  /** Of these workflows, with how many runs of each may be at work in all processes; null: any number. */
  readonly workflows: ReadonlyMap<string, number | null>;
  /** What this process executes. */
  readonly held: readonly Hold[];
}

export interface TakenUp {
  readonly runs: readonly TakenRun[];
  /** When the next run of these workflows is due that waits for its time. */
  readonly nextDueAt?: number;
}

export interface RunQuery {
  readonly workflow?: string;
  readonly status?: RunStatus;
  readonly input?: Readonly<Record<string, string>>;
  readonly startedSince?: number;
  readonly startedBefore?: number;
  /** Id of a run: only what was accepted before it. */
  readonly after?: string;
  readonly limit: number;
}

/** A run as it stands for a look from outside: its events come without what steps returned and what was decided. */
export interface SeenRun {
  readonly run: RunRecord;
  readonly events: readonly EventRecord[];
}

/** What a decision met. */
export interface DecisionOutcome {
  readonly taken: boolean;
  /** That which stands on the subject. */
  readonly decision?: DecisionRecord;
  /** The run; absent where it is unknown. */
  readonly run?: RunRecord;
}

/** All methods reject where the database fails; what they have promised is on disk when they resolve. */
export interface RunStore {
  /** Has a field of the inputs, at their top, looked up at once by `find`. */
  index(field: string): Promise<void>;

  /**
   * Accepts runs, and writes down what runs at work have done, in one transaction. Steps that are merely begun need not be flushed:
   * what a power cut takes of them is begun again.
   */
  write(batch: Batch): Promise<BatchOutcome>;

  /** Whether a write failed because of what was to be written, so that it fails however often it is tried. */
  isUnwritable(error: unknown): boolean;

  /** What to look at where it fails, in a sentence or two for people. */
  troubleOf(error: unknown): string;

  /** Takes up what has been due longest, higher priority first. */
  takeUp(request: TakeUpRequest): Promise<TakenUp>;

  /** Events of a run, those after the n-th, without what steps returned and what was decided. */
  events(seq: number, after: number): Promise<EventRecord[]>;

  /** A decision on a subject, where it was made. */
  decision(seq: number, subject: string): Promise<DecisionRecord | undefined>;

  /** Keeps the first decision on a subject, and lets a run that waits for it go on. Without `take` it only tells what stands. */
  decide(id: string, subject: string, decision: DecisionRecord, options: { take: boolean }): Promise<DecisionOutcome>;

  byId(id: string): Promise<SeenRun | undefined>;
  byKey(workflow: string, key: string): Promise<SeenRun | undefined>;
  /** Newest first. */
  find(query: RunQuery): Promise<SeenRun[]>;
  counts(): Promise<RunCounts[]>;

  /** Removes a run that has ended, with all that is known of it: its key may be used anew. False where it has not ended or is unknown. */
  forget(id: string): Promise<boolean>;

  /**
   * Lets a run that failed or was cancelled go on from the step where it stopped, and tries a step that lives on its retry budget
   * now. False where neither is the case.
   */
  resume(id: string): Promise<boolean>;

  /** The latter for all runs. False where there is none. */
  hasten(): Promise<boolean>;

  /**
   * Ends a run that nobody executes, and asks whoever executes one to leave it at the next step.
   * @returns undefined where it has ended or is unknown
   */
  cancel(id: string): Promise<"cancelled" | "requested" | undefined>;

  /** Tells other processes on this database that something has happened to a run. Never fails; what gets lost is found by polling. */
  announce(id: string): void;
  /** Calls `listener` with what others announce, and with undefined where something may have been missed. */
  listen(listener: (id: string | undefined) => void): void;

  /** Gives up this process's turn where it waits for a place of a workflow: it takes up nothing any more. */
  leave(): Promise<void>;
  close(): Promise<void>;
}
