/**
 * The port for durable execution. A run is started under a key, executed step by step, and survives
 * its process: the result of a step is stored before the next step begins, and is never computed
 * again (for exceptions, see `StepOptions`). `execution.ts` says what each crash leaves behind.
 */
import type { WireError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { RetryBudget } from "../retry-policies.ts";

/**
 * All statuses of a run. `waiting_for_approval`: it waits for a person and occupies no worker in
 * the meantime.
 */
export const RUN_STATUSES = [
  "started",
  "processing",
  "waiting_for_approval",
  "completed",
  "failed",
  "cancelled",
] as const;

/** One of the statuses of a run. `completed`, `failed` and `cancelled` are final, but a failed run can be retried. */
export type RunStatus = (typeof RUN_STATUSES)[number];

export const isTerminal = (status: RunStatus): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

/** Whether nothing more happens without help, because the run has ended or waits for a person. */
export const isAtRest = (status: RunStatus): boolean => isTerminal(status) || status === "waiting_for_approval";

/** A run as it is stored. Times are UTC. */
export interface Run {
  /** `workflow-<uuid>`. */
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  /** The input that it was started with. */
  readonly input: Json;
  readonly status: RunStatus;
  /**
   * The listed step that is running or waits for its retry. Once the run has ended: its last step; if it is `completed`, the last step
   * that completed (not one whose failure was caught).
   */
  readonly currentStep?: string;
  /** Listed steps that have completed, in their order. */
  readonly stepsCompleted: readonly string[];
  readonly startTime: Date;
  readonly endTime?: Date;
  /** What the handler returned; only when `completed`. */
  readonly output?: Json;
  /** Why it failed; only when `failed`. */
  readonly error?: WireError;
  /** What a person has to decide; only when `waiting_for_approval`. */
  readonly waitingFor?: PendingDecision;
  /** The step that keeps failing and is being retried; only while `processing`. */
  readonly failing?: FailingStep;
}

/** A step that has failed and is retried automatically. */
export interface FailingStep {
  readonly step: string;
  /** Attempts that have failed since the run was last submitted. */
  readonly attempts: number;
  /** When the first of them failed. */
  readonly since: Date;
  /** Why the last of them failed. */
  readonly error: WireError;
  /** Absent while it is being tried. */
  readonly nextTry?: Date;
  /**
   * Only if the step is retried on its `StepOptions.retryBudget`: when that ends. Callers don't
   * wait that long.
   */
  readonly until?: Date;
}

/** A decision that a run waits for. */
export interface PendingDecision {
  /** What the decision is about; see `RunContext.decision`. */
  readonly subject: string;
  /** What the run knows so far. */
  readonly output?: Json;
}

/** The first decision on a subject; it never changes. */
export interface Decision {
  readonly value: Json;
  readonly time: Date;
}

/** The last date that all databases can store and compare. */
export const LATEST_START = new Date("9999-12-31T23:59:59.999Z");

export const isStartTime = (time: unknown): time is Date => time instanceof Date && time <= LATEST_START;

/** The message for an invalid start time. */
export const NO_START_TIME = "must be a valid date before the year 10000";

/** What a run is started with. */
export interface NewRun {
  readonly key: string;
  /** Identifies the content: the same key with a different fingerprint is a conflict. */
  readonly fingerprint: string;
  readonly input: Json;
  /**
   * The earliest time to start, at most `LATEST_START`; until then the run is `started`. An
   * existing run keeps its time, unless it had failed or was cancelled. Default: at once.
   */
  readonly availableAt?: Date;
  /**
   * Due runs are claimed by priority, highest first. An integer from -1000 to 1000; default 0.
   */
  readonly priority?: number;
}

/** The answer to a start. */
export interface StartedRun {
  readonly id: string;
  /**
   * `created`: a new run. `resumed`: a run that had failed or was cancelled continues from the step where it stopped, or a step on
   * its `retryBudget` is tried now. `existing`: the same content is already being processed, or done.
   */
  readonly outcome: "created" | "resumed" | "existing";
}

/** Options of one step. */
export interface StepOptions {
  /**
   * How long to keep retrying after the engine's ordinary attempts are used up. Meanwhile the run
   * stays `processing`, occupies no worker and doesn't count toward the workflow's `concurrency`,
   * and callers who wait for it get an answer (`Run.failing`). The time is counted from recorded
   * failures, so a restart does not extend it.
   */
  readonly retryBudget?: RetryBudget;
  /**
   * Whether the result must be on disk before the run continues; default true. With false, the
   * result can be lost in a power cut, in a crash of the database server, or if the process dies
   * in the 20 ms or so before it is stored; the step is then repeated. Use it for steps that only
   * read or compute, or that always write the same thing. If a later step must not rely on a result
   * that could still be lost, leave this option out for that later step: it waits until earlier
   * results are on disk. With `"earlier"`, a step waits for these too, but its own result need not
   * be on disk.
   */
  readonly flush?: boolean | "earlier";
  /**
   * Whether the work may start before anything is stored about it, and before the results of earlier
   * steps are stored; default false. It saves a round trip to the database, and implies
   * `flush: false`. If the process dies before those results are stored, the earlier steps are
   * repeated as well. A run that is cancelled may still execute its next eager step. Use it for
   * steps that only read or compute, or whose work doesn't depend on what earlier steps found. If a
   * run was interrupted before, its steps wait as usual, so that a step that ends its process is
   * not repeated forever.
   */
  readonly eager?: boolean;
}

/**
 * Runs `work` as one durable step and returns its result: from the work or, after a restart, from
 * the store.
 *
 * **Results** must be JSON, nested at most 500 levels deep, without NUL characters or halves of
 * surrogate pairs; anything else fails permanently. **Names** have 1 to 1,000 bytes, do not begin
 * with `_` (`invalid_step_name`) and are unique within a run (`duplicate_step_name`). A run has at
 * most 1,000 steps, unlisted ones included (`too_many_steps`); retries do not count.
 *
 * **Failures.** A retriable error is retried with back-off. The run is left in the meantime, even
 * if the handler catches the error thrown to leave it. Any other error, and one that is no longer
 * retried, fails the run, unless the handler catches it. At every replay the handler gets an error
 * of the same type, code and message (not of the author's own class). Such a step runs again only
 * after `retry`.
 *
 * **Concurrent** steps are fine. If the handler throws, running steps are awaited and no new one
 * starts. What still runs when the handler has returned is not recorded. Don't nest steps: if the
 * inner one is left for a retry, the outer one is too.
 */
export interface Step {
  <const Output>(name: string, work: StepWork<Output>, options?: StepOptions): Promise<Output>;
  /** The same, but the step is not listed in `stepsCompleted`. For bookkeeping. */
  unlisted<const Output>(name: string, work: StepWork<Output>, options?: StepOptions): Promise<Output>;
}

/**
 * The work of a step.
 * @param attempt 1-based, counted since the run was last submitted
 */
export type StepWork<Output> = (attempt: number) => Promise<Output> | Output;

/** What a handler knows about its run. The same at every replay. */
export interface RunContext {
  readonly runId: string;
  readonly startTime: Date;
  /**
   * When the run was last resumed (`retry`, or the same submission) after it had failed or been
   * cancelled; absent if it never was. If you make it part of a step's name, the step runs again
   * after each resumption.
   */
  readonly resumedAt?: Date;
  readonly step: Step;

  /**
   * Waits for a person's decision, durably and without a worker. The run is left here, and its
   * handler runs again once `WorkflowEngine.decide` is called, perhaps in another process and
   * years later. Await it alone, without a concurrent step, and don't catch what it throws, because
   * that is how the run is left.
   * @param subject identifies exactly what the decision is about, such as a hash of it: 1 to 200 letters, digits or any of `_.:-`
   * @param output what the run knows so far, shown while it waits
   */
  readonly decision: (subject: string, output?: Json) => Promise<Decision>;

  /**
   * All attempts of this run so far, unlisted steps and the running one included, oldest first. It
   * differs from replay to replay, so call it in a step.
   */
  readonly history: () => Promise<StepAttempt[]>;
}

/** Must be deterministic between its steps: the same input and step results lead to the same next step. */
export type RunHandler = (input: Json, context: RunContext) => Promise<Json>;

/** How a workflow is executed. */
export interface RegisterOptions {
  /**
   * How many of its runs may execute at the same time, across all processes that share the database
   * (or in each process, see `EngineOptions.concurrencyPer`); at least 1. Runs that wait for a
   * retry or a person don't count. Default: only limited by each process.
   */
  readonly concurrency?: number;
  /** Top-level fields of its inputs to index for `RunFilter.input`; 1 to 60 letters, digits or `_`. */
  readonly indexedFields?: readonly string[];
}

/** A run that is about to end or to wait for a person. */
export interface RestingRun {
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  /** The input that it was started with; parsed again at each call. */
  readonly input: () => Json;
  readonly status: "completed" | "failed" | "waiting_for_approval";
  /** What a person has to decide on; only if it waits. */
  readonly subject?: string;
  /** Only if it fails. */
  readonly error?: WireError;
  /** See `RunContext.resumedAt`. */
  readonly resumedAt?: Date;
}

/** A run that has ended, or waits for a person. */
export interface RestedRun extends Omit<RestingRun, "status"> {
  readonly status: RestingRun["status"] | "cancelled";
  readonly startTime: Date;
  /** When it ended or began to wait. */
  readonly time: Date;
}

/** A run to start, of another workflow. */
export interface FollowingRun extends NewRun {
  readonly workflow: string;
}

/** Which runs to list; all conditions must hold. */
export interface RunFilter {
  readonly workflow?: string;
  readonly status?: RunStatus;
  /**
   * Top-level fields of the input and their text. This is fast for `RegisterOptions.indexedFields`;
   * for other fields, all runs are read.
   */
  readonly input?: Readonly<Record<string, string>>;
  readonly startedSince?: Date;
  readonly startedBefore?: Date;
  /** Names of workflows whose completed runs are left out. */
  readonly withoutCompleted?: readonly string[];
  /** Which runs come first. Default: the newest. */
  readonly order?: RunOrder;
  /** Id of a run: only runs that come after it in this order. Pass the last one of a page to get the next page. */
  readonly after?: string;
  /** Default 100. */
  readonly limit?: number;
}

/** Which runs of a list come first, by the time when they were accepted. */
export const RUN_ORDERS = ["newest", "oldest"] as const;
export type RunOrder = (typeof RUN_ORDERS)[number];

/** One attempt of one step. */
export interface StepAttempt {
  readonly step: string;
  /**
   * `died`: its process ended while it was running. Right after that it is still `running`, until
   * the step is started again.
   */
  readonly status: "running" | "completed" | "failed" | "died";
  readonly startTime: Date;
  readonly endTime?: Date;
  /** Only when `failed`. */
  readonly error?: WireError;
}

/** What happened to a run, in order, without unlisted steps. To follow a run, ask for the events after the last `n` that you know. */
export interface RunEvent {
  /** From 0, rising within the run, with gaps. */
  readonly n: number;
  readonly type:
    | "accepted"
    | "step_started"
    | "step_completed"
    | "step_failed"
    | "waiting_for_approval"
    | "decided"
    | "resumed"
    | "completed"
    | "failed"
    | "cancelled";
  readonly time: Date;
  /** Of a step. */
  readonly step?: string;
  /** What a person has to decide on, or has decided on. */
  readonly subject?: string;
  /** The error of the step or the run. */
  readonly error?: WireError;
}

/** The number of runs of a workflow. */
export interface RunCounts {
  readonly workflow: string;
  readonly byStatus: Readonly<Partial<Record<RunStatus, number>>>;
  /**
   * How long the oldest due run has waited to be claimed, in milliseconds; absent if none is due.
   */
  readonly oldestDueMs?: number;
  /** The longest time that a run has waited for a person, in milliseconds; absent if none waits. */
  readonly oldestWaitingMs?: number;
}

/** Progress of a run that this process executes; only of listed steps. */
export interface StepEvent {
  readonly runId: string;
  readonly workflow: string;
  readonly step: string;
  readonly phase: "started" | "completed" | "failed";
  /** 1-based attempt of this step since the run was last submitted. */
  readonly attempt: number;
  /** Only if it has `failed`: whether and when it is retried. */
  readonly retryInMs?: number;
  /** How long this attempt took, in milliseconds; absent when `started`. */
  readonly durationMs?: number;
}

/**
 * Runs workflows durably: an accepted run is finished, across crashes and restarts.
 * Its methods reject with `IoError` if the database fails, and once the engine is closed.
 */
export interface WorkflowEngine {
  /** Registers a workflow; its unfinished runs continue once the worker starts. A name may be registered once. */
  register(workflow: string, handler: RunHandler, options?: RegisterOptions): void;

  /**
   * For each run that ends or begins to wait for a person, starts a following run if `plan` returns
   * one. The following run is accepted before that change is written, so none is lost. The process
   * may die in between, so the following run must check that the change really happened. Call this
   * once, before the engine starts.
   */
  follow(plan: (resting: RestingRun) => FollowingRun | undefined): void;

  /**
   * Starts a run, or finds the one with this key. Keys are permanently unique. The run is durable
   * when this resolves.
   * @throws ConflictError if the key was used with another `fingerprint`
   * @throws ValidationError for a key of more than 2,000 bytes, an input that is nested more than
   *   500 deep, a NUL character or half of a surrogate pair in either, a date beyond
   *   `LATEST_START`, and what the database itself refuses (`not_storable`)
   */
  start(workflow: string, run: NewRun): Promise<StartedRun>;

  /**
   * Resolves when the run has ended or waits for a person. While one of its steps is retried on its `retryBudget` (`failing.until`), it
   * resolves after the attempt that is due or running. An abort ends the waiting, never the run.
   * @throws the signal's reason
   */
  wait(id: string, options?: { signal?: AbortSignal }): Promise<Run>;

  get(id: string): Promise<Run | undefined>;
  find(workflow: string, key: string): Promise<Run | undefined>;
  list(filter?: RunFilter): Promise<Run[]>;

  /** Attempts of a run's listed steps, in the order in which they began. Empty for an unknown run. */
  history(id: string): Promise<StepAttempt[]>;

  /**
   * Events of a run after the n-th, oldest first. Empty for an unknown run.
   * @param after the `n` of the last event that you know; -1, the default, for all
   */
  events(id: string, after?: number): Promise<RunEvent[]>;

  /** For each workflow: its runs by status, and how long the oldest has been due. */
  counts(): Promise<RunCounts[]>;

  /** Deletes a run that has ended; its key may then be used again. False if it is unknown or has not ended. */
  forget(id: string): Promise<boolean>;

  /**
   * Resumes a run that failed or was cancelled at the step where it stopped, or tries a step on its
   * `retryBudget` now. False if there is nothing to retry.
   */
  retry(id: string): Promise<boolean>;

  /** Stops a run before its next step that is not eager. False if it has already ended or is unknown. */
  cancel(id: string): Promise<boolean>;

  /**
   * Makes the decision that a run waits for, or will wait for. It is durable when this resolves.
   * The first decision on a subject counts; if you decide the same again, you get the first
   * decision.
   * @throws ConflictError: `already_decided` with another value, `decision_outdated` if the run waits for another subject, `run_ended`
   * @throws ValidationError: `unknown_run`, `invalid_subject`, `invalid_parameters` if the value can't be stored
   */
  decide(id: string, subject: string, value: Json): Promise<Decision>;

  /**
   * What `decide` would answer, without deciding: the first decision if it has the same value,
   * undefined if there is none yet. Use it to prepare something before a decision; someone else may
   * still decide in between.
   * @throws as `decide`
   */
  standingDecision(id: string, subject: string, value: Json): Promise<Decision | undefined>;

  /** Calls `listener` with every step event. Returns the function that stops it. */
  onStep(listener: (event: StepEvent) => void): () => void;

  /**
   * Calls `listener` when this process has stored that a run has ended or waits for a person. Not
   * reliable: if the process dies right then, `listener` isn't called. Returns the function that
   * stops it.
   */
  onRest(listener: (rested: RestedRun) => void): () => void;

  /**
   * Calls `listener` with the id of a run when it may have changed: it was accepted, made progress,
   * was decided on, ended or began to wait. Calls it with undefined if any run may have changed.
   * Changes by other processes are reported as far as the database announces them: on PostgreSQL
   * not single steps, on SQLite within a second and without an id. Returns the function that stops
   * it.
   */
  onChange(listener: (id: string | undefined) => void): () => void;

  /** Finishes running steps, leaves their runs to other workers or the next start, and closes the database. */
  close(): Promise<void>;
}
