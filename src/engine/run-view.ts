/** Makes what callers see (`engine.ts`) from what is stored (`run-store.ts`). */
import { attemptsOf, isSameStep, type Attempt } from "./attempts.ts";
import { toWireError, UnexpectedError, type WireError } from "../errors.ts";
import { withoutAbsent, type Json } from "../json.ts";
import type { Decision, FailingStep, RestedRun, RestingRun, Run, RunEvent, StepAttempt } from "./engine.ts";
import { isTerminal } from "./engine.ts";
import type { DecisionRecord, EventRecord, RunRecord, SeenRun } from "./run-store.ts";
import { isStorable } from "./storable.ts";

const ID_PREFIX = "workflow-";

export const publicId = (id: string): string => ID_PREFIX + id;

/**
 * The store's id of a run. For anything that is not one of our ids: an empty text, which is no
 * run's id.
 */
export const storedId = (id: string): string =>
  id.startsWith(ID_PREFIX) && isStorable(id) ? id.slice(ID_PREFIX.length) : "";

/** What `RestingRun` and `RestedRun` say about any run. */
export const toResting = ({
  id,
  workflow,
  key,
  inputJson,
  resumedAt,
}: RunRecord): Omit<RestingRun, "status" | "subject" | "error"> => ({
  id: publicId(id),
  workflow,
  key,
  input: () => JSON.parse(inputJson) as Json,
  ...(resumedAt !== null && { resumedAt: new Date(resumedAt) }),
});

/** @param time when it ended or began to wait */
export const toRested = (
  run: RunRecord,
  rest: Pick<RestedRun, "status" | "subject" | "error">,
  time: number,
): RestedRun => ({ ...toResting(run), ...rest, startTime: new Date(run.createdAt), time: new Date(time) });

export const toDecision = ({ valueJson, time }: DecisionRecord): Decision => ({
  value: JSON.parse(valueJson) as Json,
  time: new Date(time),
});

const errorOf = (json: string | null): WireError =>
  json === null ? toWireError(new UnexpectedError(undefined)) : (JSON.parse(json) as WireError);

export function toRun({ run, events }: SeenRun): Run {
  const { status, waitingFor: subject } = run;
  const attempts = attemptsOf(events);
  const listed = attempts.filter((attempt) => attempt.listed);
  const stepsCompleted = listed.filter((attempt) => attempt.status === "completed").map(({ step }) => step);
  const currentStep = status === "completed" ? stepsCompleted.at(-1) : listed.at(-1)?.step;
  const failing = status === "processing" ? failingStep(run, attempts) : undefined;
  return {
    id: publicId(run.id),
    workflow: run.workflow,
    key: run.key,
    input: JSON.parse(run.inputJson) as Json,
    status,
    ...withoutAbsent({ currentStep }),
    stepsCompleted,
    startTime: new Date(run.createdAt),
    ...(run.endedAt !== null && { endTime: new Date(run.endedAt) }),
    ...(status === "completed" && { output: run.outputJson === null ? null : outputOf(run.outputJson) }),
    ...(status === "failed" && { error: errorOf(run.errorJson) }),
    ...(subject !== null && {
      waitingFor: { subject, ...(run.outputJson !== null && { output: outputOf(run.outputJson) }) },
    }),
    ...withoutAbsent({ failing }),
  };
}

const outputOf = (json: string): Json => JSON.parse(json) as Json;

/**
 * The step that is being retried. If there are several: the last one on its retry budget, or else
 * the last one.
 */
function failingStep(run: RunRecord, attempts: readonly Attempt[]): FailingStep | undefined {
  const failures = attempts.filter(({ status, isFinal, isCurrent }) => status === "failed" && !isFinal && isCurrent);
  const isOver = (attempt: Attempt): boolean =>
    attempts.some(
      (other) => isSameStep(other, attempt) && (other.status === "completed" || (other.isFinal && other.isCurrent)),
    );
  const open = failures.filter((failure) => !isOver(failure));
  const last = open.findLast(({ retryUntil }) => retryUntil !== undefined) ?? open.at(-1);
  if (!last) return undefined;
  const ofStep = failures.filter((failure) => isSameStep(failure, last));
  return {
    step: last.step,
    attempts: ofStep.length,
    since: new Date(ofStep[0]!.endedAt!),
    error: last.error!,
    ...(run.dueAt !== null && { nextTry: new Date(run.dueAt) }),
    ...(last.retryUntil !== undefined && { until: new Date(last.retryUntil) }),
  };
}

/** An attempt without an end has died if the run is over or its step was begun again. */
function toAttempts(attempts: readonly Attempt[], isOver: boolean): StepAttempt[] {
  return attempts.map((attempt, at) => ({
    step: attempt.step,
    status:
      attempt.status === "running" && (isOver || attempts.slice(at + 1).some((later) => isSameStep(later, attempt)))
        ? "died"
        : attempt.status,
    startTime: new Date(attempt.startedAt),
    ...(attempt.endedAt !== undefined && { endTime: new Date(attempt.endedAt) }),
    ...withoutAbsent({ error: attempt.error }),
  }));
}

/** For the handler of a running run: unlisted steps too. */
export const toFullHistory = (events: readonly EventRecord[]): StepAttempt[] => toAttempts(attemptsOf(events), false);

export const toHistory = ({ run, events }: SeenRun): StepAttempt[] =>
  toAttempts(
    attemptsOf(events).filter(({ listed }) => listed),
    isTerminal(run.status),
  );

/** @param after only those with a higher `n` */
export function toEvents({ run, events }: SeenRun, after: number): RunEvent[] {
  const accepted: RunEvent = { n: 0, type: "accepted", time: new Date(run.createdAt) };
  const rest = events.flatMap(({ n, type, time, name, listed, errorJson }): RunEvent[] => {
    const isOfStep = listed !== null;
    if (isOfStep && !listed) return [];
    return [
      {
        n,
        type: type === "waiting" ? "waiting_for_approval" : type,
        time: new Date(time),
        ...(name !== null && (isOfStep ? { step: name } : { subject: name })),
        ...(errorJson !== null && { error: errorOf(errorJson) }),
      },
    ];
  });
  return [accepted, ...rest].filter((event) => event.n > after);
}
