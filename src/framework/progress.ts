import type { StepEvent, WorkflowEngine } from "../engine/engine.ts";
import { withoutAbsent } from "../json.ts";

/**
 * What a running tool reports while it works, for listeners (LangChain's tool events, LangGraph's
 * "tools" stream, MCP).
 */
export interface ToolProgress {
  type: "progress";
  workflow_id: string;
  step: string;
  phase: "started" | "completed" | "failed";
  attempt: number;
  /** Delay before the next attempt, in milliseconds. Only if the step has failed and is retried. */
  retry_in_ms?: number;
}

const toProgress = ({ runId, step, phase, attempt, retryInMs }: StepEvent): ToolProgress => ({
  type: "progress",
  workflow_id: runId,
  step,
  phase,
  attempt,
  ...withoutAbsent({ retry_in_ms: retryInMs }),
});

/**
 * Yields the step events of a run until `work` settles, then returns what `work` returned. `work`
 * calls the function that it gets (`follow`) with the run's id as soon as it knows the id. Earlier
 * events of the run are yielded too.
 */
export async function* withProgress<Result>(
  engine: WorkflowEngine,
  work: (follow: (runId: string) => void) => Promise<Result>,
): AsyncGenerator<ToolProgress, Result> {
  let followed: string | undefined;
  let early: StepEvent[] = [];
  const queue: StepEvent[] = [];
  let wake = (): void => {};
  const push = (event: StepEvent): void => {
    queue.push(event);
    wake();
  };
  const stop = engine.onStep((event) => {
    if (followed === undefined) early.push(event);
    else if (event.runId === followed) push(event);
  });
  let settled = false;
  const result = work((runId) => {
    followed = runId;
    for (const event of early) if (event.runId === runId) push(event);
    early = [];
  }).finally(() => {
    settled = true;
    wake();
  });
  // It is awaited below. If it fails before that, the rejection must not count as unhandled.
  result.catch(() => {});
  try {
    for (;;) {
      for (let event = queue.shift(); event; event = queue.shift()) yield toProgress(event);
      if (settled) return await result;
      const more = Promise.withResolvers<void>();
      wake = more.resolve;
      await more.promise;
    }
  } finally {
    stop();
  }
}
