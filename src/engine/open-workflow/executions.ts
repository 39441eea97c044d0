import type { Backend } from "openworkflow/internal";
import { IoError, isAbiError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { describeCause, type Logger } from "../../log.ts";
import type { Decision, PendingDecision, RunHandler, StepAttempt, StepEvent } from "../engine.ts";
import type { RetryPolicy } from "../retry-policy.ts";
import { assertSubject, decisionOn, toDecision } from "./decision.ts";
import { createStep, type StepSurroundings } from "./durable-step.ts";
import type { RunQueries } from "./engine-database.ts";
import type { WorkflowRun } from "./observed-backend.ts";
import type { Persistence } from "./persistence.ts";
import type { RecordedSteps } from "./recorded-steps.ts";
import { configOf, publicId, storableError, submissionOf, toFullHistory } from "./run-record.ts";
import { assertStorable, assertStorableResult } from "./storable.ts";

/** For faults of the database in the middle of a run. Errors of steps and handlers are decided on before they come to this. */
export const AFTER_ENGINE_FAILURE = {
  maximumAttempts: 0,
  initialInterval: "1s",
  maximumInterval: "1m",
  backoffCoefficient: 2,
} as const;
export const FINAL = { ...AFTER_ENGINE_FAILURE, maximumAttempts: 1 };

export const INTERRUPTED = new IoError("The engine was closed. The run goes on when it is opened again.", {
  code: "interrupted",
});

export interface ExecutionSurroundings {
  readonly backend: Backend;
  readonly queries: RunQueries;
  readonly persistence: Persistence;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  recordedSteps(runId: string, submission: number): Promise<RecordedSteps>;
  isClosing(): boolean;
  /** Something has happened to a run that others should look at. */
  onHappened(runId: string): void;
  /** A worker slot is free. */
  onFree(): void;
  emit(event: StepEvent): void;
}

/** A run that a worker slot of this process has claimed. */
interface Claim {
  readonly workerId: string;
  /** For the first time since it was submitted. */
  readonly first: boolean;
  readonly resumedAt: Date | undefined;
  readonly submission: number;
  executing: boolean;
}

/** The runs that this process has claimed, until they end, are put off or wait for a person. */
export class Executions {
  readonly #surroundings: ExecutionSurroundings;
  /** By run id. */
  readonly #claims = new Map<string, Claim>();
  /** Runs that were parked here, by the worker slot that OpenWorkflow has not freed yet. */
  readonly #parked = new Map<string, WorkflowRun>();
  readonly #atWork = new Set<Promise<unknown>>();

  constructor(surroundings: ExecutionSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Handlers that have not returned. */
  get atWork(): Iterable<Promise<unknown>> {
    return this.#atWork;
  }

  claimed(run: WorkflowRun, workerId: string): void {
    this.#parked.delete(workerId);
    const { resubmitted_at: resumed } = configOf(run);
    const resumedAt = resumed === undefined ? undefined : new Date(resumed);
    const first = run.attempts === 1;
    this.#claims.set(run.id, { workerId, first, resumedAt, submission: submissionOf(run), executing: true });
    this.#log(run, "a run is taken up");
  }

  /** Gives a run, which was just claimed anew, back to its execution here; false where there is none. */
  async reclaim({ id }: WorkflowRun): Promise<boolean> {
    const claim = this.#claims.get(id);
    if (!claim?.executing) return false;
    await this.#surroundings.queries.giveBack(id, claim.workerId);
    return true;
  }

  /** A run that was at work here is not any more. */
  left(run: WorkflowRun, message: string): void {
    this.#claims.delete(run.id);
    const { id, workflowName, status } = run;
    this.#surroundings.logger.info({ run_id: publicId(id), workflow: workflowName, status }, message);
    // Its slot is free once OpenWorkflow has returned from what it is in now.
    setImmediate(() => this.#surroundings.onHappened(id));
  }

  /** The run that this slot has parked, told once. */
  takeParked(workerId: string): WorkflowRun | undefined {
    const run = this.#parked.get(workerId);
    if (!this.#parked.delete(workerId)) return undefined;
    // The worker's slot is free once OpenWorkflow has returned from what it is in now.
    setImmediate(() => this.#surroundings.onFree());
    return run;
  }

  /** Runs the author's handler once; whatever it throws leaves in a form that may be stored. */
  execute(
    run: { readonly id: string; readonly createdAt: Date },
    input: Json,
    api: StepSurroundings["api"],
    handler: RunHandler,
  ): Promise<Json> {
    const claim = this.#claims.get(run.id);
    const execution = this.#execute(run.id, run.createdAt, input, api, handler);
    this.#atWork.add(execution);
    void execution
      .catch(() => {})
      .finally(() => {
        if (claim) claim.executing = false;
        this.#atWork.delete(execution);
      });
    return execution;
  }

  async #execute(
    runId: string,
    startTime: Date,
    input: Json,
    api: StepSurroundings["api"],
    handler: RunHandler,
  ): Promise<Json> {
    const engineErrors = new Set<unknown>();
    /** Once it has met one of them, the run is left here: a handler that catches it changes nothing about that. */
    const staysHere = (): void => {
      const [error] = engineErrors;
      if (engineErrors.size > 0) throw error;
    };
    const ofEngine = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      try {
        staysHere();
        return await work();
      } catch (error) {
        engineErrors.add(error);
        throw error;
      }
    };
    const { resumedAt, submission = 0 } = this.#claims.get(runId) ?? {};
    const step = createStep({
      runId: publicId(runId),
      submission,
      api,
      retry: this.#surroundings.retry,
      logger: this.#surroundings.logger,
      recordedSteps: () =>
        this.#surroundings.persistence.until(() => this.#surroundings.recordedSteps(runId, submission)),
      earlierAttempts: (name) => this.#earlierAttempts(runId, name),
      beforeStep: () => ofEngine(() => this.#mayGoOn(runId)),
      onEngineError: (error) => engineErrors.add(error),
      emit: (event) => this.#surroundings.emit({ runId: publicId(runId), ...event }),
    });
    const decision = async (subject: string, output?: Json): Promise<Decision> => {
      assertSubject(subject);
      if (output !== undefined) assertStorable(output, "output");
      return ofEngine(() => this.#awaitDecision(runId, { subject, ...(output === undefined ? {} : { output }) }));
    };
    try {
      const resumption = resumedAt === undefined ? {} : { resumedAt };
      const history = async (): Promise<StepAttempt[]> =>
        toFullHistory(await this.#surroundings.persistence.until(() => this.#surroundings.queries.steps(runId)));
      const output = await handler(input, {
        runId: publicId(runId),
        startTime,
        ...resumption,
        step,
        decision,
        history,
      });
      staysHere();
      assertStorableResult(output, "The workflow");
      return output;
    } catch (error) {
      staysHere();
      if (error === INTERRUPTED) throw error;
      if (!isAbiError(error)) {
        this.#surroundings.logger.error(
          { run_id: publicId(runId), cause: describeCause(error) },
          "a workflow failed between its steps",
        );
      }
      await this.#fail(runId, storableError(error));
      throw error;
    }
  }

  /** Ends a run for good. OpenWorkflow's own attempt to fail it, by the policy for engine failures, then finds nothing to do. */
  async #fail(runId: string, { message }: Error): Promise<void> {
    const workerId = this.#claims.get(runId)?.workerId;
    if (workerId === undefined) return;
    const failure = { workflowRunId: runId, workerId, error: { message }, retryPolicy: FINAL };
    await this.#surroundings.backend.failWorkflowRun({ ...failure, attempts: 1, deadlineAt: null });
  }

  async #earlierAttempts(runId: string, storedName: string): Promise<{ failed: number; died: number }> {
    if (this.#claims.get(runId)?.first) return { failed: 0, died: 0 };
    const { failed, running } = await this.#surroundings.persistence.until(() =>
      this.#surroundings.queries.attempts(runId, storedName),
    );
    return { failed, died: running };
  }

  /** A step boundary: gives the run back where the engine is closing, and ends it where somebody has asked to cancel. */
  async #mayGoOn(runId: string): Promise<void> {
    const workerId = this.#claims.get(runId)?.workerId;
    if (this.#surroundings.isClosing()) {
      // Whoever goes on with it need not wait for the lease, whatever the clocks say.
      if (workerId)
        await this.#surroundings.backend.sleepWorkflowRun({ workflowRunId: runId, workerId, availableAt: new Date(0) });
      throw INTERRUPTED;
    }
    if (await this.#surroundings.persistence.until(() => this.#surroundings.queries.isCancelRequested(runId))) {
      await this.#surroundings.backend.cancelWorkflowRun({ workflowRunId: runId });
      throw INTERRUPTED;
    }
  }

  /** The decision where it is there; else the run is left, to be executed anew when it comes. */
  async #awaitDecision(workflowRunId: string, waiting: PendingDecision): Promise<Decision> {
    for (;;) {
      await this.#mayGoOn(workflowRunId);
      const claim = this.#claims.get(workflowRunId);
      const run = await this.#surroundings.backend.getWorkflowRun({ workflowRunId });
      if (!claim || run?.workerId !== claim.workerId) throw INTERRUPTED;
      const decision = decisionOn(configOf(run), waiting.subject);
      if (decision) return toDecision(decision);
      // Before it is parked: decided on at once, it may be claimed again before we hear that it was.
      claim.executing = false;
      if (await this.#surroundings.queries.park(workflowRunId, claim.workerId, waiting)) {
        if (this.#claims.get(workflowRunId) === claim) this.#claims.delete(workflowRunId);
        this.#parked.set(claim.workerId, run);
        this.#log(run, "a run waits for a person");
        this.#surroundings.onHappened(workflowRunId);
        throw INTERRUPTED;
      }
      claim.executing = true;
    }
  }

  #log({ id, workflowName }: WorkflowRun, message: string): void {
    this.#surroundings.logger.info({ run_id: publicId(id), workflow: workflowName }, message);
  }
}
