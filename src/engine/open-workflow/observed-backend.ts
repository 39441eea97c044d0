import type { Backend } from "openworkflow/internal";

export type WorkflowRun = Awaited<ReturnType<Backend["createWorkflowRun"]>>;

/** What the engine wants to hear of, so that it never has to poll for what happens in its own process. */
export interface BackendObserver {
  /** A worker slot is about to execute this run. */
  onClaimed(run: WorkflowRun, workerId: string): void;
  onEnded(runId: string): void;
  /** A run will be due at this time. */
  onDue(at: Date): void;
  /** False where the last look found nothing due and nothing has been announced since. */
  mayHaveWork(): boolean;
  onNothingDue(): void;
  /** Run id → the worker slot that may be executing it here. */
  readonly atWork: ReadonlyMap<string, { readonly workerId: string }>;
}

const ended = (run: WorkflowRun): boolean =>
  run.status === "completed" || run.status === "succeeded" || run.status === "failed" || run.status === "canceled";

/**
 * A backend that tells an observer what happens and does everything else as the one it stands before.
 * OpenWorkflow's worker asks once for every free slot; after the first "nothing due" the rest need not ask the database.
 */
export function observeBackend(backend: Backend, observer: BackendObserver): Backend {
  const report = (run: WorkflowRun): WorkflowRun => {
    if (ended(run)) observer.onEnded(run.id);
    else if (run.availableAt) observer.onDue(run.availableAt);
    return run;
  };
  /** Of what is at work here; nothing happens to what has come to rest or to another worker. */
  const renewLeases = async (leaseDurationMs: number): Promise<void> => {
    await Promise.allSettled(
      Array.from(observer.atWork, ([workflowRunId, { workerId }]) =>
        backend.extendWorkflowRunLease({ workflowRunId, workerId, leaseDurationMs }),
      ),
    );
  };
  let lastLook = Date.now();
  const claim: Backend["claimWorkflowRun"] = async (params) => {
    if (!observer.mayHaveWork()) return null;
    // The clock was set ahead, or the machine slept: our own leases look run out, and we would do our own work twice.
    const leapt = Date.now() - lastLook > params.leaseDurationMs / 2;
    lastLook = Date.now();
    if (leapt) await renewLeases(params.leaseDurationMs);
    const run = await backend.claimWorkflowRun(params);
    if (run) observer.onClaimed(run, params.workerId);
    else observer.onNothingDue();
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
    completeWorkflowRun: async (params) => report(await backend.completeWorkflowRun(params)),
    failWorkflowRun: async (params) => report(await backend.failWorkflowRun(params)),
    cancelWorkflowRun: async (params) => report(await backend.cancelWorkflowRun(params)),
    rescheduleWorkflowRunAfterFailedStepAttempt: async (params) =>
      report(await backend.rescheduleWorkflowRunAfterFailedStepAttempt(params)),
  };
  return Object.assign(Object.create(backend) as Backend, observed);
}
