import type { Backend } from "openworkflow/internal";
import type { AbiError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { finalError } from "./run-record.ts";

/** How a step has ended: with what it returned, or with an error that is not tried again before the run is submitted again. */
export type Outcome = { readonly output: Json } | { readonly failure: AbiError };

/** By the names under which the steps are stored. */
export type RecordedSteps = ReadonlyMap<string, Outcome>;

const PAGE_SIZE = 1000;

/** Nothing of what is recorded, for OpenWorkflow: where it finds more than 1,000 attempts it fails the run, then and ever after. */
export const nothingRecorded: Backend["listStepAttempts"] = async () => ({
  data: [],
  pagination: { next: null, prev: null },
});

/**
 * What is recorded of a run's steps, however many attempts that took.
 * @param submission which one is executed: the failures of earlier ones are tried again
 */
export async function recordedSteps(
  backend: Backend,
  workflowRunId: string,
  submission: number,
): Promise<RecordedSteps> {
  const outcomes = new Map<string, Outcome>();
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Backend["listStepAttempts"]>> = await backend.listStepAttempts({
      workflowRunId,
      limit: PAGE_SIZE,
      ...(after === null ? {} : { after }),
    });
    for (const { status, stepName, output, error } of page.data) {
      if (status === "completed") outcomes.set(stepName, { output });
      const failure = status === "failed" ? finalError(error as { message?: unknown }, submission) : undefined;
      if (failure) outcomes.set(stepName, { failure });
    }
    after = page.pagination.next;
  } while (after !== null);
  return outcomes;
}
