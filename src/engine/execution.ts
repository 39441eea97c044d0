import { fromWireError, isAbiError, toAbiError, toWireError, UnexpectedError, type AbiError } from "../errors.ts";
import type { Json } from "../json.ts";
import { describeCause, type Logger } from "../log.ts";
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
import { planRetry, type RetryPolicy } from "./retry-policy.ts";
import { publicId, toDecision, toFullHistory, toRested, toResting } from "./run-view.ts";
import type { NewRunRecord, RunStore, RunWrite, TakenRun, WriteOutcome } from "./run-store.ts";
import { assertStepName, refusedResult, storableInput, storableResult } from "./storable.ts";

/**
 * What a handler meets where its run does not go on here: it is to let that pass. None of our errors, so that a handler that deals
 * with those of its steps does not take it for one.
 */
const LEFT = Object.assign(new Error("The run is left here, and goes on later or elsewhere."), { code: "interrupted" });

/** In one run, so that it can be read at once; the same at every replay. */
const MOST_STEPS = 1000;

/** Each step is begun once, so whoever asks for so many goes on whatever it meets, and leaves no turn to anything else. */
const MOST_CALLS = 2 * MOST_STEPS;

const tooManySteps = (): UnexpectedError =>
  new UnexpectedError(undefined, {
    message: `The workflow makes more than ${MOST_STEPS} steps in one run. Do more in each, or share the work out among several runs.`,
    code: "too_many_steps",
  });

const usedTwice = (step: string): UnexpectedError =>
  new UnexpectedError(undefined, {
    message: `Two steps of this run are named "${step}". Give each a name of its own.`,
    code: "duplicate_step_name",
  });

/** A step that takes its process with it must not be tried for ever: it would take every worker in turn. */
const givenUp = (step: string, times: number): UnexpectedError =>
  new UnexpectedError(undefined, {
    message: `The step ${step} was at work ${times} times when its process ended, and was given up. Find out what ends the process, and submit it again.`,
    code: "step_died",
  });

/** Who should look: a fault of ours, a service that is away, or merely input that can't work. */
const LOG_LEVEL = { unexpected_error: "error", io_error: "warn", conflict: "info", validation_error: "info" } as const;

/** What another system has refused is worth a look, and only the log has its words. */
const logLevel = ({ type, cause }: AbiError) =>
  type === "validation_error" && cause !== undefined ? "warn" : LOG_LEVEL[type];

export interface ExecutionSurroundings {
  readonly store: RunStore;
  readonly journal: Journal;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly failureLog: FailureLog;
  /** The run that is to be started because of one that comes to rest; see `WorkflowEngine.follow`. */
  followerOf(resting: RestingRun): NewRunRecord | undefined;
  isClosing(): boolean;
  emit(event: StepEvent): void;
  rested(run: RestedRun): void;
}

type StepName = Pick<Attempt, "step" | "listed">;

/** How a run is to be left that does not go on here. */
type Leave = Extract<RunWrite, { kind: "put_off" | "park" }>;

/** How an execution has ended. `ended` includes runs that were cancelled. */
export type ExecutionEnd = "ended" | "put_off" | "parked" | "lost";

/**
 * One execution of a run, from where it was taken up to its end or to where it is left: its handler is run from the start, and what is
 * recorded of its steps is not done again.
 */
export class Execution {
  readonly #taken: TakenRun;
  readonly #surroundings: ExecutionSurroundings;
  readonly #runId: string;
  /** Those of earlier executions. */
  readonly #attempts: readonly Attempt[];
  readonly #names = new Set<string>();
  /** Attempts of steps that are at work. */
  readonly #inHand = new Set<Promise<unknown>>();
  #calls = 0;
  /** Rejects where the handler is not waited for any more. */
  readonly #stopped = Promise.withResolvers<never>();
  /** The handler has returned or thrown: what it has left at work beside that begins nothing more. */
  #isOver = false;
  /** Once it is there the run is left, whatever the handler makes of the error that it meets. */
  #leave: Leave | "lost" | undefined;
  /** What the store does not take, and what it is to be called. */
  #refused: AbiError | undefined;
  /** Settles when what was recorded last is on disk. */
  #recorded: Promise<void> = Promise.resolve();

  constructor(taken: TakenRun, surroundings: ExecutionSurroundings) {
    this.#taken = taken;
    this.#surroundings = surroundings;
    this.#runId = publicId(taken.run.id);
    this.#attempts = attemptsOf(taken.events);
  }

  /** Runs the handler and writes down what becomes of the run. Rejects only where that can't be written before the engine closes. */
  async run(handler: RunHandler): Promise<ExecutionEnd> {
    const { run } = this.#taken;
    let outputJson: string | undefined;
    try {
      const handled = handler(JSON.parse(run.inputJson) as Json, {
        runId: this.#runId,
        startTime: new Date(run.createdAt),
        ...(run.resumedAt !== null && { resumedAt: new Date(run.resumedAt) }),
        step: this.#step(),
        decision: (subject, soFar) => awaitedOrNot(this.#asked() ?? this.#decision(subject, soFar)),
        history: () => this.#history(),
      });
      const output = await Promise.race([handled, this.#stopped.promise]);
      if (this.#leave) throw LEFT;
      if (this.#refused) throw this.#refused;
      outputJson = storableResult(output, "The workflow");
      this.#isOver = true;
    } catch (error) {
      this.#isOver = true;
      // What is recorded of them now need not be done again. Whoever has the run next would find them begun, and begin them beside these.
      await Promise.allSettled(this.#inHand);
      if (this.#leave) return this.#goAway(this.#leave);
      if (!isAbiError(error)) {
        const cause = describeCause(error);
        this.#surroundings.logger.error({ run_id: this.#runId, cause }, "a workflow failed between its steps");
      }
      return this.#fail(error);
    }
    return this.#end({ kind: "end", time: Date.now(), outputJson });
  }

  #write(write: RunWrite): Promise<WriteOutcome> {
    return this.#surroundings.journal.write(this.#taken.hold, write);
  }

  async #end(end: Extract<RunWrite, { kind: "end" }>): Promise<ExecutionEnd> {
    try {
      await this.#follow({ status: "completed" });
      if ((await this.#write(end)) === "lost") return "lost";
      this.#rested({ status: "completed" }, end.time);
      return "ended";
    } catch (error) {
      if (!this.#surroundings.store.isUnwritable(error)) throw error;
      return this.#fail(this.#refused ?? refusedResult("the workflow", error));
    }
  }

  async #fail(error: unknown): Promise<ExecutionEnd> {
    const failWith = async (reason: unknown): Promise<ExecutionEnd> => {
      const failed = { status: "failed", error: toWireError(reason) } as const;
      await this.#follow(failed);
      const time = Date.now();
      if ((await this.#write({ kind: "end", time, error: failed.error })) === "lost") return "lost";
      this.#rested(failed, time);
      return "ended";
    };
    try {
      return await failWith(this.#refused ?? error);
    } catch (cause) {
      if (!this.#surroundings.store.isUnwritable(cause)) throw cause;
      return failWith(refusedResult("the workflow", cause));
    }
  }

  async #goAway(leave: Leave | "lost"): Promise<ExecutionEnd> {
    if (leave === "lost") return "lost";
    let outcome: WriteOutcome;
    try {
      if (leave.kind === "park") await this.#follow({ status: "waiting_for_approval", subject: leave.subject });
      outcome = await this.#write(leave);
    } catch (error) {
      if (!this.#surroundings.store.isUnwritable(error)) throw error;
      // It goes together with what a step has failed with just before.
      return this.#fail(this.#refused ?? refusedResult("the workflow", error));
    }
    if (outcome === "lost") return "lost";
    if (outcome === "cancelled") {
      this.#rested({ status: "cancelled" }, Date.now());
      return "ended";
    }
    if (leave.kind === "put_off") return "put_off";
    this.#rested({ status: "waiting_for_approval", subject: leave.subject }, Date.now());
    return "parked";
  }

  /** Has the run that follows this one accepted, behind what is recorded of this one's steps. */
  async #follow(rest: Pick<RestingRun, "status" | "subject" | "error">): Promise<void> {
    const follower = this.#surroundings.followerOf({ ...toResting(this.#taken.run), ...rest });
    if (follower) await this.#surroundings.journal.reach(() => this.#surroundings.journal.accept(follower));
  }

  #rested(rest: Pick<RestedRun, "status" | "subject" | "error">, time: number): void {
    this.#surroundings.rested(toRested(this.#taken.run, rest, time));
  }

  /** @throws what the handler meets where the run does not go on here */
  #goesOn(): void {
    if (this.#isOver) throw LEFT;
    if (!this.#leave && this.#surroundings.isClosing()) this.#leave = { kind: "put_off", delayMs: 0 };
    if (this.#leave) throw LEFT;
    if (this.#refused) throw this.#refused;
  }

  /** Leaves the run as soon as no step is in hand. */
  #leaveBy(leave: Leave | "lost"): never {
    const delayOf = (other: Leave | "lost" | undefined): number =>
      other === "lost" ? -1 : other?.kind === "put_off" ? other.delayMs : Infinity;
    // Of several reasons that which is over first; nobody decides sooner than a step is tried again.
    if (this.#leave === undefined || delayOf(leave) < delayOf(this.#leave)) this.#leave = leave;
    throw LEFT;
  }

  /** A handler that catches what it should let pass, and asks on and on, gets no answer any more: its run is left without it. */
  #asked(): Promise<never> | undefined {
    if (++this.#calls <= MOST_CALLS) return undefined;
    this.#stopped.reject(tooManySteps());
    return new Promise(() => {});
  }

  #step(): Step {
    const step = <Output>(name: string, work: StepWork<Output>, options?: StepOptions) =>
      awaitedOrNot(this.#asked() ?? this.#runStep(name, true, work, options));
    step.unlisted = <Output>(name: string, work: StepWork<Output>, options?: StepOptions) =>
      awaitedOrNot(this.#asked() ?? this.#runStep(name, false, work, options));
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
    if (this.#names.size === MOST_STEPS) throw tooManySteps();
    this.#names.add(uniqueName);
    this.#goesOn();
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
    this.#inHand.add(attempt);
    void attempt.catch(() => {}).finally(() => this.#inHand.delete(attempt));
    return attempt;
  }

  /** @param tried what was tried of the step since the run was last submitted */
  async #attempt<Output>(
    name: StepName,
    tried: readonly Attempt[],
    work: StepWork<Output>,
    options: StepOptions,
  ): Promise<Output> {
    const { step } = name;
    await this.#begin(name);
    const attempt = tried.length + 1;
    const { workflow } = this.#taken.run;
    const begun = performance.now();
    const emit = (event: Pick<StepEvent, "phase" | "retryInMs">): void => {
      if (!name.listed) return;
      const durationMs = event.phase === "started" ? {} : { durationMs: performance.now() - begun };
      this.#surroundings.emit({ runId: this.#runId, workflow, step, attempt, ...event, ...durationMs });
    };
    emit({ phase: "started" });
    const died = tried.filter(({ status }) => status === "running").length;
    let outputJson: string | undefined;
    try {
      if (died >= this.#surroundings.retry.attempts) throw givenUp(step, died);
      outputJson = storableResult(await work(attempt), `The step ${step}`);
    } catch (error) {
      // The run is left within it, by a step of its own or because it could not read on: that is no failure of it.
      if (error === LEFT) throw error;
      return this.#failed({ name, attempt, tried, options, emit, error: toAbiError(error) });
    }
    emit({ phase: "completed" });
    if (options.retryBudget) this.#surroundings.failureLog.passed(this.#runId, step);
    // The handler may go on, up to its next step, decision or end: those are written behind this, and wait for both.
    this.#recorded = this.#record({ kind: "complete", ...name, time: Date.now(), outputJson });
    return parse(outputJson) as Output;
  }

  async #begin(name: StepName): Promise<void> {
    let outcome: WriteOutcome;
    try {
      outcome = await this.#write({ kind: "begin", ...name, time: Date.now() });
    } catch (error) {
      if (this.#refused) throw this.#refused;
      if (this.#surroundings.store.isUnwritable(error)) throw refusedResult(`the step ${name.step}`, error);
      return this.#leaveBy("lost");
    }
    if (this.#refused) throw this.#refused;
    if (outcome === "done") return;
    if (outcome === "cancelled") this.#leaveBy({ kind: "put_off", delayMs: 0 });
    const facts = { run_id: this.#runId, step: name.step };
    this.#surroundings.logger.warn(facts, "a step was not begun: another worker has its run by now");
    this.#leaveBy("lost");
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
    const { retry, logger, failureLog } = this.#surroundings;
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
      const { error: said, error_code } = wire;
      failureLog.failed({
        runId: this.#runId,
        step,
        attempt,
        retryInMs,
        since: failures[0]!,
        error: said,
        error_code,
        cause,
      });
    } else {
      const facts = { run_id: this.#runId, step, attempt, retry_in_ms: retryInMs, code: error.code, cause };
      logger[logLevel(error)](facts, error.message);
    }
    emit({ phase: "failed", ...(retryInMs === undefined ? {} : { retryInMs }) });
    const until = next?.until && { retryUntil: next.until.getTime() };
    const isFinal = retryInMs === undefined;
    this.#recorded = this.#record({ kind: "fail", ...name, time: now.getTime(), error: wire, isFinal, ...until });
    // As it is read at a replay, so that the handler takes the same way then.
    if (isFinal) throw fromWireError(wire);
    return this.#leaveBy({ kind: "put_off", delayMs: retryInMs, ...until });
  }

  /** Writes down how an attempt has ended. Whatever is written next of the run comes behind it. Never rejects. */
  async #record(write: Extract<RunWrite, { kind: "complete" | "fail" }>): Promise<void> {
    const { step } = write;
    const { logger, store } = this.#surroundings;
    const facts = { run_id: this.#runId, step };
    try {
      const outcome = await this.#write(write);
      if (outcome === "lost" && !this.#isOver) {
        logger.warn(facts, "what a step has done was not recorded: another worker has its run by now");
      }
    } catch (error) {
      logger.error({ ...facts, cause: describeCause(error) }, "a step could not be recorded");
      if (store.isUnwritable(error)) this.#refused ??= refusedResult(`the step ${step}`, error);
    }
  }

  /** The decision where it is there; else the run is left, to be executed anew when it comes. */
  async #decision(subject: string, output?: Json): Promise<Decision> {
    assertSubject(subject);
    const outputJson = output === undefined ? {} : { outputJson: storableInput(output, "output") };
    this.#goesOn();
    await this.#recorded;
    const decision = await this.#reach((store) => store.decision(this.#taken.hold.seq, subject));
    this.#goesOn();
    if (decision) return toDecision(decision);
    return this.#leaveBy({ kind: "park", subject, ...outputJson });
  }

  async #history(): Promise<StepAttempt[]> {
    await this.#recorded;
    return toFullHistory(await this.#reach((store) => store.events(this.#taken.hold.seq, 0)));
  }

  async #reach<Answer>(read: (store: RunStore) => Promise<Answer>): Promise<Answer> {
    const { journal, store } = this.#surroundings;
    try {
      return await journal.reach(() => read(store));
    } catch {
      return this.#leaveBy("lost"); // the engine closes, and the database is away
    }
  }
}

/** A handler may await it later, or never: what it fails with must not end the process meanwhile. */
function awaitedOrNot<Output>(promise: Promise<Output>): Promise<Output> {
  promise.catch(() => {});
  return promise;
}

const parse = (json: string | undefined): unknown => (json === undefined ? undefined : JSON.parse(json));
