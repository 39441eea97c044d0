/** A run as spans on a line of time: what was done, and what was waited for. */
import type { RunEvent } from "../live/follow-run.ts";
import type { Attempt, Run } from "./runs-api.ts";

export interface Span {
  label: string;
  kind: "step" | "failed" | "running" | "queue" | "retry" | "person";
  start: number;
  end: number;
  /** Attempt of the step, where there is more than one. */
  attempt?: number;
  error?: string;
}

const time = (text: string): number => Date.parse(text);

/** @param now what has no end yet ends there. Milliseconds since the epoch */
export function spansOf(run: Run, attempts: readonly Attempt[], events: readonly RunEvent[], now: number): Span[] {
  const spans = [...queueSpans(run, attempts, now), ...stepSpans(attempts, run, now), ...personSpans(events, run, now)];
  return spans.toSorted((one, other) => one.start - other.start || one.end - other.end);
}

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

/** Where times lie on the line, 0 to 1. Logarithmic, so that short steps can be seen beside an hour of waiting. */
export function scaleOf(spans: readonly Span[]): (time: number) => number {
  const times = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].toSorted((one, other) => one - other);
  const positions = new Map<number, number>();
  let position = 0;
  times.forEach((time, index) => {
    position += index === 0 ? 0 : Math.log2(2 + time - times[index - 1]!);
    positions.set(time, position);
  });
  return (time) => (position === 0 ? 0 : (positions.get(time) ?? 0) / position);
}
