import type { WireError } from "../errors.ts";
import type { EventRecord } from "./run-store.ts";

/** One attempt of one step, made from its events. Times are milliseconds since 1970. */
export interface Attempt {
  readonly step: string;
  readonly listed: boolean;
  /** Whether it was made since the run was last submitted. */
  readonly isCurrent: boolean;
  /** `running`: it has no end, because it is still running or its process died. */
  readonly status: "running" | "completed" | "failed";
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Only present if it completed with a result and the events include values. */
  readonly outputJson?: string;
  /** Only when failed. */
  readonly error?: WireError;
  /** Only when failed: the step is not tried again in this submission. */
  readonly isFinal?: boolean;
  /** Only if it has failed and is retried on its retry budget: when that ends. */
  readonly retryUntil?: number;
}

export const isSameStep = (one: Pick<Attempt, "step" | "listed">, other: Pick<Attempt, "step" | "listed">): boolean =>
  one.step === other.step && one.listed === other.listed;

/** In the order in which they started. Two attempts of one step never run at the same time. */
export function attemptsOf(events: readonly EventRecord[]): Attempt[] {
  const attempts: Attempt[] = [];
  /**
   * The position of each step's last attempt. The key is the step's name, prefixed by whether it is
   * listed.
   */
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
      // The start needs no flush: if a database server crashes and loses it, the process continues.
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
