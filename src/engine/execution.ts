import { fromWireError, isAbiError, toAbiError, toWireError, UnexpectedError, type AbiError } from "../errors.ts";
import { withoutAbsent, type Json } from "../json.ts";
import { describeCause, type Logger } from "../log.ts";
import type { RetryPolicy } from "../retry-policies.ts";
import { attemptsOf, isSameStep, type Attempt } from "./attempts.ts";
import { assertSubject } from "./decision.ts";
import type {
  Decision,
  RestedRun,
  RestingRun,
  RunHandler,
  Step,
  StepAttempt,
  StepEvent,
  StepOptions,
  StepWork,
} from "./engine.ts";
import type { FailureLog } from "./failure-log.ts";
import type { Journal } from "./journal.ts";
import { planRetry } from "./plan-retry.ts";
import { publicId, toDecision, toFullHistory, toRested, toResting } from "./run-view.ts";
import type { ClaimedRun, EventRecord, NewRunRecord, RunStore, RunWrite, SeenRun, WriteOutcome } from "./run-store.ts";
import { endedBy, eventOf, releases, toEvent, type EndWrite } from "./run-writes.ts";
import { assertStepName, refusedResult, storableInput, storableResult } from "./storable.ts";

/**
 * Thrown into a handler to leave its run. It is not an `AbiError`, so a handler that catches only
 * `AbiError`s lets it pass. If a handler catches it anyway, the run is left when the handler ends.
 */
const RUN_LEFT = Object.assign(new Error("The run is left here and continues later or elsewhere."), {
  code: "interrupted",
});

/** Per run. The limit exists because claiming a run reads all of its events. */
const MAX_STEPS = 1000;

/**
 * A handler that calls `step` and `decision` more often than this ignores what they throw, and
 * would block the event loop forever.
 */
const MAX_CALLS = 2 * MAX_STEPS;

const tooManySteps = (): UnexpectedError =>
  new UnexpectedError(undefined, {
    message: `The workflow takes more than ${MAX_STEPS} steps in one run. Do more in each step, or split the work into several runs.`,
    code: "too_many_steps",
  });

const usedTwice = (step: string): UnexpectedError =>
  new UnexpectedError(undefined, {
    message: `Two steps of this run are named "${step}". Give each its own name.`,
    code: "duplicate_step_name",
  });

/**
 * A step that crashes its process must not be retried forever: it would take down every worker in
 * turn.
 */
const givenUp = (step: string, times: number): UnexpectedError =>
  new UnexpectedError(undefined, {
    message: `The step "${step}" was given up, because its process ended ${times} times while the step was running. Find out what ends the process, then submit the run again.`,
    code: "step_died",
  });

/** By who has to act: the developer, the operator of the unavailable service, or nobody. */
const LOG_LEVEL = { unexpected_error: "error", io_error: "warn", conflict: "info", validation_error: "info" } as const;

/**
 * Input that another system refused is logged as a warning, because only the log has that system's
 * message.
 */
const logLevel = ({ type, cause }: AbiError) =>
  type === "validation_error" && cause !== undefined ? "warn" : LOG_LEVEL[type];

export interface ExecutionDependencies {
  readonly store: RunStore;
  readonly journal: Journal;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly failureLog: FailureLog;
  /** The run to start because this one ends or begins to wait; see `WorkflowEngine.follow`. */
  followerOf(resting: RestingRun): NewRunRecord | undefined;
  isClosing(): boolean;
  /** Notifies everyone who waits for this run or for work. */
  announce(id: string): void;
  /** Notifies everyone who waits for this run, and other workers, that this worker has left it. */
  left(id: string, ended?: SeenRun): void;
  emit(event: StepEvent): void;
  rested(run: RestedRun): void;
}

type StepName = Pick<Attempt, "step" | "listed">;

/**
 * Why the run doesn't continue here: it continues later, it waits for a person, or this worker can
 * no longer write to it ("lost"), because another one has it or the engine closes while the
 * database fails.
 */
type Leave = Extract<RunWrite, { kind: "reschedule" | "park" }> | "lost";

/** How an execution has ended. `ended`: the run has completed or failed, or was cancelled. */
export type ExecutionEnd = "ended" | "rescheduled" | "parked" | "lost";

/**
 * One execution of one run. The handler runs from its beginning; a step whose result is stored
 * returns that result instead of doing its work again. The execution ends when the handler does, or
 * when the run is left: for a later retry, for a person's decision, because it is cancelled,
 * because the engine closes, or because another worker has the run.
 *
 * The table shows what is stored at each moment, and what a crash right after it leads to. If a
 * handler goes straight on to the next step or to its end, the last result is written in the same
 * transaction as what comes next. A power cut can still lose a result that need not be flushed
 * (`StepOptions.flush`).
 *
 * | moment               | stored                         | after a crash here                   |
 * | -------------------- | ------------------------------ | ------------------------------------ |
 * | run is claimed       | the worker's epoch             | the run is due again, for anyone     |
 * | step begins          | its beginning, the last result | the step begins again: a new attempt |
 * | eager step begins    | nothing new                    | the step begins again, not eagerly   |
 * | work is done         | nothing new                    | THE WINDOW: the work is done again   |
 * | result is stored     | the result                     | the replay returns it                |
 * | handler has returned | the last result, the end       | the run has ended                    |
 * | handler has thrown   | the failure, the end           | the run has failed                   |
 * | step will be retried | the failure, the due time      | the run is due at that time          |
 * | decision is awaited  | that the run waits             | the run waits, without a worker      |
 *
 * A step's promise may resolve before its result is stored, so that the result shares a transaction
 * with the beginning of the next step. But what follows waits until the result is stored: the next
 * step's work and the end, because that step's beginning and the end are written after the result;
 * and a decision, because it awaits `#recorded`. Only the work of an eager step doesn't wait;
 * `Journal` stores its beginning and its result with the run's next write that is not lazy, or
 * after a moment, whichever comes first.
 *
 * Every write carries the epoch with which the run was claimed. If another worker has claimed it
 * since, the answer is "lost": nothing was written, and this execution stops before its next step.
 */
export class Execution {
  readonly #claimed: ClaimedRun;
  readonly #dependencies: ExecutionDependencies;
  readonly #runId: string;
  /** Of earlier executions. */
  readonly #attempts: readonly Attempt[];
  readonly #names = new Set<string>();
  /** Attempts that are running. */
  readonly #inFlight = new Set<Promise<unknown>>();
  #calls = 0;
  /** Rejects when the handler must not be waited for any longer. */
  readonly #stopped = Promise.withResolvers<never>();
  /** The handler has returned or thrown. Work that it left running must not begin another step. */
  #isOver = false;
  /** Once set, the run is left, even if the handler catches `RUN_LEFT`. */
  #leave: Leave | undefined;
  /** Why the store permanently refused a result. */
  #refused: AbiError | undefined;
  /** Settles when all results so far are stored, and all beginnings of eager steps. */
  #recorded: Promise<void> = Promise.resolve();
  /** The run's stored events, except the one for its end. */
  readonly #events: EventRecord[];
  #ended: SeenRun | undefined;
  /** Whether a power cut could still lose a result. */
  #isUnflushed: boolean;

  constructor(claimed: ClaimedRun, dependencies: ExecutionDependencies) {
    this.#claimed = claimed;
    this.#dependencies = dependencies;
    this.#runId = publicId(claimed.run.id);
    this.#events = [...claimed.events];
    this.#attempts = attemptsOf(this.#events);
    // An earlier worker may have written results without a flush.
    this.#isUnflushed = !claimed.isFirstExecution;
  }

  /** The run and its events (except the one for its end), if it completed or failed here. */
  get ended(): SeenRun | undefined {
    return this.#ended;
  }

  /**
   * Runs the handler and stores the outcome. Rejects only if it can't be stored before the engine
   * closes.
   */
  async run(handler: RunHandler): Promise<ExecutionEnd> {
    const { run } = this.#claimed;
    let outputJson: string | undefined;
    try {
      const handled = handler(JSON.parse(run.inputJson) as Json, {
        runId: this.#runId,
        startTime: new Date(run.createdAt),
        ...(run.resumedAt !== null && { resumedAt: new Date(run.resumedAt) }),
        step: this.#step(),
        decision: (subject, partialOutput) =>
          awaitedOrNot(this.#tooManyCalls() ?? this.#decision(subject, partialOutput)),
        history: () => awaitedOrNot(this.#history()),
      });
      const output = await Promise.race([handled, this.#stopped.promise]);
      if (this.#leave) throw RUN_LEFT;
      if (this.#refused) throw this.#refused;
      outputJson = storableResult(output, "The workflow");
      this.#isOver = true;
    } catch (error) {
      this.#isOver = true;
      // Let concurrent steps finish. Their results are stored, and nobody starts them a second time
      // in the meantime.
      await Promise.allSettled(this.#inFlight);
      if (this.#leave) return this.#storeLeave(this.#leave);
      if (!isAbiError(error)) {
        const cause = describeCause(error);
        this.#dependencies.logger.error({ run_id: this.#runId, cause }, "a workflow failed between its steps");
      }
      return this.#fail(error);
    }
    return this.#end({ kind: "end", time: Date.now(), outputJson });
  }

  /** @param options `isLazy`: nothing waits for it, so it may be held back for a moment */
  async #write(write: RunWrite, options?: { isLazy?: boolean }): Promise<WriteOutcome> {
    const outcome = await this.#dependencies.journal.write(this.#claimed.hold, write, options);
    if (outcome === "done" && !releases(write)) {
      const last = this.#events.at(-1)?.n ?? 0;
      this.#events.push(toEvent(last + 1, eventOf(write)));
    }
    return outcome;
  }

  async #writeEnd(end: EndWrite): Promise<boolean> {
    if ((await this.#write(end)) === "lost") return false;
    const { run } = this.#claimed;
    this.#ended = {
      run: { ...run, ...endedBy(end), dueAt: null, endedAt: end.time, waitingFor: null },
      events: this.#events,
    };
    return true;
  }

  async #end(end: EndWrite): Promise<ExecutionEnd> {
    try {
      await this.#follow({ status: "completed" });
      if (!(await this.#writeEnd(end))) return "lost";
      this.#rested({ status: "completed" }, end.time);
      return "ended";
    } catch (error) {
      if (!this.#dependencies.store.isUnwritable(error)) throw error;
      return this.#fail(this.#refused ?? refusedResult("the workflow", error));
    }
  }

  async #fail(error: unknown): Promise<ExecutionEnd> {
    const failWith = async (reason: unknown): Promise<ExecutionEnd> => {
      const failed = { status: "failed", error: toWireError(reason) } as const;
      await this.#follow(failed);
      const time = Date.now();
      if (!(await this.#writeEnd({ kind: "end", time, error: failed.error }))) return "lost";
      this.#rested(failed, time);
      return "ended";
    };
    try {
      return await failWith(this.#refused ?? error);
    } catch (cause) {
      if (!this.#dependencies.store.isUnwritable(cause)) throw cause;
      return failWith(refusedResult("the workflow", cause));
    }
  }

  async #storeLeave(leave: Leave): Promise<ExecutionEnd> {
    if (leave === "lost") {
      // The engine must not close the store before the last write has been answered.
      await this.#allRecorded();
      return "lost";
    }
    let outcome: WriteOutcome;
    try {
      if (leave.kind === "park") await this.#follow({ status: "waiting_for_approval", subject: leave.subject });
      outcome = await this.#write(leave);
    } catch (error) {
      if (!this.#dependencies.store.isUnwritable(error)) throw error;
      // What was refused is the error of a failed step, which was in the same transaction.
      return this.#fail(this.#refused ?? refusedResult("the workflow", error));
    }
    if (outcome === "lost") return "lost";
    if (outcome === "cancelled") {
      this.#rested({ status: "cancelled" }, Date.now());
      return "ended";
    }
    if (leave.kind === "reschedule") return "rescheduled";
    this.#rested({ status: "waiting_for_approval", subject: leave.subject }, Date.now());
    return "parked";
  }

  /**
   * Accepts the following run before storing that this run ends or waits, so the following run can't
   * be lost. See `WorkflowEngine.follow`.
   */
  async #follow(rest: Pick<RestingRun, "status" | "subject" | "error">): Promise<void> {
    const follower = this.#dependencies.followerOf({ ...toResting(this.#claimed.run), ...rest });
    if (!follower) return;
    const { journal, store, logger } = this.#dependencies;
    try {
      const { id } = await journal.persist(() => journal.accept(follower));
      this.#dependencies.announce(id);
    } catch (error) {
      // A run must be able to end even if the run that follows can't be stored.
      if (!store.isUnwritable(error)) throw error;
      const facts = { run_id: this.#runId, workflow: follower.workflow, cause: describeCause(error) };
      logger.error(facts, "the run that follows was not started: the workflow database can't store its input");
    }
  }

  #rested(rest: Pick<RestedRun, "status" | "subject" | "error">, time: number): void {
    this.#dependencies.rested(toRested(this.#claimed.run, rest, time));
  }

  /** @throws RUN_LEFT, or the store's reason for refusing a result */
  #assertContinuing(): void {
    if (this.#isOver) throw RUN_LEFT;
    if (!this.#leave && this.#dependencies.isClosing()) this.#leave = { kind: "reschedule", delayMs: 0 };
    if (this.#leave) throw RUN_LEFT;
    if (this.#refused) throw this.#refused;
  }

  /** Leaves the run as soon as no step is running. */
  #leaveRun(leave: Leave): never {
    const delayOf = (other: Leave | undefined): number =>
      other === "lost" ? -1 : other?.kind === "reschedule" ? other.delayMs : Infinity;
    // Concurrent steps may give several reasons. A lost run comes first, then the shortest delay, a
    // decision last.
    if (this.#leave === undefined || delayOf(leave) < delayOf(this.#leave)) this.#leave = leave;
    throw RUN_LEFT;
  }

  /**
   * A handler that ignores what its steps throw gets no more answers, and its run fails without
   * waiting for it.
   */
  #tooManyCalls(): Promise<never> | undefined {
    if (++this.#calls <= MAX_CALLS) return undefined;
    this.#stopped.reject(tooManySteps());
    return new Promise(() => {});
  }

  #step(): Step {
    const step = <Output>(name: string, work: StepWork<Output>, options?: StepOptions) =>
      awaitedOrNot(this.#tooManyCalls() ?? this.#runStep(name, true, work, options));
    step.unlisted = <Output>(name: string, work: StepWork<Output>, options?: StepOptions) =>
      awaitedOrNot(this.#tooManyCalls() ?? this.#runStep(name, false, work, options));
    return step;
  }

  async #runStep<Output>(
    name: string,
    listed: boolean,
    work: StepWork<Output>,
    options: StepOptions = {},
  ): Promise<Output> {
    assertStepName(name);
    const uniqueName = listed ? name : `_${name}`;
    if (this.#names.has(uniqueName)) throw usedTwice(name);
    if (this.#names.size === MAX_STEPS) throw tooManySteps();
    this.#names.add(uniqueName);
    this.#assertContinuing();
    const step = { step: name, listed };
    const earlier = this.#attempts.filter((attempt) => isSameStep(attempt, step));
    const last = earlier.at(-1);
    if (last?.status === "completed") return parse(last.outputJson) as Output;
    if (last?.isFinal && last.isCurrent) throw fromWireError(last.error!);
    const attempt = this.#attempt(
      step,
      earlier.filter(({ isCurrent }) => isCurrent),
      work,
      options,
    );
    this.#inFlight.add(attempt);
    void attempt.catch(() => {}).finally(() => this.#inFlight.delete(attempt));
    return attempt;
  }

  /** @param tried attempts of this step since the run was accepted or last resumed */
  async #attempt<Output>(
    name: StepName,
    tried: readonly Attempt[],
    work: StepWork<Output>,
    options: StepOptions,
  ): Promise<Output> {
    const { step } = name;
    const { eager = false } = options;
    const flush = eager ? false : (options.flush ?? true);
    const isLazy = eager && this.#claimed.isFirstExecution;
    const begun = this.#begin(name, { flush: flush !== false, isLazy });
    if (isLazy) this.#recorded = this.#noted(begun);
    else await begun;
    // The handler may have ended in the meantime.
    if (this.#isOver) throw RUN_LEFT;
    const attempt = tried.length + 1;
    const { workflow } = this.#claimed.run;
    const startedAt = performance.now();
    const emit = (event: Pick<StepEvent, "phase" | "retryInMs">): void => {
      if (!name.listed) return;
      const durationMs = event.phase === "started" ? {} : { durationMs: performance.now() - startedAt };
      this.#dependencies.emit({ runId: this.#runId, workflow, step, attempt, ...event, ...durationMs });
    };
    emit({ phase: "started" });
    const died = tried.filter(({ status }) => status === "running").length;
    let outputJson: string | undefined;
    try {
      if (died >= this.#dependencies.retry.attempts) throw givenUp(step, died);
      outputJson = storableResult(await work(attempt), `The step "${step}"`);
    } catch (error) {
      // The run was left inside the work (a nested step, a failed read), so this is not a failure
      // of this step.
      if (error === RUN_LEFT) throw error;
      return this.#failed({ name, attempt, tried, options, emit, error: toAbiError(error) });
    }
    emit({ phase: "completed" });
    if (options.retryBudget) this.#dependencies.failureLog.ended(this.#runId, step);
    // Not awaited: whatever comes next (a step's beginning, a decision, the end) is stored after
    // it.
    this.#recorded = this.#record({
      kind: "complete",
      ...name,
      time: Date.now(),
      outputJson,
      isFlushed: flush === true,
    });
    if (flush !== true) this.#isUnflushed = true;
    return parse(outputJson) as Output;
  }

  async #begin(name: StepName, { flush, isLazy }: { flush: boolean; isLazy: boolean }): Promise<void> {
    let outcome: WriteOutcome;
    const isFlushed = flush && this.#isUnflushed;
    if (isFlushed) this.#isUnflushed = false;
    try {
      outcome = await this.#write({ kind: "begin", ...name, time: Date.now(), isFlushed }, { isLazy });
    } catch (error) {
      if (this.#refused) throw this.#refused;
      if (this.#dependencies.store.isUnwritable(error)) throw refusedResult(`the step "${name.step}"`, error);
      return this.#leaveRun("lost");
    }
    if (this.#refused) throw this.#refused;
    if (outcome === "done") return;
    if (outcome === "cancelled") this.#leaveRun({ kind: "reschedule", delayMs: 0 });
    const facts = { run_id: this.#runId, step: name.step };
    this.#dependencies.logger.warn(facts, "a step was not started: another worker now has its run");
    this.#leaveRun("lost");
  }

  /** Waits for a beginning that its step doesn't wait for, and notes a refusal. Never rejects. */
  async #noted(begun: Promise<void>): Promise<void> {
    try {
      await begun;
    } catch (error) {
      if (error !== RUN_LEFT) this.#refused ??= toAbiError(error);
    }
  }

  #failed({
    name,
    attempt,
    tried,
    options: { retryBudget: budget },
    emit,
    error,
  }: {
    name: StepName;
    attempt: number;
    tried: readonly Attempt[];
    options: StepOptions;
    emit: (event: Pick<StepEvent, "phase" | "retryInMs">) => void;
    error: AbiError;
  }): never {
    const { retry, logger, failureLog } = this.#dependencies;
    const { step } = name;
    const now = new Date();
    const failures = [
      ...tried.flatMap(({ status, endedAt }) => (status === "failed" ? [new Date(endedAt!)] : [])),
      now,
    ];
    const planned = { attempt, failures, ...(budget ? { budget } : {}) };
    const next = error.retriable ? planRetry(retry, error, planned) : undefined;
    const retryInMs = next && Math.max(1, Math.round(next.delayMs));
    const wire = toWireError(error);
    const cause = describeCause(error.cause);
    if (budget && retryInMs !== undefined) {
      failureLog.failed({
        runId: this.#runId,
        step,
        attempt,
        retryInMs,
        since: failures[0]!,
        error: wire.error,
        error_code: wire.error_code,
        cause,
      });
    } else {
      const facts = { run_id: this.#runId, step, attempt, retry_in_ms: retryInMs, code: error.code, cause };
      logger[logLevel(error)](facts, error.message);
    }
    emit({ phase: "failed", ...withoutAbsent({ retryInMs }) });
    const until = next?.until && { retryUntil: next.until.getTime() };
    const isFinal = retryInMs === undefined;
    this.#recorded = this.#record({ kind: "fail", ...name, time: now.getTime(), error: wire, isFinal, ...until });
    // Throw the error as a replay would read it, so the handler takes the same branch both times.
    if (isFinal) throw fromWireError(wire);
    return this.#leaveRun({ kind: "reschedule", delayMs: retryInMs, ...until });
  }

  /** Stores how an attempt ended. The run's next write is stored after it. Never rejects. */
  async #record(write: Extract<RunWrite, { kind: "complete" | "fail" }>): Promise<void> {
    const { step } = write;
    const { logger, store } = this.#dependencies;
    const facts = { run_id: this.#runId, step };
    try {
      const isLazy = write.kind === "complete" && !write.isFlushed;
      const outcome = await this.#write(write, { isLazy });
      if (outcome === "lost" && !this.#isOver) {
        logger.warn(facts, "a step's result was not recorded: another worker now has its run");
      }
    } catch (error) {
      logger.error({ ...facts, cause: describeCause(error) }, "a step could not be recorded");
      if (store.isUnwritable(error)) this.#refused ??= refusedResult(`the step "${step}"`, error);
    }
  }

  /**
   * Returns the decision if it has been made. Otherwise leaves the run; the decision makes it due
   * again.
   */
  async #decision(subject: string, output?: Json): Promise<Decision> {
    assertSubject(subject);
    const outputJson = output === undefined ? {} : { outputJson: storableInput(output, "output") };
    this.#assertContinuing();
    await this.#allRecorded();
    const decision = await this.#read((store) => store.decision(this.#claimed.hold.seq, subject));
    this.#assertContinuing();
    if (decision) return toDecision(decision);
    return this.#leaveRun({ kind: "park", subject, ...outputJson });
  }

  async #history(): Promise<StepAttempt[]> {
    await this.#allRecorded();
    return toFullHistory(await this.#read((store) => store.events(this.#claimed.hold.seq, 0)));
  }

  async #allRecorded(): Promise<void> {
    this.#dependencies.journal.hurry(this.#claimed.hold);
    await this.#recorded;
  }

  async #read<Answer>(read: (store: RunStore) => Promise<Answer>): Promise<Answer> {
    const { journal, store } = this.#dependencies;
    try {
      return await journal.persist(() => read(store));
    } catch {
      return this.#leaveRun("lost"); // the engine is closing and the database is unavailable
    }
  }
}

/**
 * A handler may await the promise later, or never: its rejection must not end the process as an
 * unhandled one.
 */
function awaitedOrNot<Output>(promise: Promise<Output>): Promise<Output> {
  promise.catch(() => {});
  return promise;
}

const parse = (json: string | undefined): unknown => (json === undefined ? undefined : JSON.parse(json));
