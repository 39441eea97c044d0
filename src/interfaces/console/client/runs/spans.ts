/** A run as spans on a timeline: what was done, and what the run waited for. */
import type { RunEvent } from "../live/follow-run.ts";
import type { Attempt, Run } from "./runs-api.ts";

export interface Span {
  label: string;
  kind: "step" | "failed" | "running" | "queue" | "retry" | "person" | "idle";
  start: number;
  end: number;
  /** Number of the attempt, if the step has had more than one. */
  attempt?: number;
  error?: string;
}

const time = (text: string): number => Date.parse(text);

/** @param now the end of spans that have none yet. Milliseconds since the epoch */
export function spansOf(run: Run, attempts: readonly Attempt[], events: readonly RunEvent[], now: number): Span[] {
  const known = inOrder([
    ...queueSpans(run, attempts, now),
    ...stepSpans(attempts, run, now),
    ...personSpans(events, run, now),
    ...stopSpans(events, attempts),
  ]);
  return inOrder([...known, ...idleSpans(known, run)]);
}

const inOrder = (spans: readonly Span[]): Span[] =>
  spans.toSorted((one, other) => one.start - other.start || one.end - other.end);

function queueSpans({ start_time: started, status }: Run, attempts: readonly Attempt[], now: number): Span[] {
  if (started === undefined) return [];
  const [first] = attempts;
  const isWaiting = !first && status === "started";
  const end = first ? time(first.start_time) : isWaiting ? now : undefined;
  return end === undefined ? [] : [{ label: "queue", kind: "queue", start: time(started), end }];
}

function stepSpans(attempts: readonly Attempt[], { failing }: Run, now: number): Span[] {
  const counts = Map.groupBy(attempts, ({ step }) => step);
  return attempts.flatMap((attempt): Span[] => {
    const { step: label, status, start_time: started, end_time: ended, error } = attempt;
    const same = counts.get(label)!;
    const number = same.indexOf(attempt) + 1;
    const next = same[number];
    const end = ended === undefined ? (next ? time(next.start_time) : now) : time(ended);
    const kind = status === "completed" ? "step" : status === "running" ? "running" : "failed";
    const span: Span = {
      label,
      kind,
      start: time(started),
      end,
      ...(same.length > 1 && { attempt: number }),
      ...(error !== undefined && { error }),
      ...(status === "died" && { error: "Its process ended during this attempt." }),
    };
    const isTriedAgain =
      kind === "failed" && (next !== undefined || (failing?.step === label && failing.next_try !== undefined));
    if (!isTriedAgain) return [span];
    return [span, { label, kind: "retry", start: end, end: next ? time(next.start_time) : now }];
  });
}

function personSpans(events: readonly RunEvent[], { status }: Run, now: number): Span[] {
  return events.flatMap((event, index): Span[] => {
    if (event.type !== "waiting_for_approval") return [];
    const after = events.slice(index + 1).find(({ type }) => type !== "waiting_for_approval");
    if (!after && status !== "waiting_for_approval") return [];
    return [{ label: "approval", kind: "person", start: time(event.time), end: after ? time(after.time) : now }];
  });
}

/** When the run failed outside its steps, and how long it stood still until a person retried it. */
function stopSpans(events: readonly RunEvent[], attempts: readonly Attempt[]): Span[] {
  return events.flatMap((event, index): Span[] => {
    if (event.type !== "failed" && event.type !== "cancelled") return [];
    const [at, resumed] = [time(event.time), events.slice(index + 1).find(({ type }) => type === "resumed")];
    const last = attempts.findLast(({ start_time: started }) => time(started) <= at);
    const isOutside = event.type === "failed" && last?.status !== "failed";
    return [
      ...(isOutside
        ? [{ label: "failed", kind: "failed", start: at, end: at, error: event.error ?? "" } as const]
        : []),
      ...(resumed ? [{ label: "stopped", kind: "idle", start: at, end: time(resumed.time) } as const] : []),
    ];
  });
}

/** Gaps of at least this length are shown as times in which nothing happened. Milliseconds. */
const LEAST_IDLE = 1000;

/** Times in which nothing happened, for example while no process was running. */
function idleSpans(spans: readonly Span[], { end_time: ended }: Run): Span[] {
  const end = ended === undefined ? [] : [{ start: time(ended), end: time(ended) }];
  let until = spans[0]?.start ?? Infinity;
  return [...spans, ...end].flatMap((span): Span[] => {
    const from = until;
    until = Math.max(until, span.end);
    return span.start - from < LEAST_IDLE
      ? []
      : [{ label: "between steps", kind: "idle", start: from, end: span.start }];
  });
}

/** Where times are on the timeline, and which of them to label. */
export interface Scale {
  /** 0 to 1, for the times at which a span starts or ends, and for the end of the run. */
  at: (time: number) => number;
  ticks: readonly number[];
  first: number;
  last: number;
}

/** The smallest distance between two labels, as a share of the timeline. */
const TICK_DISTANCE = 0.14;

/**
 * Logarithmic, so that short steps can be seen beside an hour of waiting.
 * @param end when the run ended; undefined if it has not
 */
export function scaleOf(spans: readonly Span[], end?: number): Scale {
  const boundaries = [...spans.flatMap((span) => [span.start, span.end]), ...(end === undefined ? [] : [end])];
  const times = [...new Set(boundaries)].toSorted((one, other) => one - other);
  const isCovered = (from: number, to: number): boolean => spans.some((span) => span.start <= from && span.end >= to);
  const positions = new Map<number, number>();
  let position = 0;
  times.forEach((time, index) => {
    const before = times[index - 1];
    // A gap that is not shown takes hardly any space.
    if (before !== undefined) position += isCovered(before, time) ? Math.log2(2 + time - before) : 1;
    positions.set(time, position);
  });
  const at = (time: number): number => (position === 0 ? 0 : (positions.get(time) ?? 0) / position);
  const [first = 0, last = first] = [times[0], times.at(-1)];
  const ticks = [first];
  for (const time of times)
    if (at(time) - at(ticks.at(-1)!) >= TICK_DISTANCE && 1 - at(time) >= TICK_DISTANCE) ticks.push(time);
  return { at, ticks, first, last };
}
