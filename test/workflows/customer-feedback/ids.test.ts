import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { withDerivedKey } from "../../../src/framework/submission.ts";
import { CUSTOMERS, RecordingSource, feedback, startFeedback, values } from "../../support/feedback.ts";

/** `F-77` and `C-1` as people and programs send them. */
const SPELLINGS = [
  { feedback_id: "F-77", customer_id: "C-1" },
  { feedback_id: "F-77 ", customer_id: "C-1 " },
  { feedback_id: "F-77\u200B", customer_id: "\u00A0C-1" },
  { feedback_id: "\uFEFFF-77\u00A0", customer_id: "C-1\u2060\n" },
];

const names = ["constructor", "toString", "__proto__", "hasOwnProperty"];

describe("an id that is spelled in several ways", () => {
  it("is one run, one email and one piece of feedback, on every interface", async () => {
    const { workflow, mails, ontologyStore, engine } = await startFeedback();
    const app = new Hono();
    workflow.as_api(app);
    const [tool] = workflow.as_tools();
    const results: unknown[] = [];
    for (const ids of SPELLINGS) {
      results.push(await workflow.run(feedback(ids)));
      const { feedback_id: id, customer_id } = ids;
      const { subject, feedback_text: text } = feedback();
      results.push(await workflow.handleEvent("new_feedback", { id, customer_id, subject, text }));
      results.push(JSON.parse((await tool!.invoke(feedback(ids))) as string));
      await workflow.startWorkflow(feedback(ids));
      const response = await app.request("/workflows/customer-feedback", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(feedback(ids)),
      });
      expect(await response.json()).toMatchObject({ status: "processing", feedback_id: "F-77", customer_id: "C-1" });
      const told = await app.request(`/workflows/customer-feedback/${encodeURIComponent(id)}`);
      expect(await told.json()).toMatchObject({ status: "processed", feedback_id: "F-77" });
      expect(await workflow.findWorkflow(id)).toMatchObject({ status: "completed" });
      expect(await workflow.listWorkflows({ input: { customer_id } })).toHaveLength(1);
      expect(await workflow.handleEvent("feedback_response", { feedback_id: id, response_text: "Hi" })).toMatchObject({
        status: "success",
        feedback_id: "F-77",
      });
    }
    const [first, ...others] = results as { duplicate?: boolean; feedback_id: string; customer_id: string }[];
    expect(first).toMatchObject({ success: true, feedback_id: "F-77", customer_id: "C-1" });
    expect(others.every(({ duplicate }) => duplicate === true)).toBe(true);
    expect(await engine.list()).toHaveLength(1);
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Feedback", "abi:id")).toEqual(["F-77"]);
  });

  it("leads to the same derived id", async () => {
    const { workflow } = await startFeedback();
    const [operation] = workflow.operations;
    const { feedback_id: _, ...rest } = feedback();
    const derived = ["C-1", " C-1", "C-1\u200B", "C-1\u00A0"].map(
      (customer_id) =>
        (withDerivedKey(operation as never, { ...rest, customer_id }) as { feedback_id: string }).feedback_id,
    );
    expect(new Set(derived).size).toBe(1);
    const blank = withDerivedKey(operation as never, { ...rest, feedback_id: " \u200B" });
    expect((blank as { feedback_id: string }).feedback_id).toBe(derived[0]);
  });

  it("finds a run if there are spaces around the workflow id", async () => {
    const { workflow } = await startFeedback();
    const id = await workflow.startWorkflow(feedback());
    await workflow.getWorkflowResult(` ${id}`);
    expect(await workflow.getWorkflowStatus(`${id}\n`)).toMatchObject({ workflow_id: id, status: "completed" });
    expect(await workflow.getWorkflowHistory(`${id}\u00A0`)).not.toEqual([]);
    expect([await workflow.retryWorkflow(`${id} `), await workflow.cancelWorkflow(`${id} `)]).toEqual([false, false]);
  });
});

it("a customer id that is a number is read as its digits, even if other fields are invalid", async () => {
  const { workflow } = await startFeedback();
  expect(await workflow.run(feedback({ customer_id: 404 }))).toMatchObject({
    customer_id: "404",
    error: "Customer with ID 404 not found",
  });
  expect(await workflow.run(feedback({ customer_id: 404, feedback_id: " F-9 ", subject: "" }))).toMatchObject({
    customer_id: "404",
    feedback_id: "F-9",
    error: "subject: must not be empty",
  });
});

it("an invisible character in an id is named by its code point, and nothing is done", async () => {
  const { workflow, engine, source } = await startFeedback();
  const result = await workflow.run(feedback({ feedback_id: "F-\u202E77", customer_id: "C\u200B-1" }));
  expect(result).toMatchObject({ success: false, error_type: "validation_error" });
  expect(result.error).toMatch(/^feedback_id: has U\+202E at position 3, .*; customer_id: has U\+200B at position 2, /);
  expect([await engine.list(), source.asked]).toEqual([[], []]);
});

it("ids that are names of properties of every object work like any other id", async () => {
  class Source extends RecordingSource {
    override async get(id: string) {
      return names.includes(id) ? { ...CUSTOMERS[0]!, id } : undefined;
    }
  }
  const { CustomerDataPipeline } = await import("../../../src/pipelines/customer-data-pipeline.ts");
  const { OxigraphOntologyStore } = await import("../../../src/ontology/oxigraph/oxigraph-ontology-store.ts");
  const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
  const customerDataPipeline = new CustomerDataPipeline({ customerSource: new Source(), ontologyStore });
  const { workflow, mails } = await startFeedback({ ontologyStore, customerDataPipeline });
  const [tool] = workflow.as_tools();
  for (const name of names) {
    const parameters = feedback({ feedback_id: name, customer_id: name });
    const answer: unknown = JSON.parse((await tool!.invoke(parameters)) as string);
    expect(answer).toMatchObject({ success: true, feedback_id: name, customer_id: name });
    expect(await workflow.run(parameters)).toMatchObject({ duplicate: true });
    expect(await workflow.findWorkflow(name)).toMatchObject({ status: "completed" });
    expect(await workflow.listWorkflows({ input: { customer_id: name } })).toHaveLength(1);
  }
  expect(mails.mails).toHaveLength(names.length);
  expect((await values(ontologyStore, "Feedback", "abi:id")).toSorted()).toEqual(names.toSorted());
});

it.each(names)("a field named %s is refused as unknown, whatever its value", async (name) => {
  const { workflow } = await startFeedback();
  const [tool, analyze] = workflow.as_tools();
  for (const value of [null, "null", "x", {}]) {
    const parameters = JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(value)}}`) as object;
    for (const [called, own] of [
      [tool!, feedback()],
      [analyze!, { text: "Great!" }],
    ] as const) {
      const answer = JSON.parse((await called.invoke(Object.assign(parameters, own) as never)) as string) as object;
      expect(answer).toMatchObject({ error_type: "validation_error", error: expect.stringContaining(name) });
    }
  }
});
