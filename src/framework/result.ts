import type { FailingStep, Run, StepAttempt } from "../engine/engine.ts";
import { toWireError, type WireError } from "../errors.ts";
import { withoutAbsent, type Json } from "../json.ts";

/**
 * The result of a durable run. It also has the fields that the handler returns, the key and the
 * echoed fields.
 */
export interface RunResult extends Partial<WireError> {
  success: boolean;
  /**
   * Only present if the run has not ended. `waiting_for_approval`: it waits for a person, and the
   * other fields are what the run knows so far. `processing`, with an error: a step keeps failing
   * and is retried until `retry_until`; you don't have to submit anything again.
   */
  status?: "waiting_for_approval" | "processing";
  /** Only with the status `processing`. ISO 8601, UTC. */
  retry_until?: string;
  /** Id of the run; only with a `status`. */
  workflow_id?: string;
  /** Names of the listed steps that have completed, in the order in which they began. */
  steps_completed: string[];
  /** True if an earlier call did the work or is doing it. */
  duplicate?: true;
  [field: string]: Json | undefined;
}

/**
 * The state of a run. Times are ISO 8601, UTC. The error fields are those of the run, if it has
 * failed.
 */
export interface WorkflowStatus extends Partial<WireError> {
  workflow_id: string;
  status: Run["status"] | "not_found";
  current_step?: string;
  steps_completed?: string[];
  start_time?: string;
  end_time?: string;
  /** The result if the run has completed. While it waits for a person, what it knows so far. */
  result?: RunResult;
  /** Only present while a step keeps failing and is being retried. */
  failing?: FailingStatus;
}

/**
 * A step that has failed and is being retried, with the error of its last attempt. Times are ISO
 * 8601, UTC.
 */
export interface FailingStatus extends WireError {
  step: string;
  /** Number of attempts that have failed since the run was accepted or last resumed. */
  attempts: number;
  /** When the first of them failed. */
  since: string;
  /** When the next attempt starts; absent during an attempt. */
  next_try?: string;
  /** When retrying ends. Only present once the step is retried for longer than callers wait. */
  until?: string;
}

export const failingOf = ({ step, attempts, since, nextTry, until, error }: FailingStep): FailingStatus => ({
  step,
  attempts,
  since: since.toISOString(),
  ...(nextTry ? { next_try: nextTry.toISOString() } : {}),
  ...(until ? { until: until.toISOString() } : {}),
  ...error,
});

/**
 * One attempt of one step. Times are ISO 8601, UTC. Without an end, it is still running, or has
 * `died` with its process. If it failed, it has error fields.
 */
export interface StepHistory extends Partial<WireError> {
  step: string;
  status: StepAttempt["status"];
  start_time: string;
  end_time?: string;
}

export const historyOf = ({ step, status, startTime, endTime, error }: StepAttempt): StepHistory => ({
  step,
  status,
  start_time: startTime.toISOString(),
  ...(endTime ? { end_time: endTime.toISOString() } : {}),
  ...error,
});

const CANCELLED: WireError = {
  error: "The run was cancelled. Submit it again to continue where it stopped.",
  error_code: "cancelled",
  error_type: "validation_error",
  retriable: false,
};

/** The result of a call whose run could not be started, or could not be waited for. */
export const failure = (identity: Record<string, Json>, error: unknown): RunResult => ({
  ...identity,
  success: false,
  steps_completed: [],
  ...toWireError(error),
});

const toTheMinute = (time: Date): string => `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;

/**
 * Builds the result of a run that has ended, waits for a person, or has a step that keeps failing.
 * @param subject returns what that step is about, such as "The email"; default: "The step …"
 */
export function resultOf(run: Run, identity: Record<string, Json>, subject?: (step: string) => string): RunResult {
  const steps_completed = [...run.stepsCompleted];
  const { id: workflow_id, status, failing } = run;
  if (failing?.until) {
    const { step, until } = failing;
    const error = `${failing.error.error} ${subject?.(step) ?? `The step ${step}`} will be retried automatically until ${toTheMinute(until)}; you don't have to submit anything again.`;
    const outlook = { status: "processing", workflow_id, retry_until: until.toISOString() } as const;
    return { ...identity, success: false, steps_completed, ...failing.error, error, ...outlook };
  }
  if (status === "waiting_for_approval") {
    return { ...identity, success: true, steps_completed, ...partialOutput(run), status, workflow_id };
  }
  if (run.status !== "completed") return { ...identity, success: false, steps_completed, ...(run.error ?? CANCELLED) };
  return { ...identity, success: true, steps_completed, ...(run.output as Record<string, Json>) };
}

/** What a waiting run knows so far. */
export const partialOutput = ({ waitingFor }: Run): Record<string, Json> =>
  (waitingFor?.output ?? {}) as Record<string, Json>;

export function statusOf(run: Run, identity: Record<string, Json>): WorkflowStatus & Pick<Run, "status"> {
  return {
    workflow_id: run.id,
    status: run.status,
    ...withoutAbsent({ current_step: run.currentStep }),
    steps_completed: [...run.stepsCompleted],
    start_time: run.startTime.toISOString(),
    ...(run.endTime ? { end_time: run.endTime.toISOString() } : {}),
    ...(run.status === "completed" || run.status === "waiting_for_approval" ? { result: resultOf(run, identity) } : {}),
    ...run.error,
    ...(run.failing ? { failing: failingOf(run.failing) } : {}),
  };
}
