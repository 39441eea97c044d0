/**
 * The writes of runs as JSON for the function `abi_workflows.write`, and the meaning of its answer.
 */
import type { Hold, NewRunRecord, RunWrite, WriteOutcome } from "../run-store.ts";
import { releaseAt } from "../run-writes.ts";

/**
 * What became of a page (the writes of one run):
 *
 * - `held`: it was written.
 * - `lost`: it was not written, because the worker no longer holds the run.
 * - `behind`: it was not written, because earlier writes are missing.
 * - `cancelled`: the run is to be cancelled. No step was begun, and a `reschedule` or `park` has
 *   ended the run; everything else was written.
 */
export type PageState = "held" | "lost" | "behind" | "cancelled";

const text = (value: string): string => JSON.stringify(value);
/**
 * Embeds JSON unchanged. It is put into an array, because PostgreSQL would take a bare null for no
 * value.
 */
const valueJson = (json: string | undefined): string => (json === undefined ? "null" : `[${json}]`);

export const runJson = ({ id, workflow, key, fingerprint, inputJson, availableAt, priority }: NewRunRecord): string =>
  `{"id":${text(id)},"workflow":${text(workflow)},"key":${text(key)},"fingerprint":${text(fingerprint)},` +
  `"input":${valueJson(inputJson)},"available_at":${availableAt ?? null},"priority":${priority}}`;

/** @param after the last event of the run that is known to be stored */
export function pageJson({ seq, epoch }: Hold, after: number, writes: readonly RunWrite[]): string {
  const at = releaseAt(writes);
  const steps = writes.slice(0, at).map(writeJson);
  const release = at === Infinity ? "null" : writeJson(writes[at]!);
  return `{"seq":${seq},"epoch":${epoch},"after":${after},"steps":[${steps.join()}],"release":${release}}`;
}

export function outcomesOf(writes: readonly RunWrite[], state: PageState): WriteOutcome[] {
  const at = releaseAt(writes);
  return writes.map(({ kind }, index) => {
    if (state === "lost" || state === "behind" || index > at) return "lost";
    const isStopped = kind === "begin" || kind === "reschedule" || kind === "park";
    return state === "cancelled" && isStopped ? "cancelled" : "done";
  });
}

function writeJson(write: RunWrite): string {
  switch (write.kind) {
    case "begin":
      return `{"type":"step_started","name":${text(write.step)},"is_listed":${write.listed},"time":${write.time}}`;
    case "complete": {
      const { step, listed, time, outputJson } = write;
      return `{"type":"step_completed","name":${text(step)},"is_listed":${listed},"time":${time},"value":${valueJson(outputJson)}}`;
    }
    case "fail": {
      const { step: name, listed: is_listed, time, error, isFinal: is_final, retryUntil: retry_until } = write;
      return JSON.stringify({ type: "step_failed", name, is_listed, time, error, is_final, retry_until });
    }
    case "end":
      return "error" in write
        ? JSON.stringify({ kind: "failed", time: write.time, error: write.error })
        : `{"kind":"completed","time":${write.time},"value":${valueJson(write.outputJson)}}`;
    case "reschedule":
      return JSON.stringify({ kind: "reschedule", delay: Math.ceil(write.delayMs), retry_until: write.retryUntil });
    case "park":
      return `{"kind":"park","name":${text(write.subject)},"value":${valueJson(write.outputJson)}}`;
  }
}
