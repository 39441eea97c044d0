/**
 * The port for durable execution. A run is started by key, executed step by step, and survives the process:
 * what a step returned is stored before the next one starts and is never computed again.
 */
import type { WireError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { RetryBudget } from "./retry-policy.ts";

/** Where a run can stand. `waiting_for_approval`: it waits for a person and holds no worker meanwhile. */
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

/** Whether nothing more happens by itself: the run has ended, or waits for a person. */
export const isAtRest = (status: RunStatus): boolean => isTerminal(status) || status === "waiting_for_approval";

/** A run as it is stored. Times are UTC. */
export interface Run {
  /** `workflow-<uuid>`. */
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  /** What it was started with. */
  readonly input: Json;
  readonly status: RunStatus;
  /**
   * The listed step at work or waiting for its retry; the last one when the run has ended, and where it is `completed` the last that
   * has completed: one that failed and was caught has done nothing.
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
  /** The step that keeps failing and is tried again; only while `processing`. */
  readonly failing?: FailingStep;
}

/** A step of a run that has failed and is tried again by itself. */
export interface FailingStep {
  readonly step: string;
  /** Attempts that have failed since the run was last submitted. */
  readonly attempts: number;
  /** When the first of them failed. */
  readonly since: Date;
  /** Why the last of them failed. */
  readonly error: WireError;
  /** When it is tried next; absent while it is being tried. */
  readonly nextTry?: Date;
  /** Only once the step lives on its `StepOptions.retryBudget`: until when it is tried again. No caller waits for it meanwhile. */
  readonly until?: Date;
}

/** A decision that a run waits for. */
export interface PendingDecision {
  /** What is decided on; see `RunContext.decision`. */
  readonly subject: string;
  /** What the run knows so far. */
  readonly output?: Json;
}

/** A decision as it was made first; it is never changed. */
export interface Decision {
  readonly value: Json;
  readonly time: Date;
}

/** The last date that all databases of runs can hold and compare. */
export const LATEST_START = new Date("9999-12-31T23:59:59.999Z");

/** An invalid date is none either. */
export const isStartTime = (time: unknown): time is Date => time instanceof Date && time <= LATEST_START;

/** What is said of a time that is none. */
export const NO_START_TIME = "must be a valid date before the year 10000";

/** What a run is started with. */
export interface NewRun {
  readonly key: string;
  /** Stands for the content. */
  readonly fingerprint: string;
  readonly input: Json;
  /**
   * It begins no sooner than this, at most `LATEST_START`; until then it is `started`. A run that is there already keeps its
   * time, unless it had failed or was cancelled. Default, and where it is past: at once.
   */
  readonly availableAt?: Date;
  /** Runs that are due are taken up by it, the highest first; an integer from -1000 to 1000. Default 0. */
  readonly priority?: number;
}

/** How a start by key was answered. */
export interface StartedRun {
  readonly id: string;
  /**
   * `created`: a new run. `resumed`: one that had failed or was cancelled goes on from the step where it stopped, or a step that
   * lives on its `retryBudget` is tried now.
   * `existing`: the same content is already at work or done.
   */
  readonly outcome: "created" | "resumed" | "existing";
}

/** How a step differs from others. */
export interface StepOptions {
  /**
   * For how long its failures are tried again once the engine's ordinary attempts are spent. Meanwhile the run stays `processing`,
   * holds no worker and none of the workflow's `concurrency`, and those who wait for it get an answer (`Run.failing`). It is counted
   * from the failures that are recorded, so that a restart does not renew it.
   */
  readonly retryBudget?: RetryBudget;
}

/**
 * Runs a piece of work as one durable step of a run and returns what it returned, now or (from the store) after a restart.
 * What it returns must be JSON, nested at most 500 deep, without NUL characters and halves of surrogate pairs: anything else fails
 * for good. Names have 1 to 1,000 bytes and do not begin with `_` (`invalid_step_name`) and are unique within a run (`duplicate_step_name`), which makes at most 1,000 steps
 * (`too_many_steps`), those that are not listed included; how often one is tried does not count.
 *
 * Failures with a retriable error are tried again with back-off: the run is left meanwhile, even where the handler catches what
 * it is left by. Others, and those that do not pass, end the run, unless the handler catches them: at every replay it gets an
 * error of the same type, code and message, not of a class of its author's own. Such a step is tried again only where the run has
 * ended and is taken up again.
 *
 * Begin none inside the work of another: where the inner one is left for a retry, the outer one is left with it, as if its process had
 * ended. Several may be at work side by side. Where the handler throws, those are waited for before the run is left, and none is begun
 * any more; what a handler that has returned has left at work is not recorded.
 */
export interface Step {
  <const Output>(name: string, work: StepWork<Output>, options?: StepOptions): Promise<Output>;
  /** The same, but not among `stepsCompleted`: bookkeeping that no caller asked for. */
  unlisted<const Output>(name: string, work: StepWork<Output>, options?: StepOptions): Promise<Output>;
}

/**
 * What a step does.
 * @param attempt 1-based, counted since the run was last submitted
 */
export type StepWork<Output> = (attempt: number) => Promise<Output> | Output;

/** What a handler is told about its run. The same at every replay. */
export interface RunContext {
  readonly runId: string;
  readonly startTime: Date;
  /**
   * When the run was last taken up again (`retry`, or the same submission) after it had failed or been cancelled; absent where it never
   * was. The same at every replay up to the next time: in a step's name it makes a step that is done anew each time.
   */
  readonly resumedAt?: Date;
  readonly step: Step;

  /**
   * Waits for what a person decides, durably and without a worker: the run is left here, and its handler runs again when the
   * decision has come (`WorkflowEngine.decide`), be it in another process or years later. Await it alone, with no step beside it,
   * and let pass what it throws: that is how the run is left.
   * @param subject stands for exactly that which is decided on, such as a hash of it: 1 to 200 letters, digits or any of `_.:-`
   * @param output what the run knows so far, for those who look at it while it waits
   */
  readonly decision: (subject: string, output?: Json) => Promise<Decision>;

  /**
   * Attempts of all steps of this run so far, also of those that are not listed, oldest first, that at work included. It is
   * another one at every replay: ask for it inside a step.
   */
  readonly history: () => Promise<StepAttempt[]>;
}

/** The deterministic part between the steps: same input and step results, same next step. */
export type RunHandler = (input: Json, context: RunContext) => Promise<Json>;

/** How a workflow is executed. */
export interface RegisterOptions {
  /**
   * At most so many of its runs are at work at the same time, in all processes that share the database; at least 1. Those that
   * wait for a retry or a person do not count. Default: as many as the processes have room for.
   */
  readonly concurrency?: number;
  /** Top-level fields of its inputs by which its runs are listed at once (`RunFilter.input`); 1 to 60 letters, digits or `_`. */
  readonly indexedFields?: readonly string[];
}

/** A run that is about to end, or to wait for a person. */
export interface RestingRun {
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  /** What it was started with; read anew at each call. */
  readonly input: () => Json;
  readonly status: "completed" | "failed" | "waiting_for_approval";
  /** What a person is to decide on; only where it waits. */
  readonly subject?: string;
  /** Only where it fails. */
  readonly error?: WireError;
  /** See `RunContext.resumedAt`. */
  readonly resumedAt?: Date;
}

/** A run that has ended, or waits for a person. */
export interface RestedRun extends Omit<RestingRun, "status"> {
  readonly status: RestingRun["status"] | "cancelled";
  readonly startTime: Date;
  /** When it ended, or began to wait. */
  readonly time: Date;
}

/** A run to start, of another workflow. */
export interface FollowingRun extends NewRun {
  readonly workflow: string;
}

/** Which runs to list; all that is given must hold. */
export interface RunFilter {
  readonly workflow?: string;
  readonly status?: RunStatus;
  /**
   * Fields of the input, each with the text that it must be. By those that a workflow has named (`RegisterOptions.indexedFields`) they
   * are found at once, by others all runs are read.
   */
  readonly input?: Readonly<Record<string, string>>;
  readonly startedSince?: Date;
  readonly startedBefore?: Date;
  /** Id of a run: only what was started before it. The last of one page is where the next begins. */
  readonly after?: string;
  /** At most so many, newest first; default 100. */
  readonly limit?: number;
}

/** One attempt of one step. `running` without an end: at work, or its process died. */
export interface StepAttempt {
  readonly step: string;
  /** `died`: its process ended while it was at work, whatever ended it. One that was just killed is `running` until it is begun again. */
  readonly status: "running" | "completed" | "failed" | "died";
  readonly startTime: Date;
  readonly endTime?: Date;
  /** Only when `failed`. */
  readonly error?: WireError;
}

/**
 * What happened to a run, on disk and in the order in which it happened: enough to follow a run from anywhere and to go on where one
 * stopped. Steps that are not listed are left out.
 */
export interface RunEvent {
  /** From 0, higher with each event of the run, with gaps. */
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
  /** What a person is to decide on, or has decided on. */
  readonly subject?: string;
  /** What a step or the run failed with. */
  readonly error?: WireError;
}

/** How many runs of a workflow there are. */
export interface RunCounts {
  readonly workflow: string;
  readonly byStatus: Readonly<Partial<Record<RunStatus, number>>>;
  /** How long the run that has been due longest has waited to be taken up, in milliseconds; absent where none is due. */
  readonly oldestDueMs?: number;
  /** How long the run that has waited longest for a person has waited, in milliseconds; absent where none waits. */
  readonly oldestWaitingMs?: number;
}

/** What happens while a run is at work, for progress displays; only of listed steps of runs that this process executes. */
export interface StepEvent {
  readonly runId: string;
  readonly workflow: string;
  readonly step: string;
  readonly phase: "started" | "completed" | "failed";
  /** 1-based attempt of this step since it was last submitted. */
  readonly attempt: number;
  /** Only when `failed`: whether and when it is tried again. */
  readonly retryInMs?: number;
  /** How long this attempt took, in milliseconds; absent when `started`. */
  readonly durationMs?: number;
}

/**
 * Runs workflows durably: what it has accepted it finishes, once, across crashes and restarts.
 * Its methods reject with `IoError` where the database behind it fails, and once it is closed.
 */
export interface WorkflowEngine {
  /** Makes a workflow known; its unfinished runs go on once the engine has started. Twice the same name is a programming error. */
  register(workflow: string, handler: RunHandler, options?: RegisterOptions): void;

  /**
   * Starts a following run, where `plan` names one, for each run that ends or begins to wait for a person. The following run is
   * accepted before that change is written, so that none is lost. As the process may die in between, the following run must check that
   * the change really happened. Call this once, before the engine starts.
   */
  follow(plan: (resting: RestingRun) => FollowingRun | undefined): void;

  /**
   * Starts a run, or finds the one that has this key, for good. Durable when it resolves.
   * `fingerprint` stands for the content: another one under the same key is a `ConflictError`. A step that lives on its
   * `retryBudget` is tried at once.
   * @throws ValidationError for what is not kept: a key of more than 2,000 bytes, an input that is nested more than 500 deep, a NUL
   * character or half of a surrogate pair in either, a date beyond `LATEST_START`, and what the database itself refuses (`not_storable`)
   */
  start(workflow: string, run: NewRun): Promise<StartedRun>;

  /**
   * Resolves when the run has ended or waits for a person, and where one of its steps lives on its `retryBudget` (`failing.until`),
   * after the attempt that is due or at work. An abort stops the waiting, never the run.
   * @throws the signal's reason
   */
  wait(id: string, options?: { signal?: AbortSignal }): Promise<Run>;

  get(id: string): Promise<Run | undefined>;
  find(workflow: string, key: string): Promise<Run | undefined>;
  list(filter?: RunFilter): Promise<Run[]>;

  /** All attempts of a run's listed steps, in the order in which they began. Empty for an unknown run. */
  history(id: string): Promise<StepAttempt[]>;

  /**
   * Events of a run after the n-th, oldest first. Empty for an unknown run.
   * @param after the `n` of the last event that is known; -1, the default, for all
   */
  events(id: string, after?: number): Promise<RunEvent[]>;

  /** Runs of each workflow by their status, and how long the oldest has been due. */
  counts(): Promise<RunCounts[]>;

  /**
   * Removes a run that has ended, with all that is known of it; its key may then be used anew. False where it is unknown or has not
   * ended.
   */
  forget(id: string): Promise<boolean>;

  /**
   * Lets a run that failed or was cancelled go on from the step where it stopped, and tries a step that lives on its `retryBudget`
   * now. False where neither is the case.
   */
  retry(id: string): Promise<boolean>;

  /** Stops a run before its next step; what its steps have done stays done. False where it had already ended or is unknown. */
  cancel(id: string): Promise<boolean>;

  /**
   * Gives a run the decision that it waits for, or will wait for; durable when it resolves. The first decision on a subject
   * stands. The same one again resolves with the first.
   * @throws ConflictError: `already_decided` otherwise, `decision_outdated` where the run waits for another subject, `run_ended`
   * @throws ValidationError: `unknown_run`, `invalid_subject`, `invalid_parameters` where the value can't be stored
   */
  decide(id: string, subject: string, value: Json): Promise<Decision>;

  /**
   * What `decide` would answer without taking this decision: the first one where it is the same, undefined where this one could
   * still be taken. For what must be made ready before a decision; a race may be lost between the two nevertheless.
   * @throws as `decide`
   */
  standingDecision(id: string, subject: string, value: Json): Promise<Decision | undefined>;

  /** Calls `listener` with every step event; returns the function that ends it. */
  onStep(listener: (event: StepEvent) => void): () => void;

  /**
   * Calls `listener` when this process has written down that a run has ended or waits for a person; returns the function that ends it.
   * Nobody is called about a run whose process died just then.
   */
  onRest(listener: (rested: RestedRun) => void): () => void;

  /** Lets the steps in hand finish, leaves their runs to the next start, and frees everything. */
  close(): Promise<void>;
}
