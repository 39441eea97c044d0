import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { RefundWorkflow } from "../../examples/refund-workflow.ts";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { ValidationError } from "../../src/errors.ts";
import { direct, durable, type Audience } from "../../src/framework/operation.ts";
import { Service } from "../../src/framework/service.ts";
import { Workflow } from "../../src/framework/workflow.ts";
import { feedback, startFeedback } from "../support/feedback.ts";

/** A service with customer feedback and the refund example. */
async function startService() {
  const parts = await startFeedback({ approval: true });
  const { engine, ontologyStore, workflow } = parts;
  const refunds = new RefundWorkflow({ engine, ontologyStore, limit: 100 });
  const service = new Service({ engine, workflows: [workflow, refunds] });
  const call = async (name: string, input: object): Promise<Record<string, unknown>> => {
    const operation = service.operation(name);
    return operation.run(operation.input.parse(input), {});
  };
  return { ...parts, refunds, service, call };
}

const refund = (refund_id: string) => ({ refund_id, order_id: "O-1", amount: 30 });

/** One operation for each audience. */
class Mixed extends Workflow {
  override readonly name = "mixed";
  override readonly operations = [
    durable("begin", {
      description: "Begin.",
      input: z.strictObject({ id: z.string() }),
      output: z.object({}),
      key: "id",
      run: async () => ({}),
    }),
    ...(["agent", "person", "operator"] as const satisfies Audience[]).map((audience) =>
      direct(`for_${audience}`, {
        description: "Look.",
        audience,
        input: z.strictObject({}),
        output: z.object({}),
        run: () => ({}),
      }),
    ),
  ];
}

/** Runs that only accompany others. */
class Reminders extends Workflow {
  override readonly name = "reminders";
  override readonly isAuxiliary = true;
  override readonly operations = [
    durable("remind", {
      description: "Remind.",
      input: z.strictObject({ id: z.string() }),
      output: z.object({}),
      key: "id",
      run: ({ id }) => {
        if (id === "bad") throw new ValidationError("Nobody is there.");
        return Promise.resolve({});
      },
    }),
  ];
}

/** A workflow for administrators. */
class Guarded extends Workflow {
  override readonly name = "guarded";
  override readonly operations = [
    durable("begin", {
      description: "Begin.",
      audience: "operator",
      scope: "admin",
      input: z.strictObject({ id: z.string() }),
      output: z.object({}),
      key: "id",
      run: async () => ({}),
    }),
  ];
}

describe("the operations of a service", () => {
  it("are those of each workflow and those for every run", async () => {
    const { service } = await startService();
    const named = service.operations.map(
      ({ operation, workflow }) =>
        `${operation.audience} ${workflow?.name ?? "*"} ${operation.name} (${operation.scope})`,
    );
    expect(named).toEqual([
      "agent customer-feedback process_customer_feedback (feedback:write)",
      "agent customer-feedback analyze_feedback_sentiment (feedback:read)",
      "agent customer-feedback categorize_feedback_text (feedback:read)",
      "person customer-feedback get_pending_response (approve)",
      "person customer-feedback approve_response (approve)",
      "person customer-feedback edit_response (approve)",
      "person customer-feedback reject_response (approve)",
      "person customer-feedback list_held_mails (approve)",
      "person customer-feedback get_held_mail (approve)",
      "person customer-feedback assign_held_mail (approve)",
      "person customer-feedback dismiss_held_mail (approve)",
      "operator customer-feedback list_feedback (feedback:read)",
      "operator customer-feedback get_feedback (feedback:read)",
      "operator customer-feedback run_batch (feedback:write)",
      "agent refund request_refund (feedback:write)",
      "agent refund get_refund_limit (feedback:read)",
      "operator refund run_batch (feedback:write)",
      "operator * list_runs (feedback:read)",
      "operator * get_run (feedback:read)",
      "operator * get_run_history (feedback:read)",
      "operator * list_run_events (feedback:read)",
      "operator * cancel_run (feedback:write)",
      "operator * retry_run (feedback:write)",
      "person * list_approvals (approve)",
      "operator * receive_event (feedback:write)",
      "operator * ingest_mail (feedback:write)",
    ]);
  });

  it("include those of pipelines, each under its pipeline's name", async () => {
    const { engine, workflow } = await startService();
    const operation = direct("move", {
      description: "Move.",
      audience: "operator",
      input: z.strictObject({}),
      output: z.object({}),
      run: () => ({}),
    });
    const [here, there] = ["here", "there"].map((name) => ({ name, operations: [operation] }));
    const service = new Service({ engine, workflows: [workflow], pipelines: [here!, there!] });
    expect(
      service.operations.flatMap((one) => (one.pipeline ? [`${one.pipeline.name} ${one.operation.name}`] : [])),
    ).toEqual(["here move", "there move"]);
    expect(service.pipelines.get("there")).toBe(there);
    expect(() => service.operation("move")).toThrow("no operation");
    expect(() => new Service({ engine, workflows: [], pipelines: [here!, here!] })).toThrow("two pipelines");
  });

  it("require the same scope for a batch as for one submission", () => {
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    const { operations } = new Service({ engine, workflows: [new Guarded({ engine })] });
    const scopes = operations.flatMap(({ operation, workflow }) => (workflow ? [operation.scope] : []));
    expect(scopes).toEqual(["admin", "admin"]);
  });

  it("never become tools if they are for people or operators", () => {
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    expect(new Mixed({ engine }).as_tools().map(({ name }) => name)).toEqual(["begin", "for_agent"]);
  });

  it("can't have the same name twice", async () => {
    const { engine, service } = await startService();
    const twin = new Service({ engine, workflows: [] });
    const operations = [twin.operation("get_run")];
    expect(() => new Service({ engine, workflows: [], operations })).toThrow("two operations are named /get_run");
    const [workflow] = service.workflows.values();
    expect(() => new Service({ engine, workflows: [workflow!, workflow!] })).toThrow(
      "two workflows have the same name",
    );
  });

  it("list the runs of all workflows in pages, newest first, or those that match", async () => {
    const { workflow, refunds, call } = await startService();
    await refunds.run(refund("R-1"));
    await workflow.run(feedback({ feedback_id: "F-1", customer_id: "C-1" }));
    await refunds.run(refund("R-2"));
    const keys = ({ runs }: Record<string, unknown>) => (runs as { key: string }[]).map(({ key }) => key);
    const first = await call("list_runs", { limit: 2 });
    expect(keys(first)).toEqual(["R-2", "F-1"]);
    const second = await call("list_runs", { limit: 2, after: first["next"] });
    expect(keys(second)).toEqual(["R-1"]);
    expect(second).not.toHaveProperty("next");
    expect(keys(await call("list_runs", { workflow: "refund" }))).toEqual(["R-2", "R-1"]);
    for (const customer_id of ["C-1", " C-1\u200B"]) {
      expect(keys(await call("list_runs", { input: { customer_id } }))).toEqual(["F-1"]);
    }
    expect(keys(await call("list_runs", { workflow: "refund", input: { customer_id: "C-1" } }))).toEqual([]);
    expect(keys(await call("list_runs", { started_before: "2001-01-01T00:00:00Z" }))).toEqual([]);
    expect(keys(await call("list_runs", { order: "oldest", workflow: "refund" }))).toEqual(["R-1", "R-2"]);
    await workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-1" }));
    expect(keys(await call("list_approvals", {}))).toEqual(["F-1", "F-2"]);
    const one = await call("list_approvals", { limit: 1 });
    expect([keys(one), keys(await call("list_approvals", { after: one["next"] }))]).toEqual([["F-1"], ["F-2"]]);
    expect(keys(await call("list_approvals", { order: "newest" }))).toEqual(["F-2", "F-1"]);
  });

  it("list runs that only accompany others if they are asked for, or have not completed", async () => {
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    const [main, reminders] = [new Mixed({ engine }), new Reminders({ engine })];
    const service = new Service({ engine, workflows: [main, reminders] });
    engine.startWorker();
    await main.run({ id: "M-1" });
    await reminders.run({ id: "good" });
    await reminders.run({ id: "bad" });
    const keys = async (input: object) => {
      const operation = service.operation("list_runs");
      const { runs } = (await operation.run(operation.input.parse(input), {})) as { runs: { key: string }[] };
      return runs.map(({ key }) => key);
    };
    expect(await keys({})).toEqual(["bad", "M-1"]);
    expect(await keys({ status: "completed" })).toEqual(["M-1"]);
    expect(await keys({ status: "failed" })).toEqual(["bad"]);
    expect(await keys({ workflow: "reminders" })).toEqual(["bad", "good"]);
    expect(await keys({ key: "good" })).toEqual(["good"]);
  });

  it("show a run, its history and its events, and cancel it", async () => {
    const { workflow, call } = await startService();
    const { workflow_id } = await workflow.run(feedback());
    expect(await call("get_run", { workflow_id })).toMatchObject({
      workflow: "customer-feedback",
      key: "F-1",
      status: "waiting_for_approval",
      result: { success: true },
    });
    const { history } = await call("get_run_history", { workflow_id });
    expect((history as { step: string }[])[0]).toMatchObject({ step: "customer_data_retrieved", status: "completed" });
    const { events } = (await call("list_run_events", { workflow_id })) as { events: { id: number; type: string }[] };
    expect(events[0]).toMatchObject({ type: "accepted" });
    expect(events.at(-1)).toMatchObject({ type: "waiting_for_approval" });
    const rest = await call("list_run_events", { workflow_id, after: events[1]!.id });
    expect(rest).toEqual({ events: events.slice(2) });
    expect(await call("cancel_run", { workflow_id })).toMatchObject({ status: "cancelled", changed: true });
    expect(await call("cancel_run", { workflow_id })).toMatchObject({ status: "cancelled", changed: false });
    expect(await call("retry_run", { workflow_id })).toMatchObject({ changed: true });
    await expect(call("get_run", { workflow_id: "workflow-none" })).rejects.toMatchObject({ code: "unknown_run" });
  });

  it("decide on a run through its workflow's part of the approval queue", async () => {
    const { workflow, refunds, service, mails } = await startService();
    const { workflow_id } = await workflow.run(feedback());
    const shown = await service.approvalOperation(workflow_id!, "show");
    const { rendering } = (await shown.operation.run({ workflow_id }, {})) as { rendering: string };
    const { operation } = await service.approvalOperation(workflow_id!, "approve");
    expect(await operation.run({ workflow_id, rendering, by: "Ann" }, {})).toMatchObject({
      decision: "approve",
    });
    expect(await workflow.getWorkflowResult(workflow_id!)).toMatchObject({
      success: true,
      response_id: expect.any(String),
    });
    expect(mails.mails).toHaveLength(1);
    await expect(shown.operation.run({ workflow_id }, {})).rejects.toMatchObject({ code: "nothing_waits" });

    await refunds.run(refund("R-1"));
    const [run] = await refunds.listWorkflows();
    await expect(service.approvalOperation(run!.workflow_id, "approve")).rejects.toMatchObject({
      code: "no_approvals",
    });
  });

  it("pass an event to the workflow that knows its type, and answer when it is durable", async () => {
    const { workflow, call } = await startService();
    const { feedback_id: id, feedback_text: text, ...rest } = feedback();
    const answer = await call("receive_event", { type: "new_feedback", data: { ...rest, id, text } });
    expect(answer).toMatchObject({
      status: "processing",
      feedback_id: id,
      workflow_id: expect.stringMatching(/^workflow-/),
    });
    await workflow.getWorkflowResult(answer["workflow_id"] as string);
    const response = { feedback_id: id, response_text: "We have called her." };
    expect(await call("receive_event", { type: "feedback_response", data: response })).toEqual({
      status: "success",
      feedback_id: id,
      action: "response_recorded",
    });
    await expect(
      call("receive_event", { type: "feedback_response", data: { ...response, feedback_id: "F-404" } }),
    ).rejects.toMatchObject({ code: "feedback_not_found" });
    await expect(call("receive_event", { type: "new_moon", data: {} })).rejects.toMatchObject({
      code: "unknown_event_type",
      message: expect.stringContaining("new_feedback"),
    });
  });
});
