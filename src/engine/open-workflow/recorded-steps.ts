import type { Backend } from "openworkflow/internal";
import type { Json } from "../../json.ts";

/** By the names under which the steps are stored: what they returned. */
export type RecordedSteps = ReadonlyMap<string, Json>;

const PAGE_SIZE = 1000;

/** Nothing of what is recorded, for OpenWorkflow: where it finds more than 1,000 attempts it fails the run, then and ever after. */
export const nothingRecorded: Backend["listStepAttempts"] = async () => ({
  data: [],
  pagination: { next: null, prev: null },
});

/** What is recorded of a run's steps, however many attempts that took. */
export async function recordedSteps(backend: Backend, workflowRunId: string): Promise<RecordedSteps> {
  const outputs = new Map<string, Json>();
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Backend["listStepAttempts"]>> = await backend.listStepAttempts({
      workflowRunId,
      limit: PAGE_SIZE,
      ...(after === null ? {} : { after }),
    });
    for (const { status, stepName, output } of page.data) if (status === "completed") outputs.set(stepName, output);
    after = page.pagination.next;
  } while (after !== null);
  return outputs;
}
