import { Hono } from "hono";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CustomerFeedbackWorkflow } from "../../../../src/workflows/customer-feedback/customer-feedback-workflow.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../../../src/workflows/customer-feedback/policy.ts";
import { by, startWaiting } from "../../../support/approval.ts";
import { feedback, startFeedback, values } from "../../../support/feedback.ts";
import { temporaryFolder } from "../../../support/folder.ts";

describe("the approval setting", () => {
  const TOMORROW = new Date(Date.now() + 86_400_000);
  const event = { id: "F-1", customer_id: "C-1", subject: "Product Feedback", text: "The product is great!" };
  const interfaces: [string, (workflow: CustomerFeedbackWorkflow) => Promise<unknown>][] = [
    ["startWorkflow", (workflow) => workflow.startWorkflow(feedback(), { startAt: TOMORROW })],
    ["run", (workflow) => workflow.run(feedback())],
    ["a batch", (workflow) => Array.fromAsync(workflow.runBatch([feedback()]))],
    ["a tool", (workflow) => workflow.as_tools()[0]!.invoke(feedback())],
    ["an event", (workflow) => workflow.handleEvent("new_feedback", event)],
    [
      "HTTP",
      async (workflow) => {
        const app = new Hono();
        workflow.as_api(app);
        const body = JSON.stringify(feedback());
        const headers = { "content-type": "application/json" };
        await app.request("/workflows/customer-feedback", { method: "POST", headers, body });
      },
    ],
  ];

  /** The stored input of the run that `accept` started. */
  async function keptInput(accept: (workflow: CustomerFeedbackWorkflow) => Promise<unknown>, approval: boolean) {
    const { workflow, engine } = await startFeedback({ approval });
    await accept(workflow);
    return (await engine.find("customer-feedback", "F-1"))?.input;
  }

  it.each(interfaces)("is stored with feedback that is accepted by %s", async (_, accept) => {
    expect(await keptInput(accept, true)).toHaveProperty("approval", true);
    expect(await keptInput(accept, false)).not.toHaveProperty("approval");
  });

  it.each([
    ["on", "off", "waiting_for_approval"],
    ["off", "on", "waiting_for_approval"],
    ["off", "off", undefined],
  ])(
    "counts if it was on at acceptance or is on at execution (accepted with %s, executed with %s: %s)",
    async (accepted, executed, status) => {
      const runs = join(temporaryFolder(), "runs.sqlite");
      const first = await startFeedback({ approval: accepted === "on" }, { runs, worker: false });
      await first.workflow.startWorkflow(feedback());
      await first.engine.close();
      const { ontologyStore } = first;
      const second = await startFeedback({ approval: executed === "on", ontologyStore }, { runs });
      const result = await second.workflow.run(feedback());
      expect(result).toMatchObject({ success: true, duplicate: true });
      expect(result["status"]).toBe(status);
      expect([...first.mails.mails, ...second.mails.mails]).toHaveLength(status === undefined ? 1 : 0);
    },
  );

  it("can't be chosen by a caller", async () => {
    const { workflow } = await startFeedback({ approval: true });
    expect(await workflow.run(feedback({ approval: false }))).toMatchObject({ error_type: "validation_error" });
  });
});

describe("the action decided for a piece of feedback", () => {
  it("stays the same while the email waits, even if the policy changes at a restart", async () => {
    const runs = join(temporaryFolder(), "runs.sqlite");
    const first = await startWaiting({}, {}, { runs });
    await first.engine.close();
    const { ontologyStore, id, pending } = first;
    const escalationPolicy = { ...DEFAULT_ESCALATION_POLICY, segments: ["standard"] };
    const second = await startFeedback({ approval: true, ontologyStore, escalationPolicy }, { runs });
    second.workflow.register();
    second.engine.startWorker();
    await second.workflow.approveResponse(id, { rendering: pending.rendering, by });
    const result = await second.workflow.getWorkflowResult(id);
    expect(result).toMatchObject({ success: true, action: "auto_respond", response_id: expect.any(String) });
    expect(result).not.toHaveProperty("ticket_id");
    expect(await values(ontologyStore, "Feedback", "abi:action")).toEqual(["auto_respond"]);
    // The new policy applies to later feedback.
    expect(await second.workflow.run(feedback({ feedback_id: "F-2" }))).toMatchObject({ action: "escalate" });
  });
});
