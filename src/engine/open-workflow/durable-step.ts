import type { OpenWorkflow } from "openworkflow";
import { toAbiError, type AbiError } from "../../errors.ts";
import { describeCause, type Logger } from "../../log.ts";
import type { Step, StepEvent } from "../engine.ts";
import { retryDelay, type RetryPolicy } from "../retry-policy.ts";
import { storableError, unlistedName } from "./run-record.ts";

type StepApi = Parameters<Parameters<OpenWorkflow["defineWorkflow"]>[1]>[0]["step"];

export interface StepSurroundings {
  readonly runId: string;
  readonly api: StepApi;
  readonly retry: RetryPolicy;
  readonly logger: Logger;
  /** Failures of this stored step name so far, since the run was last submitted. */
  failedAttempts(storedName: string): Promise<number>;
  /** Throws where the engine is closing: the boundary at which a run may be left for the next start. */
  beforeStep(): Promise<void>;
  /** Is told of every error that OpenWorkflow uses or handles itself. */
  onEngineError(error: unknown): void;
  /** Is told of listed steps. */
  emit(event: Omit<StepEvent, "runId">): void;
}

interface StepRetry {
  /** 0: as many as it takes. */
  maximumAttempts: 0 | 1;
  initialInterval: `${number}ms`;
  maximumInterval: `${number}ms`;
}

/** Who should look: a fault of ours, a service that is away, or merely input that can't work. */
const LOG_LEVEL = { unexpected_error: "error", io_error: "warn", conflict: "info", validation_error: "info" } as const;

/** Our `Step` over OpenWorkflow's: our retry decisions, our form of errors, our events. */
export function createStep(surroundings: StepSurroundings): Step {
  const { api, runId, logger } = surroundings;

  const execute = async <Output>(
    name: string,
    listed: boolean,
    work: () => Promise<Output> | Output,
  ): Promise<Output> => {
    await surroundings.beforeStep();
    const storedName = listed ? name : unlistedName(name);
    const emit = (event: Omit<StepEvent, "runId" | "step">): void => {
      if (listed) surroundings.emit({ step: name, ...event });
    };
    // OpenWorkflow reads the policy after the work has failed; by then it says what this very error deserves.
    const retryPolicy: StepRetry = { maximumAttempts: 1, initialInterval: "1ms", maximumInterval: "1ms" };

    const failed = (error: AbiError, attempt: number): Error => {
      const { code, message, retriable, type } = error;
      const delay = retriable ? retryDelay(surroundings.retry, attempt) : undefined;
      if (delay !== undefined) {
        retryPolicy.maximumAttempts = 0;
        retryPolicy.initialInterval = retryPolicy.maximumInterval = `${Math.max(1, delay)}ms`;
      }
      const cause = describeCause(error.cause);
      logger[LOG_LEVEL[type]]({ run_id: runId, step: name, attempt, retry_in_ms: delay, code, cause }, message);
      emit({ phase: "failed", attempt, ...(delay === undefined ? {} : { retryInMs: delay }) });
      return storableError(error);
    };

    try {
      return await api.run({ name: storedName, retryPolicy }, async () => {
        const attempt = (await surroundings.failedAttempts(storedName)) + 1;
        emit({ phase: "started", attempt });
        try {
          const output = await work();
          emit({ phase: "completed", attempt });
          return output;
        } catch (error) {
          throw failed(toAbiError(error), attempt);
        }
      });
    } catch (error) {
      surroundings.onEngineError(error);
      throw error;
    }
  };

  const step = <Output>(name: string, work: () => Promise<Output> | Output) => execute(name, true, work);
  step.unlisted = <Output>(name: string, work: () => Promise<Output> | Output) => execute(name, false, work);
  return step;
}
