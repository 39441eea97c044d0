import type { StepHistory } from "../../src/workflow/result.ts";
import { referenceKey } from "../../src/workflows/customer-feedback/reference.ts";
import { FEEDBACK_WORKFLOW, onlyOne, type Runs, type RunsFilter, type RunView } from "./runs.ts";
import type { ServiceClient } from "../service-client.ts";

/** The runs of a service. */
export class ServiceRuns implements Runs {
  readonly #service: ServiceClient;

  constructor(service: ServiceClient) {
    this.#service = service;
  }

  list(filter: RunsFilter): Promise<RunView[]> {
    return this.#list({ ...filter, limit: String(filter.limit) });
  }

  get(workflowId: string): Promise<RunView | undefined> {
    return this.#service.run(workflowId);
  }

  async find(id: string): Promise<RunView | undefined> {
    const run = await this.get(id);
    if (run) return run;
    const found = onlyOne("id", id, await this.#list({ key: id }), ({ workflow_id }) => workflow_id);
    const reference = referenceKey(id);
    if (found || reference === "") return found;
    const filter = { workflow: FEEDBACK_WORKFLOW, "input[reference_key]": reference };
    return onlyOne("reference", id, await this.#list(filter), ({ key }) => key);
  }

  async history(workflowId: string): Promise<StepHistory[]> {
    const answer = await this.#service.call(`${pathOf(workflowId)}/history`);
    return (answer as { history: StepHistory[] }).history;
  }

  retry(workflowId: string): Promise<boolean> {
    return this.#change(workflowId, "retry");
  }

  cancel(workflowId: string): Promise<boolean> {
    return this.#change(workflowId, "cancel");
  }

  async #change(workflowId: string, how: "retry" | "cancel"): Promise<boolean> {
    return ((await this.#service.call(`${pathOf(workflowId)}/${how}`, { json: {} })) as { changed: boolean }).changed;
  }

  async #list(query: Record<string, string>): Promise<RunView[]> {
    const answer = await this.#service.call(`/runs?${new URLSearchParams(query).toString()}`);
    return (answer as { runs: RunView[] }).runs.map(withFeedbackId);
  }
}

const pathOf = (workflowId: string): string => `/runs/${encodeURIComponent(workflowId)}`;

export const withFeedbackId = (run: RunView): RunView =>
  run.workflow === FEEDBACK_WORKFLOW ? { ...run, feedback_id: run.key } : run;
