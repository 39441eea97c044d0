import { randomUUID } from "node:crypto";
import type { Backend } from "openworkflow/internal";
import type { NewStepAttempt, WorkerSlot } from "./engine-database.ts";
import { FINAL } from "./executions.ts";
import { isDisowned, type Persistence } from "./persistence.ts";
import { isUnwritable } from "./postgres-error.ts";
import { nothingRecorded } from "./recorded-steps.ts";
import { storableError } from "./run-record.ts";
import { refusedResult } from "./storable.ts";

export type WorkflowRun = Awaited<ReturnType<Backend["createWorkflowRun"]>>;

/** What the engine wants to hear of, so that it never has to poll for what happens in its own process. */
export interface BackendObserver {
  /** Finds the next run for a worker slot. */
  claim(slot: WorkerSlot): Promise<WorkflowRun | null>;
  /** A worker slot is about to execute this run. */
  onClaimed(run: WorkflowRun, workerId: string): void;
  /**
   * Whether this process is executing the run that was just claimed: its lease ran out because the clock jumped or the process
   * was blocked. The claim is then given back to the execution.
   */
  isAtWorkHere(run: WorkflowRun): Promise<boolean>;
  onEnded(run: WorkflowRun): void;
  /** The run that this slot has parked, told once: OpenWorkflow takes the way in which its handler was left for a failure. */
  takeParked(workerId: string): WorkflowRun | undefined;
  /** A run has left its worker and will be due at this time. */
  onPutOff(run: WorkflowRun, dueAt: Date): void;
  /** False where the look that is under way has found nothing more. */
  mayHaveWork(): boolean;
  onNothingDue(): void;
  onLeaseNotRenewed(error: unknown): void;
}

const ended = (run: WorkflowRun): boolean =>
  run.status === "completed" || run.status === "succeeded" || run.status === "failed" || run.status === "canceled";

/** Which OpenWorkflow leaves alone. */
const NOBODYS = { status: "running", workerId: null } as WorkflowRun;

/**
 * A backend that tells an observer what happens and does everything else as the one it stands before.
 * OpenWorkflow's worker asks once for every free slot; after the first "nothing due" the rest need not ask the database.
 */
export function observeBackend(backend: Backend, observer: BackendObserver, persistence: Persistence): Backend {
  const persistently = <Result>(write: () => Promise<Result>): Promise<Result> => persistence.until(write);
  const report = (run: WorkflowRun): WorkflowRun => {
    if (ended(run)) observer.onEnded(run);
    else if (run.availableAt) observer.onPutOff(run, run.availableAt);
    return run;
  };
  /** A run's end or its next wait, as long as it is ours: OpenWorkflow would say on the console what it could not write down. */
  const leave = async (write: () => Promise<WorkflowRun>): Promise<WorkflowRun> => {
    try {
      return report(await persistently(write));
    } catch (error) {
      if (isDisowned(error)) return NOBODYS;
      throw error;
    }
  };
  /** A run's end; one that can't be written as it is, is a failure that says so: it would be tried again for ever. */
  const end = async (
    { workflowRunId, workerId }: { workflowRunId: string; workerId: string },
    write: () => Promise<WorkflowRun>,
  ): Promise<WorkflowRun> => {
    try {
      return await leave(write);
    } catch (cause) {
      if (!isUnwritable(cause)) throw cause;
      const { message } = storableError(refusedResult("the workflow", cause));
      const failure = {
        workflowRunId,
        workerId,
        error: { message },
        retryPolicy: FINAL,
        attempts: 1,
        deadlineAt: null,
      };
      return leave(() => backend.failWorkflowRun(failure));
    }
  };
  const claim: Backend["claimWorkflowRun"] = async (params) => {
    if (!observer.mayHaveWork()) return null;
    const run = await observer.claim(params);
    if (!run) observer.onNothingDue();
    else if (await observer.isAtWorkHere(run)) return null;
    else observer.onClaimed(run, params.workerId);
    return run;
  };
  let turn: Promise<unknown> = Promise.resolve();
  const observed: Partial<Backend> = {
    // One after the other: what the first finds out spares the others the question.
    claimWorkflowRun: (params) => {
      const claimed = turn.then(() => claim(params));
      turn = claimed.catch(() => {});
      return claimed;
    },
    // OpenWorkflow asks whether a run is still its own when that could not be written down. What is given up is nobody's.
    getWorkflowRun: async (params) => (persistence.gaveUp ? NOBODYS : backend.getWorkflowRun(params)),
    extendWorkflowRunLease: async (params) => {
      try {
        return await backend.extendWorkflowRunLease(params);
      } catch (error) {
        if (!isDisowned(error)) observer.onLeaseNotRenewed(error);
        return NOBODYS;
      }
    },
    listStepAttempts: nothingRecorded, // our steps look for themselves
    cancelWorkflowRun: async (params) => report(await backend.cancelWorkflowRun(params)),
    createStepAttempt: (params) => {
      const attempt: NewStepAttempt = { ...params, id: randomUUID() };
      return persistently(() => backend.createStepAttempt(attempt));
    },
    // What has happened must be written down, or it happens again: so these do not give up at the first fault.
    completeStepAttempt: (params) => persistently(() => backend.completeStepAttempt(params)),
    failStepAttempt: (params) => persistently(() => backend.failStepAttempt(params)),
    completeWorkflowRun: (params) => end(params, () => backend.completeWorkflowRun(params)),
    failWorkflowRun: async (params) =>
      observer.takeParked(params.workerId) ?? end(params, () => backend.failWorkflowRun(params)),
    sleepWorkflowRun: async (params) => report(await backend.sleepWorkflowRun(params)),
    rescheduleWorkflowRunAfterFailedStepAttempt: (params) =>
      leave(() => backend.rescheduleWorkflowRunAfterFailedStepAttempt(params)),
  };
  return Object.assign(Object.create(backend) as Backend, observed);
}
