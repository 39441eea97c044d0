import type { Backend } from "openworkflow/internal";
import type { Json } from "../../json.ts";
import type { PendingDecision, RunFilter, RunStatus } from "../engine.ts";
import type { WorkflowRun } from "./observed-backend.ts";

export interface StepRecord {
  readonly name: string;
  readonly status: "running" | "completed" | "failed";
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly error: { readonly message: string } | null;
}

/** OpenWorkflow's lease on a run, which its heartbeat renews. Milliseconds. */
export const LEASE_MS = 30_000;

/** What we keep in OpenWorkflow's column for a run's configuration, which it leaves alone. Times are ISO 8601. */
export interface RunConfig {
  readonly resubmitted_at?: string;
  /**
   * How many attempts of each step stood how when the run was last submitted again: counted, because a clock may be set back.
   * Missing where a version without it did that; there `resubmitted_at` tells which attempts came later.
   */
  readonly attempts_before?: Readonly<Record<string, { readonly failed: number; readonly running: number }>>;
  readonly cancel_requested?: string;
  /** While the run is parked: for what. */
  readonly waiting?: PendingDecision;
  /** By subject; each is written once. */
  readonly decisions?: Readonly<Record<string, StoredDecision>>;
}

export interface StoredDecision {
  readonly value: Json;
  readonly time: string;
}

/** A filter with OpenWorkflow's run id in `after`. */
export type StoredFilter = RunFilter & { readonly limit: number };

/** Our statuses in terms of OpenWorkflow's columns, in SQL that both databases understand. */
export const STATUS_CONDITION: Readonly<Record<RunStatus, string>> = {
  started: "(status = 'pending' AND attempts = 0)",
  processing: "(status IN ('pending', 'running', 'sleeping') AND attempts > 0 AND config ->> 'waiting' IS NULL)",
  waiting_for_approval: "(status = 'running' AND config ->> 'waiting' IS NOT NULL)",
  completed: "status = 'completed'",
  failed: "status = 'failed'",
  cancelled: "status = 'canceled'",
};

/** Runs that wait for a step on its retry budget, as `storableError` has written down what the step failed with. */
export const ON_BUDGET = `status = 'pending' AND attempts > 0 AND worker_id IS NULL AND error ->> 'message' LIKE '%"retry_until":"%'`;

/** The field of inputs by which runs are looked for most; it has an index. */
export const INDEXED_FIELD = "customer_id";

/**
 * What the adapter needs to know of OpenWorkflow's tables beyond its Backend interface, once for each kind of database.
 * The version of `openworkflow` is pinned because of these.
 */
export interface RunQueries {
  /** OpenWorkflow's own look-up by idempotency key ends after 24 hours; this one does not. */
  runIdByKey(workflow: string, key: string): Promise<string | undefined>;
  /** Ids of the runs that a filter lets through, newest first. */
  runIds(filter: StoredFilter): Promise<string[]>;
  /** Step attempts in the order in which they began. */
  steps(runId: string): Promise<StepRecord[]>;
  /** Attempts of a step since its run was last submitted, by how they stand; those whose process died are `running`, as is one at work. */
  attempts(runId: string, step: string): Promise<{ failed: number; running: number }>;
  /**
   * Cancels a run that nobody executes, and asks whoever executes one to leave it at the next step.
   * @returns `requested` where it was asked, undefined where the run has ended or does not exist
   */
  cancel(runId: string): Promise<"cancelled" | "requested" | undefined>;
  /**
   * Lets a run that failed or was cancelled go on, at once or later, from the step where it stopped. Until it is claimed it
   * counts as not begun. False where it is neither.
   */
  resubmit(runId: string, availableAt?: Date): Promise<boolean>;
  /**
   * Lets a run whose step lives on its retry budget try it now; without an id, all of them.
   * @returns false where none waits so
   */
  hasten(runId?: string): Promise<boolean>;
  /**
   * Leaves a run, which this worker slot executes, until `decide`: nobody holds it, it is never due, and it says what it waits for.
   * One update, as is `decide`, so that neither misses the other.
   * @returns false where the decision is there, where somebody has asked to cancel, and where the slot has the run no more
   */
  park(runId: string, workerId: string, waiting: PendingDecision): Promise<boolean>;
  /**
   * Keeps the first decision on a subject, and lets a run that waits for it go on.
   * @returns false where there is one, where the run waits for another subject, has ended or does not exist
   */
  decide(runId: string, subject: string, decision: StoredDecision): Promise<boolean>;
}

/** A place in a worker where a run can be executed, and how long a claim holds without a heartbeat. */
export interface WorkerSlot {
  readonly workerId: string;
  readonly leaseDurationMs: number;
}

/** The workflows that a process executes, and how many runs of each may be at work in the whole database; null: any number. */
export type Places = ReadonlyMap<string, number | null>;

/** Which run each slot of a process executes, by the slot's id. */
export type RunsAtWork = ReadonlyMap<string, string>;

/** An open database with OpenWorkflow's tables in it. */
export interface EngineDatabase {
  /** @internal */
  readonly backend: Backend;
  readonly queries: RunQueries;
  /**
   * Claims for a slot the run that has been due longest, of the workflows that have a place left; null where there is none.
   * In place of OpenWorkflow's own claim, which takes runs of any workflow, registered here or not, and knows no limit.
   * At work is what has a worker and a lease that has not run out: what waits for a retry or a person does not count.
   * Before that, in the same turn, the leases of what this process executes are renewed where they have run out, because the clock
   * jumped or the process was stopped or cut off: so it claims none of its own runs, but those again that others have held since.
   * @internal
   */
  claim(slot: WorkerSlot, places: Places, own: RunsAtWork): Promise<WorkflowRun | null>;
  /**
   * Tells the other processes on this database that something has happened to a run: it is due, put off, at an end. Returns at
   * once and never fails; what gets lost on the way is found by polling.
   */
  announce(runId: string): void;
  /** Calls `listener` with what others announce, and with undefined where something may have been missed. For as long as it is open. */
  listen(listener: (runId: string | undefined) => void): void;
  /** Gives up this process's turn, if it waits for a place: it will not claim any more. */
  leave(): Promise<void>;
  /** Frees the connections, and with them whatever keeps others out. */
  close(): Promise<void>;
}
