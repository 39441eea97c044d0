import { describe, expect, it } from "vitest";
import { SparqlEndpointStore, type StepEvent, type WorkflowEngine } from "../../src/index.ts";
import { differences, graphLines } from "../../testing/index.ts";
import { feedback, startFeedback } from "../support/feedback.ts";
import { startSparqlEndpoint, type Fault, type SparqlEndpoint } from "../support/sparql-endpoint.ts";
import { failures, PATIENT } from "./failures.ts";

/** Only the engine retries, so that every failure is visible. */
const remote = ({ origin }: SparqlEndpoint, { retries = 0, timeoutMs = 500 } = {}): SparqlEndpointStore =>
  new SparqlEndpointStore({ url: `${origin}/sparql`, retries, timeoutMs });

const start = async (endpoint: SparqlEndpoint) =>
  startFeedback({ ontologyStore: remote(endpoint) }, { retry: PATIENT });

/** Everything in the graph at the end; two runs of the same feedback give the same. */
async function linesOf(endpoint: SparqlEndpoint): Promise<string[]> {
  // It may still fail or hang.
  const store = remote(endpoint, { retries: 3, timeoutMs: 5000 });
  const graphs = await Promise.all((await store.listStores()).map((name) => store.getGraph(name)));
  return graphLines(graphs.flat(), (value) => value.includes("workflow-"));
}

/** One reply, and one escalation with its ticket in the graph. */
const ITEMS = [feedback(), feedback({ feedback_id: "F-2", customer_id: "C-vip" })];

async function undisturbed(items: readonly unknown[] = ITEMS): Promise<string[]> {
  const endpoint = await startSparqlEndpoint();
  const { workflow } = await start(endpoint);
  for (const item of items) expect(await workflow.run(item)).toMatchObject({ success: true });
  return linesOf(endpoint);
}

describe("while the SPARQL endpoint", () => {
  it("is unavailable, the run reports it, waits and continues when it is back", async () => {
    const endpoint = await startSparqlEndpoint();
    const { workflow, engine, mails } = await start(endpoint);
    await endpoint.stop();
    const refused = failures(engine, "customer_data_retrieved", 3);
    const id = await workflow.startWorkflow(feedback());
    await refused;
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({
      status: "processing",
      current_step: "customer_data_retrieved",
      steps_completed: [],
    });
    expect((await workflow.getWorkflowHistory(id))[0]).toMatchObject({
      status: "failed",
      error: expect.stringContaining("SPARQL endpoint can't be reached"),
      error_type: "io_error",
      retriable: true,
    });
    await endpoint.start();
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect(mails.mails).toHaveLength(1);
  });

  it("stays unavailable longer than the retries, the run fails as retriable, and continues when it is submitted again", async () => {
    const endpoint = await startSparqlEndpoint();
    const { workflow, mails } = await startFeedback({ ontologyStore: remote(endpoint, { timeoutMs: 60_000 }) });
    await endpoint.stop();
    expect(await workflow.run(feedback())).toMatchObject({ success: false, error_type: "io_error", retriable: true });
    await endpoint.start();
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    expect(mails.mails).toHaveLength(1);
  });

  it.each<[string, Fault]>([
    ["answers 503", 503],
    ["breaks every request off", "drop"],
    ["does what it is asked and breaks off before it says so", "drop-after"],
    ["does what it is asked and never says so", "hang"],
  ])("%s, at any request, the graph is that of an undisturbed run, and nothing happens twice", async (_, fault) => {
    const model = await undisturbed();
    const endpoint = await startSparqlEndpoint();
    endpoint.failFirst(fault);
    const { workflow, mails } = await start(endpoint);
    const results = await Promise.all(ITEMS.map((item) => workflow.run(item)));
    expect(results).toMatchObject([{ success: true }, { success: true }]);
    expect(mails.mails).toHaveLength(2);
    expect(differences(model, await linesOf(endpoint))).toEqual([]);
  });

  it("restarts in the middle of many runs, all of them end, and the graph is that of an undisturbed run", async () => {
    const customers = ["C-1", "C-vip", "C-5001"];
    const items = Array.from({ length: 24 }, (_, n) =>
      feedback({ feedback_id: `F-${n}`, customer_id: customers[n % customers.length] }),
    );
    const model = await undisturbed(items);
    const endpoint = await startSparqlEndpoint();
    const { workflow, engine, mails } = await start(endpoint);
    const ends: Promise<{ success: boolean }>[] = [];
    for (const step of ["customer_data_retrieved", "feedback_stored", "response_sent", "ticket_created"]) {
      const reached = stepEvent(engine, (event) => event.step === step);
      ends.push(...items.slice(ends.length, ends.length + 6).map((item) => workflow.run(item)));
      await reached;
      const failed = stepEvent(engine, ({ phase }) => phase === "failed");
      await endpoint.stop();
      await failed;
      await endpoint.start();
    }
    for (const { success } of await Promise.all(ends)) expect(success).toBe(true);
    expect(differences(model, await linesOf(endpoint))).toEqual([]);
    expect(new Set(mails.mails.map(({ parsed }) => parsed.messageId)).size).toBe(24);
    expect(mails.mails).toHaveLength(24);
  });
});

function stepEvent(engine: WorkflowEngine, fits: (event: StepEvent) => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = engine.onStep((event) => {
    if (!fits(event)) return;
    stop();
    resolve();
  });
  return promise;
}
