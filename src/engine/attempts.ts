import type { WireError } from "../errors.ts";
import type { EventRecord } from "./run-store.ts";

/** One attempt of one step, made from its events. Times are milliseconds since 1970. */
export interface Attempt {
  readonly step: string;
  readonly listed: boolean;
  /** Whether it began after the run was accepted or last resumed. */
  readonly isCurrent: boolean;
  /** `running`: it has no end, because it is still running or its process died. */
  readonly status: "running" | "completed" | "failed";
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Only present if it completed with a result and the events include values. */
  readonly outputJson?: string;
  /** Only when failed. */
  readonly error?: WireError;
  /** Only when failed: whether the step isn't tried again before the run is resumed. */
  readonly isFinal?: boolean;
  /** Only if it has failed and is retried on its retry budget: when that ends. */
  readonly retryUntil?: number;
}

export const isSameStep = (one: Pick<Attempt, "step" | "listed">, other: Pick<Attempt, "step" | "listed">): boolean =>
  one.step === other.step && one.listed === other.listed;

/**
 * Makes the attempts of a run from its events, in the order in which they began. An end always
 * belongs to the step's last attempt: the execution that began an earlier one is over and can't
 * record anything.
 */
export function attemptsOf(events: readonly EventRecord[]): Attempt[] {
  const attempts: Attempt[] = [];
  /** The position of each step's last attempt. The key is `listed` and the step's name. */
  const lastAt = new Map<string, number>();
  const resumedAt = events.findLast(({ type }) => type === "resumed")?.n ?? 0;
  for (const { n, type, time, name, listed: isListed, valueJson, errorJson, isFinal, retryUntil } of events) {
    if (name === null) continue;
    const listed = Boolean(isListed);
    const key = `${listed} ${name}`;
    if (type === "step_started") {
      lastAt.set(key, attempts.length);
      attempts.push({ step: name, listed, isCurrent: n > resumedAt, status: "running", startedAt: time });
    } else if (type === "step_completed" || type === "step_failed") {
      // The beginning may be missing: it need not be flushed, so a crash of the database server can
      // lose it while the process lives on.
      const begun: Attempt = { step: name, listed, isCurrent: n > resumedAt, status: "running", startedAt: time };
      const at = lastAt.get(key) ?? attempts.push(begun) - 1;
      attempts[at] = {
        ...attempts[at]!,
        status: type === "step_completed" ? "completed" : "failed",
        endedAt: time,
        ...(valueJson != null && { outputJson: valueJson }),
        ...(errorJson !== null && { error: JSON.parse(errorJson) as WireError }),
        ...(isFinal !== null && { isFinal: Boolean(isFinal) }),
        ...(retryUntil !== null && { retryUntil }),
      };
    }
  }
  return attempts;
}
