import { withoutAbsent } from "../../src/json.ts";
import type { StepHistory } from "../../src/framework/result.ts";
import { referenceKey } from "../../src/workflows/customer-feedback/reference.ts";
import { FEEDBACK_WORKFLOW, onlyOne, type Runs, type RunsFilter, type RunView } from "./runs.ts";
import { pathOfRun, type ServiceClient } from "../service-client.ts";

/** The most runs that the service lists at once. */
const MAX_PAGE_SIZE = 1000;

/** A page of a list. `next` is the `after` of the next page; absent on the last one. */
interface Page {
  runs: RunView[];
  next?: string;
}

/** Gets one page of the list of runs at a path. */
export async function getPage(service: ServiceClient, path: string, query: Record<string, string>): Promise<Page> {
  const { runs, next } = (await service.call(`${path}?${new URLSearchParams(query).toString()}`)) as Page;
  return { runs: runs.map(withFeedbackId), ...withoutAbsent({ next }) };
}

/** Gets a list in pages that are no larger than the service allows. */
export async function listPages(
  limit: number,
  page: (query: { limit: string; after?: string }) => Promise<Page>,
): Promise<RunView[]> {
  const all: RunView[] = [];
  for (let after: string | undefined; all.length < limit;) {
    const size = Math.min(limit - all.length, MAX_PAGE_SIZE);
    const { runs, next } = await page({ limit: String(size), ...withoutAbsent({ after }) });
    all.push(...runs);
    if (next === undefined) break;
    after = next;
  }
  return all;
}

/** The runs of a service. */
export class ServiceRuns implements Runs {
  readonly #service: ServiceClient;

  constructor(service: ServiceClient) {
    this.#service = service;
  }

  list({ limit, after: first, ...filter }: RunsFilter): Promise<RunView[]> {
    return listPages(limit, ({ limit, after = first }) =>
      this.#page({ ...filter, ...withoutAbsent({ after }), limit }),
    );
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

  #page(query: Record<string, string>): Promise<Page> {
    return getPage(this.#service, "/runs", query);
  }
}

const withFeedbackId = (run: RunView): RunView =>
  run.workflow === FEEDBACK_WORKFLOW ? { ...run, feedback_id: run.key } : run;
