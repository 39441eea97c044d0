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

/**
 * One of the statuses of a run. `completed`, `failed` and `cancelled` are final, but a failed run
 * can be retried.
 */
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
   * The listed step that began last. If the run is `completed`: the last of `stepsCompleted`, so
   * never a step whose failure was caught.
   */
  readonly currentStep?: string;
  /** Listed steps that have completed, in the order in which they began. */
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
  /**
   * Attempts that have failed since the run was accepted or last resumed (`RunContext.resumedAt`).
   */
  readonly attempts: number;
  /** When the first of them failed. */
  readonly since: Date;
  /** Why the last of them failed. */
  readonly error: WireError;
  /** When it is tried again. Absent while it is being tried. */
  readonly nextTry?: Date;
  /**
   * When the step's `retryBudget` ends. Only present once the step is retried on that budget. From
   * then on, callers no longer wait for it.
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

/** The latest start time: the last one whose year has four digits. */
export const LATEST_START = new Date("9999-12-31T23:59:59.999Z");

export const isStartTime = (time: unknown): time is Date => time instanceof Date && time <= LATEST_START;

/** The message for an invalid start time. */
export const INVALID_START_TIME = "must be a valid date before the year 10000";

/** What a run is started with. */
export interface NewRun {
  readonly key: string;
  /** Identifies the content: the same key with a different fingerprint is a conflict. */
  readonly fingerprint: string;
  readonly input: Json;
  /**
   * The earliest time to start, at most `LATEST_START`; until then the run is `started`. An
   * existing run keeps its time, unless it has failed or was cancelled. Default: at once.
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
   * `created`: a new run. `resumed`: a run that had failed or been cancelled continues from the
   * step where it stopped, or a step on its `retryBudget` is tried now. `existing`: the same
   * content was accepted before, and nothing changes.
   */
  readonly outcome: "created" | "resumed" | "existing";
}

/** Options of one step. */
export interface StepOptions {
  /**
   * How long to keep retrying, beyond the engine's ordinary attempts. The budget applies once these
   * attempts are used up, or the next one would come more than a minute after the first failure.
   * From then on, callers who wait for the run get an answer (`Run.failing`). As with every retry,
   * the run stays `processing` between attempts, occupies no worker and doesn't count toward the
   * workflow's `concurrency`. The time is counted from recorded failures, so it does not begin
   * again after a restart.
   */
  readonly retryBudget?: RetryBudget;
  /**
   * Whether the result must be on disk before the next step starts; default true. With false, the
   * result can be lost in a power cut, in a crash of the database server, or if the process dies in
   * the 20 ms or so before it is stored; the step is then repeated. Use false for steps that only
   * read or compute, or that always write the same thing.
   *
   * A step with the default also waits until the results of earlier steps are on disk, so it never
   * relies on a result that could still be lost. With `"earlier"`, a step waits for these in the
   * same way, but its own result need not be on disk.
   */
  readonly flush?: boolean | "earlier";
  /**
   * Whether the work may start before anything is stored about it, and before the results of
   * earlier steps are stored; default false. It saves a round trip to the database, and implies
   * `flush: false`. Use it for steps that only read or compute, or whose work doesn't depend on
   * what earlier steps found. If the process dies before the earlier results are stored, the
   * earlier steps are repeated as well. A cancelled run may still execute the eager steps that come
   * next.
   *
   * Once a worker has left or lost the run (for a retry, for a decision, in a crash), eager steps
   * wait like all others, so that a step that ends its process is not repeated forever. On Restate,
   * they always wait.
   */
  readonly eager?: boolean;
}

/**
 * Runs `work` as one durable step and returns its result. On a replay (the handler runs again from
 * its beginning, for a retry, or after a decision or a crash), the stored result is returned
 * instead.
 *
 * **Results** must be JSON or undefined, nested at most 500 levels deep, without NUL characters or
 * halves of surrogate pairs; anything else fails permanently. **Names** have 1 to 1,000 bytes, do
 * not begin with `_` (`invalid_step_name`) and are unique within a run (`duplicate_step_name`). A
 * run has at most 1,000 steps, unlisted ones included (`too_many_steps`); retries do not count.
 *
 * **Failures.** After a retriable error, the step is retried with back-off. Until then the run is
 * left: an error is thrown into the handler, and catching it changes nothing. Any other error, and
 * one that is no longer retried, fails the run, unless the handler catches it. The handler gets an
 * error with the same type, code and message, both at once and on every replay, but never an
 * instance of your own class. The failed step runs again only if the run has failed or was
 * cancelled and is then resumed.
 *
 * **Concurrent** steps are fine. If the handler throws, running steps are awaited and no new one
 * starts. Await every step: what still runs when the handler returns may not be recorded. Don't
 * nest steps: whenever the inner one is retried, the outer one is repeated too, and its attempt
 * counts as `died`.
 */
export interface Step {
  <const Output>(name: string, work: StepWork<Output>, options?: StepOptions): Promise<Output>;
  /** The same, but the step is not listed in `stepsCompleted`. For bookkeeping. */
  unlisted<const Output>(name: string, work: StepWork<Output>, options?: StepOptions): Promise<Output>;
}

/**
 * The work of a step.
 * @param attempt 1-based, counted since the run was accepted or last resumed
 */
export type StepWork<Output> = (attempt: number) => Promise<Output> | Output;

/** What a handler knows about its run, and what it can do. */
export interface RunContext {
  readonly runId: string;
  readonly startTime: Date;
  /**
   * When the run was last resumed (`retry`, or the same submission) after it had failed or been
   * cancelled; absent if it never was. If you make it part of a step's name, the step runs again
   * each time the run is resumed.
   */
  readonly resumedAt?: Date;
  readonly step: Step;

  /**
   * Returns a person's decision. If there is none yet, the run waits for it without a worker: the
   * handler is left here, and runs again once `WorkflowEngine.decide` is called, perhaps in another
   * process and years later. Await it alone, without a concurrent step, and don't catch what it
   * throws, because that is how the run is left.
   * @param subject identifies exactly what the decision is about, such as a hash of it: 1 to 200
   *   ASCII letters, digits or any of `_.:-`
   * @param output what the run knows so far, shown while it waits
   */
  readonly decision: (subject: string, output?: Json) => Promise<Decision>;

  /**
   * All attempts of this run so far, oldest first, including those of unlisted steps and the one
   * that is running. The answer differs from replay to replay, so call this in a step.
   */
  readonly history: () => Promise<StepAttempt[]>;
}

/**
 * The code of a workflow. It must be deterministic between its steps: the same input and step
 * results lead to the same next step.
 */
export type RunHandler = (input: Json, context: RunContext) => Promise<Json>;

/** How a workflow is executed. */
export interface RegisterOptions {
  /**
   * How many of its runs may execute at the same time, across all processes that share the
   * database; at least 1. Runs that wait for a retry or a person don't count. Default: limited only
   * by what each process executes at a time (`EngineOptions.concurrency`).
   * `EngineOptions.concurrencyPer` can make it a limit for each process instead.
   */
  readonly concurrency?: number;
  /**
   * Top-level fields of its inputs to index for `RunFilter.input`. A name has 1 to 60 ASCII
   * letters, digits or `_`.
   */
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

/** A run to start because another one ends or begins to wait; see `WorkflowEngine.follow`. */
export interface FollowingRun extends NewRun {
  readonly workflow: string;
}

/** Which runs to list; all conditions must hold. */
export interface RunFilter {
  readonly workflow?: string;
  readonly status?: RunStatus;
  /**
   * Top-level fields of the input that are strings, and their exact values. This is fast for
   * `RegisterOptions.indexedFields`. For other fields, and on Restate for all fields, every run may
   * have to be read.
   */
  readonly input?: Readonly<Record<string, string>>;
  readonly startedSince?: Date;
  readonly startedBefore?: Date;
  /** Names of workflows whose completed runs are left out. */
  readonly withoutCompleted?: readonly string[];
  /** Which runs come first. Default: the newest. */
  readonly order?: RunOrder;
  /**
   * Id of a run: only runs that come after it in this order. Pass the last one of a page to get the
   * next page.
   */
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
   * `died`: it was still running when its process ended or lost the run. It is shown as `running`
   * until the step starts again or the run ends.
   */
  readonly status: "running" | "completed" | "failed" | "died";
  readonly startTime: Date;
  readonly endTime?: Date;
  /** Only when `failed`. */
  readonly error?: WireError;
}

/** Something that happened to a run. Events of unlisted steps are left out. */
export interface RunEvent {
  /** Its number within the run: 0 for the first event, then rising, with gaps. */
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
  /** The step's name; only if the event is about a step. */
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
  /** 1-based attempt of this step since the run was accepted or last resumed. */
  readonly attempt: number;
  /** Only if it has `failed` and is retried: after how many milliseconds. */
  readonly retryInMs?: number;
  /** How long this attempt took, in milliseconds; absent when `started`. */
  readonly durationMs?: number;
}

/**
 * Runs workflows durably: an accepted run is finished, across crashes and restarts.
 * Its methods reject with `IoError` if the database fails, and once the engine is closed.
 */
export interface WorkflowEngine {
  /**
   * Registers a workflow. Its unfinished runs continue once this process begins to execute runs.
   * Call it once for each name, before the first `start`.
   * @throws TypeError if it is called too late or twice, or an indexed field has an invalid name;
   *   ValidationError if `concurrency` is invalid, or more than the database supports
   */
  register(workflow: string, handler: RunHandler, options?: RegisterOptions): void;

  /**
   * Starts a following run whenever a run completes, fails or begins to wait for a person, if
   * `plan` returns one. A cancelled run has none. The following run is accepted before the change
   * itself is written, so none is lost. The process may die in between, so the following run must
   * check that the change really happened. Call this once, before the first `start`.
   */
  follow(plan: (resting: RestingRun) => FollowingRun | undefined): void;

  /**
   * Starts a run, or finds the one with this key. Within a workflow, a key is unique until its run
   * is deleted (`forget`). The run is durable when this resolves.
   * @throws ConflictError if the key was used with another `fingerprint`
   * @throws ValidationError for a key of more than 2,000 bytes, an input that is nested more than
   *   500 levels deep, a NUL character or half of a surrogate pair in either, an invalid
   *   `availableAt` or `priority`, and what the database itself refuses (`not_storable`)
   */
  start(workflow: string, run: NewRun): Promise<StartedRun>;

  /**
   * Resolves when the run has ended or waits for a person. If one of its steps is retried on its
   * `retryBudget` (`failing.until`), it resolves after the attempt that is due or running, or at
   * once if there is none. An abort ends the waiting, never the run.
   * @throws the signal's reason; UnexpectedError if the run is unknown
   */
  wait(id: string, options?: { signal?: AbortSignal }): Promise<Run>;

  get(id: string): Promise<Run | undefined>;
  find(workflow: string, key: string): Promise<Run | undefined>;
  list(filter?: RunFilter): Promise<Run[]>;

  /**
   * Attempts of a run's listed steps, in the order in which they began. Empty for an unknown run.
   */
  history(id: string): Promise<StepAttempt[]>;

  /**
   * Events of a run, oldest first. Empty for an unknown run.
   * @param after only events with a higher `n`; to follow a run, pass the last `n` that you know.
   *   Default: -1, which returns all
   */
  events(id: string, after?: number): Promise<RunEvent[]>;

  /**
   * For each workflow that has runs: how many, by status, and how long the oldest have been due or
   * waiting.
   */
  counts(): Promise<RunCounts[]>;

  /**
   * Deletes a run that has ended; its key may then be used again. False if it is unknown or has not
   * ended.
   */
  forget(id: string): Promise<boolean>;

  /**
   * Resumes a failed or cancelled run from the step where it stopped, or tries a step on its
   * `retryBudget` now. False if there is nothing to retry.
   */
  retry(id: string): Promise<boolean>;

  /**
   * Stops a run before its next step that is not eager. False if it has already ended or is
   * unknown.
   */
  cancel(id: string): Promise<boolean>;

  /**
   * Makes the decision that a run waits for, or will wait for. It is durable when this resolves.
   * Only the first decision on a subject counts; if you make the same one again, you get the first.
   * @throws ConflictError: `already_decided` if the first decision has another value,
   *   `decision_outdated` if the run waits for another subject, `run_ended`
   * @throws ValidationError: `unknown_run`, `invalid_subject`, `invalid_parameters` or
   *   `not_storable` if the value can't be stored
   */
  decide(id: string, subject: string, value: Json): Promise<Decision>;

  /**
   * What `decide` would answer, without deciding: the first decision if it has the same value,
   * undefined if there is none yet. Use it to prepare something before a decision; someone else may
   * still decide in between.
   * @throws as `decide`
   */
  standingDecision(id: string, subject: string, value: Json): Promise<Decision | undefined>;

  /** Calls `listener` with every step event of this process. Returns a function that removes it. */
  onStep(listener: (event: StepEvent) => void): () => void;

  /**
   * Calls `listener` when this process has stored that a run has ended or waits for a person. Not
   * reliable: if the process dies right then, `listener` isn't called. Returns a function that
   * removes it.
   */
  onRest(listener: (rested: RestedRun) => void): () => void;

  /**
   * Calls `listener` with the id of a run when it may have changed: it was accepted, made progress,
   * was decided on, ended or began to wait. Calls it with undefined if any run may have changed.
   * Changes by other processes are reported as far as the database announces them: on PostgreSQL
   * all but the progress of steps, on SQLite within a second and without an id, on Restate none.
   * Returns a function that removes it.
   */
  onChange(listener: (id: string | undefined) => void): () => void;

  /**
   * Finishes running steps, leaves the unfinished runs to other workers or the next start, and
   * closes the database.
   */
  close(): Promise<void>;
}
