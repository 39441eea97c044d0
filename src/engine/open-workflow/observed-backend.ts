import { randomUUID } from "node:crypto";
import type { Backend } from "openworkflow/internal";
import { retryDelay, type RetryPolicy } from "../retry-policy.ts";
import type { WorkerSlot } from "./engine-database.ts";
import { isDisowned, type Persistence } from "./persistence.ts";
import { isUnwritable } from "./postgres-error.ts";
import { nothingRecorded } from "./recorded-steps.ts";
import { configOf, storableError } from "./run-record.ts";
import { refusedResult } from "./storable.ts";

export type WorkflowRun = Awaited<ReturnType<Backend["createWorkflowRun"]>>;

/** With an id of ours, which a database that can lose an answer uses in place of its own. */
export type NewStepAttempt = Parameters<Backend["createStepAttempt"]>[0] & { readonly id: string };

/** What the engine wants to hear of, so that it never has to poll for what happens in its own process. */
export interface BackendObserver {
  /** A worker slot asks for a run, because it has none. */
  onAsked(workerId: string): void;
  /** Finds the next run for a worker slot. */
  claim(slot: WorkerSlot): Promise<WorkflowRun | null>;
  /** A worker slot is about to execute this run. Gives it as OpenWorkflow is to have it. */
  onClaimed(run: WorkflowRun, workerId: string): WorkflowRun;
  onEnded(run: WorkflowRun): void;
  /** The run that this slot has parked: OpenWorkflow takes the way in which its handler was left for a failure. */
  parked(workerId: string): WorkflowRun | undefined;
  /** Cancels a run that has left its worker; false where another has it by now. */
  cancel(run: WorkflowRun): Promise<boolean>;
  /** A run has left its worker and will be due at this time. */
  onPutOff(run: WorkflowRun, dueAt: Date): void;
  /** False where the look that is under way has found nothing more, or has failed. */
  mayHaveWork(): boolean;
  onNothingDue(): void;
  onClaimFailed(error: unknown): void;
  onLeaseNotRenewed(error: unknown): void;
}

const ended = (run: WorkflowRun): boolean =>
  run.status === "completed" || run.status === "succeeded" || run.status === "failed" || run.status === "canceled";

/** OpenWorkflow's policy for faults of the database in the middle of a run. Errors of steps and handlers are decided on before that. */
export const FOR_EVER = { maximumAttempts: 0 } as const;
/** OpenWorkflow's policy for a run that has failed for good. */
export const FINAL = {
  maximumAttempts: 1,
  initialInterval: "1s",
  maximumInterval: "1s",
  backoffCoefficient: 1,
} as const;
/** When faults of the database are tried again. */
const AFTER_FAULT: RetryPolicy = { attempts: Infinity, initialDelayMs: 1000, maximumDelayMs: 60_000 };

/** Which OpenWorkflow leaves alone. */
const NOBODYS = { status: "running", workerId: null } as WorkflowRun;

/**
 * A backend that tells an observer what happens and does everything else as the one it stands before.
 * OpenWorkflow's worker asks once for every free slot; after the first "nothing due" the rest need not ask the database.
 */
export function observeBackend(backend: Backend, observer: BackendObserver, persistence: Persistence): Backend {
  const persistently = <Result>(write: () => Promise<Result>): Promise<Result> => persistence.until(write);
  const report = async (run: WorkflowRun): Promise<WorkflowRun> => {
    if (ended(run)) observer.onEnded(run);
    // Somebody asked for it while a step was at work: there is no next one to be stopped before until the run is due.
    else if (configOf(run).cancel_requested !== undefined && (await persistently(() => observer.cancel(run))))
      observer.onEnded({ ...run, status: "canceled" });
    else if (run.availableAt) observer.onPutOff(run, run.availableAt);
    return run;
  };
  /** A run's end or its next wait, as long as it is ours: OpenWorkflow would say on the console what it could not write down. */
  const leave = async (workflowRunId: string, write: () => Promise<WorkflowRun>): Promise<WorkflowRun> => {
    let mayBeDone = false;
    const attempt = async (): Promise<WorkflowRun> => {
      try {
        return await write();
      } catch (error) {
        mayBeDone ||= !isDisowned(error);
        throw error;
      }
    };
    try {
      return await report(await persistently(attempt));
    } catch (error) {
      if (!isDisowned(error)) throw error;
      // An earlier attempt has left it where only the answer was lost.
      const run = mayBeDone ? await persistently(() => backend.getWorkflowRun({ workflowRunId })) : null;
      return run && (ended(run) || run.workerId === null) ? report(run) : NOBODYS;
    }
  };
  const fail: Backend["failWorkflowRun"] = (params) => {
    const { workflowRunId, workerId, error, retryPolicy, attempts = 1 } = params;
    if (retryPolicy.maximumAttempts > 0) return backend.failWorkflowRun(params);
    const availableAt = new Date(Date.now() + retryDelay(AFTER_FAULT, attempts)!);
    return backend.rescheduleWorkflowRunAfterFailedStepAttempt({ workflowRunId, workerId, error, availableAt });
  };
  /** A run's end; one that can't be written as it is, is a failure that says so: it would be tried again for ever. */
  const end = async (
    { workflowRunId, workerId }: { workflowRunId: string; workerId: string },
    write: () => Promise<WorkflowRun>,
  ): Promise<WorkflowRun> => {
    try {
      return await leave(workflowRunId, write);
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
      return leave(workflowRunId, () => backend.failWorkflowRun(failure));
    }
  };
  const claim: Backend["claimWorkflowRun"] = async (params) => {
    if (!observer.mayHaveWork()) return null;
    try {
      const run = await observer.claim(params);
      if (run) return observer.onClaimed(run, params.workerId);
      observer.onNothingDue();
      return null;
    } catch (error) {
      observer.onClaimFailed(error);
      return null;
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  const observed: Partial<Backend> = {
    // One after the other: what the first finds out spares the others the question.
    claimWorkflowRun: (params) => {
      observer.onAsked(params.workerId);
      const claimed = turn.then(() => claim(params));
      turn = claimed;
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
    failWorkflowRun: async (params) => observer.parked(params.workerId) ?? end(params, () => fail(params)),
    sleepWorkflowRun: async (params) => report(await backend.sleepWorkflowRun(params)),
    rescheduleWorkflowRunAfterFailedStepAttempt: (params) =>
      leave(params.workflowRunId, () => backend.rescheduleWorkflowRunAfterFailedStepAttempt(params)),
  };
  return Object.assign(Object.create(backend) as Backend, observed);
}
