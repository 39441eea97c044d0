/** How runs, steps and errors are written in OpenWorkflow's tables, and read back as the port knows them. */
import { fromWireError, toWireError, UnexpectedError, type AbiError, type WireError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import type { FailingStep, Run, RunStatus, StepAttempt } from "../engine.ts";
import type { WorkflowRun } from "./observed-backend.ts";
import { isStorable } from "./storable.ts";
import type { RunConfig, StepRecord } from "./engine-database.ts";

/** What we keep as a run's input: the caller's, and what tells two starts with one key apart. */
export interface Envelope {
  readonly input: Json;
  readonly fingerprint: string;
  /** Of the start that made the run. */
  readonly submission: string;
}

const ID_PREFIX = "workflow-";
/** Before the stored name of steps that no caller asked for. */
const UNLISTED = "_";

const STATUS: Record<WorkflowRun["status"], RunStatus> = {
  pending: "started",
  running: "processing",
  sleeping: "processing",
  completed: "completed",
  succeeded: "completed",
  failed: "failed",
  canceled: "cancelled",
};

export const publicId = (runId: string): string => ID_PREFIX + runId;

/** OpenWorkflow's id of a run; empty, which no run has, where it is not an id of ours. */
export const storedId = (id: string): string =>
  id.startsWith(ID_PREFIX) && isStorable(id) ? id.slice(ID_PREFIX.length) : "";

export const unlistedName = (name: string): string => UNLISTED + name;

/** The name that a step has for the workflow. */
const givenName = (name: string): string => (name.startsWith(UNLISTED) ? name.slice(UNLISTED.length) : name);

const isListed = ({ name }: StepRecord): boolean => !name.startsWith(UNLISTED);

export const envelopeOf = (run: WorkflowRun): Envelope => run.input as unknown as Envelope;

export const configOf = (run: WorkflowRun): RunConfig => run.config as RunConfig;

/**
 * Stands for the submission of a run that is executed: how many attempts had failed before it. A submission in which a step has
 * failed for good has a higher one after it, whatever the clocks say.
 */
export function submissionOf(run: WorkflowRun): number {
  const { attempts_before, resubmitted_at } = configOf(run);
  if (!attempts_before) return resubmitted_at === undefined ? 0 : Date.parse(resubmitted_at);
  return Object.values(attempts_before).reduce((sum, { failed }) => sum + failed, 0);
}

function statusOf(run: WorkflowRun): RunStatus {
  if (run.status === "running" && configOf(run).waiting) return "waiting_for_approval";
  // One that waits for its retry is pending again.
  return run.status === "pending" && run.attempts > 0 ? "processing" : STATUS[run.status];
}

export function toRun(run: WorkflowRun, steps: readonly StepRecord[]): Run {
  const listed = steps.filter(isListed);
  const stepsCompleted = listed.filter(({ status }) => status === "completed").map(({ name }) => name);
  const status = statusOf(run);
  const current = status === "completed" ? stepsCompleted.at(-1) : listed.at(-1)?.name;
  const { waiting } = configOf(run);
  const failing = status === "processing" ? failingStep(run, steps) : undefined;
  return {
    id: publicId(run.id),
    workflow: run.workflowName,
    key: run.idempotencyKey ?? "",
    input: envelopeOf(run).input,
    status,
    ...(current === undefined ? {} : { currentStep: current }),
    stepsCompleted,
    startTime: run.createdAt,
    ...(run.finishedAt ? { endTime: run.finishedAt } : {}),
    ...(run.status === "completed" ? { output: run.output } : {}),
    ...(run.status === "failed" ? { error: storedError(run.error) } : {}),
    ...(status === "waiting_for_approval" && waiting ? { waitingFor: waiting } : {}),
    ...(failing ? { failing } : {}),
  };
}

/** The step that is tried again; of several the one whose next try callers do not wait for. */
function failingStep(run: WorkflowRun, steps: readonly StepRecord[]): FailingStep | undefined {
  const submission = submissionOf(run);
  const failures = steps.flatMap(({ name, status, error }) => {
    const retry = status === "failed" ? parsed(error)?.retry : undefined;
    return retry?.submission === submission ? [{ name, error, until: retry.retry_until }] : [];
  });
  const over = new Set(
    steps
      .filter(({ status, error }) => status === "completed" || finalError(error ?? {}, submission))
      .map(({ name }) => name),
  );
  const open = failures.filter(({ name }) => !over.has(name));
  const last = open.findLast(({ until }) => until !== undefined) ?? open.at(-1);
  if (!last) return undefined;
  const times = failuresOf(run, steps, last.name);
  return {
    step: givenName(last.name),
    attempts: times.length,
    since: times[0] ?? run.createdAt,
    error: storedError(last.error),
    ...(run.status === "pending" && run.availableAt ? { nextTry: run.availableAt } : {}),
    ...(last.until === undefined ? {} : { until: new Date(last.until) }),
  };
}

/** When the attempts of a stored step name failed since the run was last submitted, oldest first. */
export function failuresOf(run: WorkflowRun, steps: readonly StepRecord[], name: string): Date[] {
  const submission = submissionOf(run);
  return steps.flatMap(({ name: other, status, error, finishedAt }) =>
    other === name && status === "failed" && finishedAt && parsed(error)?.retry?.submission === submission
      ? [finishedAt]
      : [],
  );
}

const asStored = (name: string): string => name;

/** Attempts in the order in which they began. One without an end went with its process where another of its step came after it. */
function toAttempts(steps: readonly StepRecord[], isOver: boolean, nameOf = asStored): StepAttempt[] {
  const last = new Map(steps.map(({ name }, at) => [name, at]));
  return steps.map(({ name, status, startedAt, finishedAt, error }, at) => ({
    step: nameOf(name),
    status: status === "running" && (isOver || at !== last.get(name)) ? "died" : status,
    startTime: startedAt,
    ...(finishedAt ? { endTime: finishedAt } : {}),
    ...(status === "failed" ? { error: storedError(error) } : {}),
  }));
}

/** Of a run that is at work. With the steps that are not listed, under the names that the workflow gave them. */
export const toFullHistory = (steps: readonly StepRecord[]): StepAttempt[] => toAttempts(steps, false, givenName);

/** @param isOver whether the run has ended */
export const toHistory = (steps: readonly StepRecord[], isOver: boolean): StepAttempt[] =>
  toAttempts(steps.filter(isListed), isOver);

/** What is kept with the error of a step. */
interface Outlook {
  /** The submission in which the step is not tried again. */
  readonly final_in?: number;
  /** The submission in which it is, and until when where that is on a retry budget; see `ON_BUDGET`. */
  readonly retry?: { readonly submission: number; readonly retry_until?: string };
}

/** An error in the form in which it is kept: safe to store, readable again, no stack. */
export function storableError(error: unknown, outlook: Outlook = {}): Error {
  const stored = new Error(JSON.stringify({ ...toWireError(error), ...outlook }));
  stored.stack = "";
  return stored;
}

/** What a step failed with for good, where that was in this submission. */
export function finalError(error: { readonly message?: unknown }, submission: number): AbiError | undefined {
  const stored = parsed(error);
  return stored?.final_in === submission ? fromWireError(stored) : undefined;
}

/** OpenWorkflow's record of a failure: ours where we wrote it, otherwise (a limit of the engine) one of its own. */
function storedError(error: StepRecord["error"]): WireError {
  const stored = parsed(error);
  if (!stored) return toWireError(new UnexpectedError(error));
  const { error: message, error_code, error_type, retriable } = stored;
  return { error: message, error_code, error_type, retriable };
}

/** What `storableError` has written, undefined where it was not that. */
function parsed(error: { readonly message?: unknown } | null): (WireError & Outlook) | undefined {
  try {
    const stored = JSON.parse(String(error?.message)) as WireError & Outlook;
    return typeof stored.error === "string" ? stored : undefined;
  } catch {
    return undefined;
  }
}
