/**
 * What Restate stores about a run besides its steps, and how it changes. Each change is a function
 * from one state to the next. Restate applies the changes of one run one after the other, so no
 * change is based on an outdated state. Times are milliseconds since 1970.
 */
import { isTerminal, type RunStatus } from "../engine.ts";
import type {
  Accepted,
  DecisionRecord,
  EventRecord,
  EventType,
  NewRunRecord,
  RunRecord,
  WriteOutcome,
} from "../run-store.ts";
import { endedBy, toEvent, type ReleasingWrite } from "../run-writes.ts";

/** A run without its input and steps. */
export interface RunState {
  readonly workflow: string;
  readonly key: string;
  readonly fingerprint: string;
  /**
   * The id of the submission that created the run. Repeating that submission after a lost answer
   * gives the same outcome.
   */
  readonly submission: string;
  /** When it was submitted, in microseconds. Runs are listed in this order. */
  readonly order: number;
  readonly createdAt: number;
  readonly status: RunStatus;
  readonly priority: number;
  /**
   * When it is due, and the token of the execution that was requested for that time. An execution
   * with an older token has nothing to do.
   */
  readonly due: { readonly token: string; readonly at: number } | null;
  /**
   * The execution that holds the run: its token, the awakeable that tells it to cancel, Restate's
   * id of its call, and the queue that gave it a place.
   */
  readonly held: {
    readonly token: string;
    readonly cancelling: string;
    readonly invocation: string;
    readonly place: string | null;
  } | null;
  readonly isCancelRequested: boolean;
  readonly resumedAt: number | null;
  readonly endedAt: number | null;
  readonly outputJson: string | null;
  readonly errorJson: string | null;
  readonly waitingFor: string | null;
  readonly waitingSince: number | null;
  /** Set if it is due for another attempt at a step on its retry budget. */
  readonly retryUntil: number | null;
  /** The highest number of its events. While it is held: the highest when it was claimed. */
  readonly lastEvent: number;
  /** Its events that are not about steps. */
  readonly events: readonly EventRecord[];
  /**
   * Decisions that were made while an execution holds the run. They get their numbers when it
   * leaves the run, because until then it numbers the events.
   */
  readonly early: readonly EventRecord[];
}

/** A submission as the run receives it. */
export interface Submission {
  readonly run: NewRunRecord;
  readonly time: number;
  readonly order: number;
}

/** How an execution leaves its run. */
export interface Release {
  readonly token: string;
  readonly write: ReleasingWrite;
  readonly time: number;
  /** The number of its last event. */
  readonly lastEvent: number;
}

/** Converts a state to a run record. Its `seq` is 0; `HeldRun` gives it a number. */
export const toRecord = (id: string, { due, ...state }: RunState, inputJson: string): RunRecord => ({
  seq: 0,
  id,
  workflow: state.workflow,
  key: state.key,
  inputJson,
  status: state.status,
  createdAt: state.createdAt,
  dueAt: due === null ? null : due.at,
  resumedAt: state.resumedAt,
  endedAt: state.endedAt,
  outputJson: state.outputJson,
  errorJson: state.errorJson,
  waitingFor: state.waitingFor,
});

function withEvent(state: RunState, type: EventType, time: number, more: Partial<EventRecord> = {}): RunState {
  const n = state.lastEvent + 1;
  return { ...state, lastEvent: n, events: [...state.events, toEvent(n, { type, time, ...more })] };
}

/**
 * Accepts a submission, given what is known about its key. `state` is absent if nothing changes.
 * @param token a new one
 */
export function accept(
  known: RunState | undefined,
  { run, time, order }: Submission,
  token: string,
): { outcome: Accepted["outcome"]; state?: RunState } {
  const at = run.availableAt ?? time;
  if (!known) {
    const { workflow, key, fingerprint, priority } = run;
    const state: RunState = {
      workflow,
      key,
      fingerprint,
      submission: run.id,
      order,
      createdAt: time,
      status: "started",
      priority,
      due: { token, at },
      held: null,
      isCancelRequested: false,
      resumedAt: null,
      endedAt: null,
      outputJson: null,
      errorJson: null,
      waitingFor: null,
      waitingSince: null,
      retryUntil: null,
      lastEvent: 0,
      events: [],
      early: [],
    };
    return { outcome: "created", state };
  }
  if (known.fingerprint !== run.fingerprint) return { outcome: "conflict" };
  if (known.submission === run.id) return { outcome: "created" };
  const state = resume(known, time, token, at);
  return state ? { outcome: "resumed", state } : { outcome: "existing" };
}

/**
 * Makes a run due if it has failed, was cancelled, or waits to retry a step on its retry budget.
 * Undefined in any other case.
 * @param token a new one
 */
export function resume(state: RunState, time: number, token: string, at = time): RunState | undefined {
  if (state.status === "failed" || state.status === "cancelled") {
    const resumedAt = Math.max(time, (state.resumedAt ?? -1) + 1);
    const resumed = withEvent(state, "resumed", time);
    return { ...resumed, status: "started", resumedAt, endedAt: null, errorJson: null, due: { token, at } };
  }
  if (!state.due || state.retryUntil === null) return undefined;
  return state.due.at <= time ? state : { ...state, due: { token, at: time } };
}

/**
 * Gives the run to the execution with this token. Undefined if the run is no longer due under it.
 */
export function claim(state: RunState, holder: NonNullable<RunState["held"]>): RunState | undefined {
  if (state.due?.token !== holder.token) return undefined;
  return {
    ...state,
    status: "processing",
    due: null,
    held: holder,
    waitingFor: null,
    waitingSince: null,
    outputJson: null,
    retryUntil: null,
  };
}

/**
 * Applies the write by which an execution leaves its run.
 * @param token a new one
 */
export function release(
  held: RunState,
  { token: own, write, time, lastEvent }: Release,
  token: string,
): { outcome: WriteOutcome; state: RunState } {
  if (held.held?.token !== own) return { outcome: "lost", state: held };
  const numbered = held.early.map((event, index) => ({ ...event, n: lastEvent + 1 + index }));
  const state: RunState = {
    ...held,
    held: null,
    isCancelRequested: false,
    lastEvent: lastEvent + numbered.length,
    events: [...held.events, ...numbered],
    early: [],
  };
  if (write.kind === "end") {
    const { status, outputJson, errorJson } = endedBy(write);
    const ended = withEvent(state, status, write.time, { errorJson });
    return { outcome: "done", state: { ...ended, status, endedAt: write.time, outputJson, errorJson } };
  }
  if (held.isCancelRequested) return { outcome: "cancelled", state: endCancelled(state, time) };
  if (write.kind === "reschedule") {
    const due = { token, at: time + write.delayMs };
    return { outcome: "done", state: { ...state, due, retryUntil: write.retryUntil ?? null } };
  }
  const { subject, outputJson = null } = write;
  if (decisionOn(state, subject)) return { outcome: "done", state: { ...state, due: { token, at: time } } };
  const waiting = withEvent(state, "waiting", time, { name: subject });
  return {
    outcome: "done",
    state: { ...waiting, status: "waiting_for_approval", waitingFor: subject, waitingSince: time, outputJson },
  };
}

function endCancelled(state: RunState, time: number): RunState {
  const cancelled = withEvent(state, "cancelled", time);
  return {
    ...cancelled,
    status: "cancelled",
    endedAt: time,
    due: null,
    waitingFor: null,
    waitingSince: null,
    outputJson: null,
    retryUntil: null,
  };
}

/** The first decision on a subject, if it has been made. */
export function decisionOn(
  { events, early }: Pick<RunState, "events" | "early">,
  subject: string,
): DecisionRecord | undefined {
  const decided = [...events, ...early].find(({ type, name }) => type === "decided" && name === subject);
  return decided && { valueJson: decided.valueJson!, time: decided.time };
}

/**
 * Takes the first decision on a subject. Undefined if there already is one, or the run can't take
 * one on this subject.
 * @param token a new one
 */
export function decide(
  state: RunState,
  subject: string,
  { valueJson, time }: DecisionRecord,
  token: string,
): RunState | undefined {
  const isOpen = state.endedAt === null && (state.waitingFor ?? subject) === subject && !decisionOn(state, subject);
  if (!isOpen) return undefined;
  const decided = { name: subject, valueJson };
  if (state.held) return { ...state, early: [...state.early, toEvent(0, { type: "decided", time, ...decided })] };
  const next = withEvent(state, "decided", time, decided);
  if (state.waitingFor === null) return next;
  const due = { token, at: time };
  return { ...next, status: "processing", waitingFor: null, waitingSince: null, outputJson: null, due };
}

/**
 * Ends a run that nobody executes, or marks that its execution should stop. Undefined if it has
 * already ended.
 */
export function cancel(state: RunState, time: number): RunState | undefined {
  if (isTerminal(state.status)) return undefined;
  return state.held ? { ...state, isCancelRequested: true } : endCancelled(state, time);
}
