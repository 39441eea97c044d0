import type { Run, WorkflowEngine } from "../../src/engine/engine.ts";
import { tidyIdentifier } from "../../src/tidy-identifier.ts";
import type { Json } from "../../src/json.ts";
import { historyOf, statusOf, type StepHistory } from "../../src/framework/result.ts";
import { excerptOf } from "../../src/workflows/customer-feedback/excerpt.ts";
import { referenceKey } from "../../src/workflows/customer-feedback/reference.ts";
import { shownReference } from "../../src/workflows/customer-feedback/reflection.ts";
import { FEEDBACK_WORKFLOW, NOTIFICATION_WORKFLOW, onlyOne, type Runs, type RunsFilter, type RunView } from "./runs.ts";

/** The runs of an engine that is open here. */
export class EngineRuns implements Runs {
  readonly #engine: WorkflowEngine;

  constructor(engine: WorkflowEngine) {
    this.#engine = engine;
  }

  async list(filter: RunsFilter): Promise<RunView[]> {
    const withoutCompleted = filter.workflow === undefined ? [NOTIFICATION_WORKFLOW] : [];
    return (await this.#engine.list({ ...filter, withoutCompleted })).map(viewOf);
  }

  async get(workflowId: string): Promise<RunView | undefined> {
    const run = await this.#engine.get(tidyIdentifier(workflowId));
    return run && viewOf(run);
  }

  async find(id: string): Promise<RunView | undefined> {
    return (await this.get(id)) ?? (await this.#byKey(id)) ?? this.#byReference(id);
  }

  async history(workflowId: string): Promise<StepHistory[]> {
    return (await this.#engine.history(workflowId)).map(historyOf);
  }

  retry(workflowId: string): Promise<boolean> {
    return this.#engine.retry(workflowId);
  }

  cancel(workflowId: string): Promise<boolean> {
    return this.#engine.cancel(workflowId);
  }

  /** The names of the workflows come from the runs, so no workflow has to be opened. */
  async #byKey(key: string): Promise<RunView | undefined> {
    const workflows = (await this.#engine.counts()).map(({ workflow }) => workflow);
    const found = await Promise.all(workflows.map((workflow) => this.#engine.find(workflow, tidyIdentifier(key))));
    return onlyOne("id", key, found.filter((run) => run !== undefined).map(viewOf), ({ workflow_id }) => workflow_id);
  }

  async #byReference(id: string): Promise<RunView | undefined> {
    const reference_key = referenceKey(id);
    if (reference_key === "") return undefined;
    const runs = await this.#engine.list({ workflow: FEEDBACK_WORKFLOW, input: { reference_key } });
    return onlyOne("reference", id, runs.map(viewOf), ({ key }) => key);
  }
}

function viewOf(run: Run): RunView {
  const { workflow, key } = run;
  if (workflow !== FEEDBACK_WORKFLOW) return { workflow, key, ...statusOf(run, {}) };
  const { customer_id = null, customer_from_model, feedback_text } = run.input as Record<string, Json>;
  const identity = { feedback_id: key, customer_id };
  const reference = shownReference({ feedback_id: key, customer_from_model: customer_from_model === true });
  return {
    workflow,
    key,
    feedback_id: key,
    ...(reference !== key && { reference }),
    ...statusOf(run, identity),
    ...(run.status === "waiting_for_approval" && { excerpt: excerptOf(feedback_text as string) }),
  };
}
