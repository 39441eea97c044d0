import type { Backend } from "openworkflow/internal";

export interface StepRecord {
  readonly name: string;
  readonly status: "running" | "completed" | "failed";
}

/**
 * What the adapter needs to know of OpenWorkflow's tables beyond its Backend interface, once for each kind of database.
 * The version of `openworkflow` is pinned because of these.
 */
export interface RunQueries {
  /** OpenWorkflow's own look-up by idempotency key ends after 24 hours; this one does not. */
  runIdByKey(workflow: string, key: string): Promise<string | undefined>;
  /** Step attempts in the order in which they began. */
  steps(runId: string): Promise<StepRecord[]>;
  /** How often a step has failed since its run was last submitted. */
  failedAttempts(runId: string, step: string): Promise<number>;
  /** Lets a run that failed or was cancelled go on from the step where it stopped. False where it is neither. */
  resubmit(runId: string): Promise<boolean>;
}

/** An open database with OpenWorkflow's tables in it. */
export interface EngineDatabase {
  readonly backend: Backend;
  readonly queries: RunQueries;
  /** Frees the connections, and with them whatever keeps others out. */
  close(): Promise<void>;
}
