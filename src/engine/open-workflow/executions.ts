import type { Backend } from "openworkflow/internal";
import { IoError, isAbiError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { describeCause, type Logger } from "../../log.ts";
import type { Decision, PendingDecision, RunHandler, StepAttempt, StepEvent } from "../engine.ts";
import type { FailureLog } from "../failure-log.ts";
import type { RetryPolicy } from "../retry-policy.ts";
import { assertSubject, decisionOn, toDecision } from "./decision.ts";
import { createStep, type StepApi, type StepSurroundings } from "./durable-step.ts";
import type { RunQueries, RunsAtWork } from "./engine-database.ts";
import { FINAL, type WorkflowRun } from "./observed-backend.ts";
import type { Persistence } from "./persistence.ts";
import type { RecordedSteps } from "./recorded-steps.ts";
import {
  configOf,
  envelopeOf,
  failuresOf,
  publicId,
  storableError,
  submissionOf,
  toFullHistory,
} from "./run-record.ts";
import { assertStorable, assertStorableResult } from "./storable.ts";

export const INTERRUPTED = new IoError("The engine was closed. The run goes on when it is opened again.", {
  code: "interrupted",
});

export interface ExecutionSurroundings {
  readonly backend: Backend;
  readonly queries: RunQueries;
  readonly persistence: Persistence;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly failureLog: FailureLog;
  recordedSteps(runId: string, submission: number): Promise<RecordedSteps>;
  isClosing(): boolean;
  /** Something has happened to a run that others should look at. */
  onHappened(runId: string): void;
  /** A worker slot is free. */
  onFree(): void;
  emit(event: StepEvent): void;
}

/**
 * A run that a worker slot of this process has claimed. Its execution acts under this claim and no other: another slot may have
 * claimed the same run since, when somebody else had it in between.
 */
export interface Claim {
  readonly run: WorkflowRun;
  readonly workerId: string;
  /** How the run is to be left, where it must not go on here; once no step is in hand. */
  leave?: () => Promise<unknown>;
  /** Whether the run was left until somebody decides. */
  parked: boolean;
}

/** The runs that this process has claimed. */
export class Executions {
  readonly #surroundings: ExecutionSurroundings;
  /** By worker slot, until that asks for its next run. */
  readonly #claims = new Map<string, Claim>();
  readonly #atWork = new Set<Promise<unknown>>();

  constructor(surroundings: ExecutionSurroundings) {
    this.#surroundings = surroundings;
  }

  /** Handlers that have not returned. */
  get atWork(): Iterable<Promise<unknown>> {
    return this.#atWork;
  }

  /** What its slots execute, and some that their slots have just left. */
  get slots(): RunsAtWork {
    return new Map([...this.#claims].map(([workerId, { run }]) => [workerId, run.id]));
  }

  /** A worker slot asks for a run: it executes none. */
  asked(workerId: string): void {
    this.#claims.delete(workerId);
  }

  /** Gives the run with its claim in place of the input: OpenWorkflow hands that to the handler, and nothing else that tells the slot. */
  claimed(run: WorkflowRun, workerId: string): WorkflowRun {
    const claim: Claim = { run, workerId, parked: false };
    this.#claims.set(workerId, claim);
    this.#log(run, "a run is taken up");
    return { ...run, input: claim as never };
  }

  /** A run that was at work here is not any more. */
  left(run: WorkflowRun, message: string): void {
    const { id, workflowName, status } = run;
    this.#surroundings.logger.info({ run_id: publicId(id), workflow: workflowName, status }, message);
    // Its slot is free once OpenWorkflow has returned from what it is in now.
    setImmediate(() => this.#surroundings.onHappened(id));
  }

  /** The run that this slot has parked. */
  parked(workerId: string): WorkflowRun | undefined {
    const claim = this.#claims.get(workerId);
    if (!claim?.parked) return undefined;
    // The worker's slot is free once OpenWorkflow has returned from what it is in now.
    setImmediate(() => this.#surroundings.onFree());
    return claim.run;
  }

  /** Runs the author's handler once; whatever it throws leaves in a form that may be stored. */
  execute(claim: Claim, api: StepApi, handler: RunHandler): Promise<Json> {
    const execution = this.#execute(claim, api, handler);
    this.#atWork.add(execution);
    void execution.catch(() => {}).finally(() => this.#atWork.delete(execution));
    return execution;
  }

  async #execute(claim: Claim, api: StepApi, handler: RunHandler): Promise<Json> {
    const { run } = claim;
    const runId = publicId(run.id);
    const engineErrors = new Set<unknown>();
    /** Whether the handler has returned or thrown: what it has left at work beside that begins nothing more. */
    let isOver = false;
    /** Once it has met an error of the engine, the run is left here: a handler that catches it changes nothing about that. */
    const staysHere = (): void => {
      if (isOver) throw INTERRUPTED;
      const [error] = engineErrors;
      if (engineErrors.size > 0) throw error;
    };
    /** Attempts of steps that are at work. */
    const inHand = new Set<Promise<unknown>>();
    const runStep: StepSurroundings["runStep"] = (...given) => {
      staysHere();
      const attempt = api.run(...given);
      inHand.add(attempt);
      void attempt.catch(() => {}).finally(() => inHand.delete(attempt));
      return attempt;
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
    const submission = submissionOf(run);
    const step = createStep({
      runId,
      submission,
      runStep,
      retry: this.#surroundings.retry,
      logger: this.#surroundings.logger,
      failureLog: this.#surroundings.failureLog,
      recordedSteps: () =>
        this.#surroundings.persistence.until(() => this.#surroundings.recordedSteps(run.id, submission)),
      earlierAttempts: (name) => this.#earlierAttempts(run, name),
      earlierFailures: async (name) =>
        failuresOf(
          run,
          await this.#surroundings.persistence.until(() => this.#surroundings.queries.steps(run.id)),
          name,
        ),
      beforeStep: async () => void (await ofEngine(() => this.#mayGoOn(claim))),
      onEngineError: (error) => engineErrors.add(error),
      emit: (event) => this.#surroundings.emit({ runId, ...event }),
    });
    const decision = async (subject: string, output?: Json): Promise<Decision> => {
      assertSubject(subject);
      if (output !== undefined) assertStorable(output, "output");
      return ofEngine(() => this.#awaitDecision(claim, { subject, ...(output === undefined ? {} : { output }) }));
    };
    const { resubmitted_at: resumed } = configOf(run);
    const resumption = resumed === undefined ? {} : { resumedAt: new Date(resumed) };
    const history = async (): Promise<StepAttempt[]> =>
      toFullHistory(await this.#surroundings.persistence.until(() => this.#surroundings.queries.steps(run.id)));
    try {
      const output = await handler(envelopeOf(run).input, {
        runId,
        startTime: run.createdAt,
        ...resumption,
        step,
        decision,
        history,
      });
      staysHere();
      assertStorableResult(output, "The workflow");
      isOver = true;
      return output;
    } catch (error) {
      const isLeft = engineErrors.size > 0;
      isOver = true;
      // What is recorded of them now need not be done again. Whoever has the run next would find them begun, and begin them beside these.
      await Promise.allSettled(inHand);
      if (isLeft) {
        // A step that is to be tried again, or a fault of the database: OpenWorkflow puts the run off.
        for (const other of engineErrors) if (other !== INTERRUPTED) throw other;
        await claim.leave?.();
        throw INTERRUPTED;
      }
      if (!isAbiError(error)) {
        this.#surroundings.logger.error(
          { run_id: runId, cause: describeCause(error) },
          "a workflow failed between its steps",
        );
      }
      await this.#fail(claim, storableError(error));
      throw error;
    }
  }

  /** Ends a run for good. OpenWorkflow's own attempt to fail it, by the policy for engine failures, then finds nothing to do. */
  async #fail({ run, workerId }: Claim, { message }: Error): Promise<void> {
    const failure = { workflowRunId: run.id, workerId, error: { message }, retryPolicy: FINAL };
    await this.#surroundings.backend.failWorkflowRun({ ...failure, attempts: 1, deadlineAt: null });
  }

  async #earlierAttempts(run: WorkflowRun, storedName: string): Promise<{ failed: number; died: number }> {
    // Claimed for the first time since it was submitted.
    if (run.attempts === 1) return { failed: 0, died: 0 };
    const { failed, running } = await this.#surroundings.persistence.until(() =>
      this.#surroundings.queries.attempts(run.id, storedName),
    );
    return { failed, died: running };
  }

  /**
   * A step boundary: the run as it stands. Where the engine is closing it is given back, where somebody has asked to cancel it is
   * ended, and where somebody else has it now it is left to them.
   */
  async #mayGoOn(claim: Claim): Promise<WorkflowRun> {
    const workflowRunId = claim.run.id;
    const { backend, persistence } = this.#surroundings;
    if (this.#surroundings.isClosing()) {
      claim.leave ??= () => this.#giveBack(claim);
      throw INTERRUPTED;
    }
    const run = await persistence.until(() => backend.getWorkflowRun({ workflowRunId }));
    // One that is completed keeps its worker's name.
    if (run?.status !== "running" || run.workerId !== claim.workerId) throw INTERRUPTED;
    if (configOf(run).cancel_requested !== undefined) {
      claim.leave ??= () => backend.cancelWorkflowRun({ workflowRunId });
      throw INTERRUPTED;
    }
    return run;
  }

  /** Whoever goes on with it need not wait for the lease, whatever the clocks say. */
  async #giveBack({ run, workerId }: Claim): Promise<void> {
    const rest = { workflowRunId: run.id, workerId, availableAt: new Date(0) };
    await this.#surroundings.backend.sleepWorkflowRun(rest);
  }

  /** The decision where it is there; else the run is left, to be executed anew when it comes. */
  async #awaitDecision(claim: Claim, waiting: PendingDecision): Promise<Decision> {
    const run = await this.#mayGoOn(claim);
    const decision = decisionOn(configOf(run), waiting.subject);
    if (decision) return toDecision(decision);
    claim.leave ??= () => this.#park(claim, waiting);
    throw INTERRUPTED;
  }

  async #park(claim: Claim, waiting: PendingDecision): Promise<void> {
    const { run, workerId } = claim;
    // Decided on meanwhile, it is due at once; asked to be cancelled, it is as it is given back.
    if (!(await this.#surroundings.queries.park(run.id, workerId, waiting))) return this.#giveBack(claim);
    claim.parked = true;
    this.#log(run, "a run waits for a person");
    this.#surroundings.onHappened(run.id);
  }

  #log({ id, workflowName }: WorkflowRun, message: string): void {
    this.#surroundings.logger.info({ run_id: publicId(id), workflow: workflowName }, message);
  }
}
