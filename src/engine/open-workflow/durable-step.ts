import type { OpenWorkflow } from "openworkflow";
import { fromWireError, toAbiError, toWireError, UnexpectedError, type AbiError } from "../../errors.ts";
import { describeCause, type Logger } from "../../log.ts";
import type { FailureLog } from "../failure-log.ts";
import type { Step, StepEvent, StepOptions } from "../engine.ts";
import { planRetry, type RetryPolicy } from "../retry-policy.ts";
import type { RecordedSteps } from "./recorded-steps.ts";
import { storableError, unlistedName } from "./run-record.ts";
import { isUnwritable } from "./postgres-error.ts";
import { assertStepName, assertStorableResult, refusedResult } from "./storable.ts";

export type StepApi = Parameters<Parameters<OpenWorkflow["defineWorkflow"]>[1]>[0]["step"];

export interface StepSurroundings {
  readonly runId: string;
  /** Stands for the submission that is executed. */
  readonly submission: number;
  /** OpenWorkflow's. */
  readonly runStep: StepApi["run"];
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  readonly failureLog: FailureLog;
  /** What was recorded of the run's steps before this execution; asked once. */
  recordedSteps(): Promise<RecordedSteps>;
  /** Attempts of this stored step name since the run was last submitted: those that failed, and those whose process died. Asked before one begins. */
  earlierAttempts(storedName: string): Promise<{ failed: number; died: number }>;
  /** When the attempts of this stored step name failed that `earlierAttempts` counts. */
  earlierFailures(storedName: string): Promise<Date[]>;
  /** Throws where the run must not go on here: the engine is closing, somebody has asked to cancel, or another has the run. */
  beforeStep(): Promise<void>;
  /** Is told of every error that OpenWorkflow uses or handles itself. */
  onEngineError(error: unknown): void;
  /** Is told of listed steps. */
  emit(event: Omit<StepEvent, "runId">): void;
}

interface StepRetry {
  readonly maximumAttempts: number;
  initialInterval: `${number}ms`;
  maximumInterval: `${number}ms`;
}

/** Who should look: a fault of ours, a service that is away, or merely input that can't work. */
const LOG_LEVEL = { unexpected_error: "error", io_error: "warn", conflict: "info", validation_error: "info" } as const;

/** What another system has refused is worth a look, and only the log has its words. */
const logLevel = ({ type, cause }: AbiError) =>
  type === "validation_error" && cause !== undefined ? "warn" : LOG_LEVEL[type];

/** In one run. OpenWorkflow executes no more at a time; counted here, it is the same at every replay. */
const MOST_STEPS = 1000;

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

/** Our `Step` over OpenWorkflow's: our retry decisions, our form of errors, our events. */
export function createStep(surroundings: StepSurroundings): Step {
  const { runStep, runId, logger, failureLog, retry } = surroundings;

  const names = new Set<string>();
  let recording: Promise<RecordedSteps> | undefined;

  /** What there is to know of a step before it is begun. */
  const look = async (storedName: string, { retryBudget }: StepOptions) => {
    try {
      await surroundings.beforeStep();
      const known = (await (recording ??= surroundings.recordedSteps())).get(storedName);
      if (known) return { known };
      const earlier = await surroundings.earlierAttempts(storedName);
      const failures = retryBudget && earlier.failed > 0 ? await surroundings.earlierFailures(storedName) : [];
      return { earlier, failures };
    } catch (error) {
      surroundings.onEngineError(error);
      throw error;
    }
  };

  const execute = async <Output>(
    name: string,
    listed: boolean,
    work: () => Promise<Output> | Output,
    options: StepOptions = {},
  ): Promise<Output> => {
    assertStepName(name);
    const storedName = listed ? name : unlistedName(name);
    if (names.has(storedName)) throw usedTwice(name);
    if (names.size === MOST_STEPS) throw tooManySteps();
    names.add(storedName);
    const { known, earlier = { failed: 0, died: 0 }, failures = [] } = await look(storedName, options);
    if (known && "failure" in known) throw known.failure;
    if (known) return known.output as Output;
    const { died } = earlier;
    const attempt = earlier.failed + died + 1;

    const emit = (event: Omit<StepEvent, "runId" | "step">): void => {
      if (listed) surroundings.emit({ step: name, ...event });
    };
    // OpenWorkflow reads the policy after the step has failed; by then it says what this very error deserves. As it stands here
    // it is for what is not the work's own error: a result that could not be written down. We count ourselves.
    const retryPolicy: StepRetry = { maximumAttempts: 0, initialInterval: "1000ms", maximumInterval: "60000ms" };
    let final: AbiError | undefined;

    const failed = (error: AbiError): Error => {
      const { code, message, retriable } = error;
      const { retryBudget: budget } = options;
      const now = new Date();
      const planned = { attempt, failures: [...failures, now], ...(budget ? { budget } : {}) };
      const next = retriable ? planRetry(retry, error, planned) : undefined;
      const delay = next && Math.max(1, Math.round(next.delayMs));
      // As it will be read at a replay, so that the handler takes the same way then.
      if (delay === undefined) final = fromWireError(toWireError(error));
      else retryPolicy.initialInterval = retryPolicy.maximumInterval = `${delay}ms`;
      const cause = describeCause(error.cause);
      if (budget && delay !== undefined) {
        const { error: said, error_code } = toWireError(error);
        const since = failures[0] ?? now;
        failureLog.failed({ runId, step: name, attempt, retryInMs: delay, since, error: said, error_code, cause });
      } else {
        logger[logLevel(error)]({ run_id: runId, step: name, attempt, retry_in_ms: delay, code, cause }, message);
      }
      emit({ phase: "failed", attempt, ...(delay === undefined ? {} : { retryInMs: delay }) });
      const { submission } = surroundings;
      if (!next) return storableError(error, { final_in: submission });
      const until = next.until && { retry_until: next.until.toISOString() };
      return storableError(error, { retry: { submission, ...until } });
    };

    let begun = false;
    let ours = false;
    try {
      return await runStep({ name: storedName, retryPolicy }, async () => {
        begun = true;
        emit({ phase: "started", attempt });
        try {
          if (died >= retry.attempts) throw givenUp(name, died);
          const output = await work();
          assertStorableResult(output, `The step ${name}`);
          emit({ phase: "completed", attempt });
          if (options.retryBudget) failureLog.passed(runId, name);
          return output;
        } catch (error) {
          ours = true;
          throw failed(toAbiError(error));
        }
      });
    } catch (error) {
      // A final failure is the author's to handle or to let pass; everything else is between OpenWorkflow and its database.
      if (final) throw final;
      const facts = { run_id: runId, step: name, cause: describeCause(error) };
      if (isUnwritable(error)) {
        const refused = refusedResult(`the step ${name}`, error);
        logger.error({ ...facts, code: refused.code }, refused.message);
        throw refused;
      }
      if (!begun) logger.warn(facts, "a step was not begun");
      else if (!ours) logger.error(facts, "a step could not be recorded");
      surroundings.onEngineError(error);
      throw error;
    }
  };

  const step = <Output>(name: string, work: () => Promise<Output> | Output, options?: StepOptions) =>
    execute(name, true, work, options);
  step.unlisted = <Output>(name: string, work: () => Promise<Output> | Output, options?: StepOptions) =>
    execute(name, false, work, options);
  return step;
}
