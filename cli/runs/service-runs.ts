import { withoutAbsent } from "../../src/json.ts";
import type { StepHistory } from "../../src/framework/result.ts";
import { referenceKey } from "../../src/workflows/customer-feedback/reference.ts";
import { FEEDBACK_WORKFLOW, onlyOne, type Runs, type RunsFilter, type RunView } from "./runs.ts";
import { pathOfRun, type ServiceClient } from "../service-client.ts";

/** The most runs that the service lists at once. */
const MAX_PAGE_SIZE = 1000;

/** The runs of a service. */
export class ServiceRuns implements Runs {
  readonly #service: ServiceClient;

  constructor(service: ServiceClient) {
    this.#service = service;
  }

  async list({ limit, ...filter }: RunsFilter): Promise<RunView[]> {
    const all: RunView[] = [];
    for (let next = filter.after; all.length < limit;) {
      const size = Math.min(limit - all.length, MAX_PAGE_SIZE);
      const page = await this.#page({ ...filter, ...withoutAbsent({ after: next }), limit: String(size) });
      all.push(...page.runs);
      next = page.next;
      if (next === undefined) break;
    }
    return all;
  }

  get(workflowId: string): Promise<RunView | undefined> {
    return this.#service.run(workflowId);
  }

  async find(id: string): Promise<RunView | undefined> {
    const run = await this.get(id);
    if (run) return run;
    const { runs } = await this.#page({ key: id });
    const found = onlyOne("id", id, runs, ({ workflow_id }) => workflow_id);
    const reference = referenceKey(id);
    if (found || reference === "") return found;
    const filter = { workflow: FEEDBACK_WORKFLOW, "input[reference_key]": reference };
    return onlyOne("reference", id, (await this.#page(filter)).runs, ({ key }) => key);
  }

  async history(workflowId: string): Promise<StepHistory[]> {
    const answer = await this.#service.call(`${pathOfRun(workflowId)}/history`);
    return (answer as { history: StepHistory[] }).history;
  }

  retry(workflowId: string): Promise<boolean> {
    return this.#change(workflowId, "retry");
  }

  cancel(workflowId: string): Promise<boolean> {
    return this.#change(workflowId, "cancel");
  }

  async #change(workflowId: string, how: "retry" | "cancel"): Promise<boolean> {
    return ((await this.#service.call(`${pathOfRun(workflowId)}/${how}`, { json: {} })) as { changed: boolean })
      .changed;
  }

  async #page(query: Record<string, string>): Promise<{ runs: RunView[]; next?: string }> {
    const answer = await this.#service.call(`/runs?${new URLSearchParams(query).toString()}`);
    const { runs, next } = answer as { runs: RunView[]; next?: string };
    return { runs: runs.map(withFeedbackId), ...withoutAbsent({ next }) };
  }
}

export const withFeedbackId = (run: RunView): RunView =>
  run.workflow === FEEDBACK_WORKFLOW ? { ...run, feedback_id: run.key } : run;
