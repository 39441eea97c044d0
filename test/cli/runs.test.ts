import { RefundWorkflow } from "../../examples/refund-workflow.ts";
import { expect, it } from "vitest";
import { EngineRuns } from "../../cli/runs/engine-runs.ts";
import { referenceOf } from "../../src/workflows/customer-feedback/reference.ts";
import { WebhookChannel } from "../../src/integrations/notifications/webhook-channel.ts";
import { NotificationWorkflow } from "../../src/workflows/notifications/notification-workflow.ts";
import { feedback, startFeedback } from "../support/feedback.ts";
import { serve } from "../support/http.ts";

const LONG_ID = "auto-0123456789abcdef0123456789abcdef";

it("a run is found by workflow id, feedback id, and the reference that a customer quotes, however it is spelled", async () => {
  const { workflow, engine } = await startFeedback();
  const workflowId = await workflow.startWorkflow(feedback({ feedback_id: LONG_ID }));
  await workflow.getWorkflowResult(workflowId);
  const reference = referenceOf(LONG_ID);
  const spoken = reference.toLowerCase().replace("-", " ").replaceAll("0", "o");
  const runs = new EngineRuns(engine);
  for (const id of [workflowId, LONG_ID, reference, spoken]) {
    expect(await runs.find(id)).toMatchObject({ workflow_id: workflowId, feedback_id: LONG_ID, reference });
  }
  for (const id of ["F-404", "-", ""]) expect(await runs.find(id)).toBeUndefined();
});

it("if two runs have the same reference, each is found by its id, and any other spelling is ambiguous", async () => {
  const { workflow, engine } = await startFeedback();
  for (const feedback_id of ["F-10", "F-IO"]) await workflow.run(feedback({ feedback_id }));
  const runs = new EngineRuns(engine);
  expect(await runs.find("F-10")).toMatchObject({ key: "F-10" });
  const unclear = { code: "ambiguous_reference", message: expect.stringContaining("F-IO, F-10") };
  await expect(runs.find("f 1o")).rejects.toMatchObject(unclear);
});

it("runs of other workflows are also found and shown; an id that two workflows use is ambiguous", async () => {
  const { workflow, engine, ontologyStore } = await startFeedback();
  const refunds = new RefundWorkflow({ engine, ontologyStore, limit: 100 }).register();
  const { feedback_id } = await workflow.run(feedback());
  await refunds.run({ refund_id: "R-1", order_id: "O-1", amount: 9 });
  const runs = new EngineRuns(engine);
  expect(await runs.find("R-1")).toMatchObject({ workflow: "refund", key: "R-1", status: "completed" });
  await refunds.run({ refund_id: feedback_id, order_id: "O-1", amount: 9 });
  await expect(runs.find(feedback_id)).rejects.toMatchObject({ code: "ambiguous_reference" });
  const listed = await runs.list({ limit: 10 });
  expect(listed.map(({ workflow, key }) => `${workflow} ${key}`)).toEqual([
    `refund ${feedback_id}`,
    "refund R-1",
    `customer-feedback ${feedback_id}`,
  ]);
});

it("delivered notifications are listed on request", async () => {
  const { workflow, engine } = await startFeedback();
  const receiver = await serve({ status: 204 });
  const channels = [new WebhookChannel(receiver.origin)];
  const notifications = new NotificationWorkflow({ engine, channels, types: ["run.completed"] }).register();
  await workflow.run(feedback());
  await expect.poll(() => notifications.listWorkflows({ status: "completed" })).toHaveLength(1);
  const runs = new EngineRuns(engine);
  expect(await runs.list({ limit: 10 })).toMatchObject([{ workflow: "customer-feedback" }]);
  expect(await runs.list({ limit: 10, workflow: "notification" })).toMatchObject([{ status: "completed" }]);
});
