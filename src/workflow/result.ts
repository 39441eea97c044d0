import type { Run, StepAttempt } from "../engine/engine.ts";
import { toWireError, type WireError } from "../errors.ts";
import type { Json } from "../json.ts";

/** What every durable run answers with; the handler's own fields stand beside these, as do the key and the echoed fields. */
export interface RunResult extends Partial<WireError> {
  success: boolean;
  /** Only while the run waits for a person: what there is beside it is what the run knows so far. */
  status?: "waiting_for_approval";
  /** Id of the run; only beside `status`. */
  workflow_id?: string;
  /** Names of the completed steps, in their order. */
  steps_completed: string[];
  /** True where the work was not done by this call: it was done, or is being done, by an earlier one. */
  duplicate?: true;
  [field: string]: Json | undefined;
}

/** State of a run by its workflow id. Times are ISO 8601, UTC. Of the error fields those of the run, when it failed. */
export interface WorkflowStatus extends Partial<WireError> {
  workflow_id: string;
  status: Run["status"] | "not_found";
  current_step?: string;
  steps_completed?: string[];
  start_time?: string;
  end_time?: string;
  /** When completed; while it waits for a person, what the run knows so far. */
  result?: RunResult;
}

/** One attempt of one step. Times are ISO 8601, UTC; without an end it is at work, or `died` with its process. Error fields where it failed. */
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
  error: "The run was cancelled. Submit it again to go on where it stopped.",
  error_code: "cancelled",
  error_type: "validation_error",
  retriable: false,
};

/** The result of a call that did not even begin, or was given up. */
export const failure = (identity: Record<string, Json>, error: unknown): RunResult => ({
  ...identity,
  success: false,
  steps_completed: [],
  ...toWireError(error),
});

/** The result of a run that has ended, or waits for a person. */
export function resultOf(run: Run, identity: Record<string, Json>): RunResult {
  const steps_completed = [...run.stepsCompleted];
  const { id: workflow_id, status } = run;
  if (status === "waiting_for_approval") {
    return { ...identity, success: true, steps_completed, ...soFar(run), status, workflow_id };
  }
  if (run.status !== "completed") return { ...identity, success: false, steps_completed, ...(run.error ?? CANCELLED) };
  return { ...identity, success: true, steps_completed, ...(run.output as Record<string, Json>) };
}

/** What a waiting run knows. */
export const soFar = ({ waitingFor }: Run): Record<string, Json> => (waitingFor?.output ?? {}) as Record<string, Json>;

export function statusOf(run: Run, identity: Record<string, Json>): WorkflowStatus {
  return {
    workflow_id: run.id,
    status: run.status,
    ...(run.currentStep === undefined ? {} : { current_step: run.currentStep }),
    steps_completed: [...run.stepsCompleted],
    start_time: run.startTime.toISOString(),
    ...(run.endTime ? { end_time: run.endTime.toISOString() } : {}),
    ...(run.status === "completed" || run.status === "waiting_for_approval" ? { result: resultOf(run, identity) } : {}),
    ...run.error,
  };
}
