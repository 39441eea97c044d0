import { describe, expect, it } from "vitest";
import type { WorkflowStatus } from "../../../../src/workflow/result.ts";
import { by, setCustomer, setDrafts, startWaiting } from "../../../support/approval.ts";
import { feedback } from "../../../support/feedback.ts";

describe("an agreed mail that can't be handed over", () => {
  it("sends nothing to the old address where it changes while the agreed mail waits for its retry", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ success: false, error_type: "io_error" });
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    expect(await workflow.run(feedback())).toMatchObject({
      success: false,
      error_code: "address_changed",
      error_type: "conflict",
    });
    expect(mails.mails).toEqual([]);
    await setCustomer(ontologyStore, "abi:email", "ada@example.org");
    expect(await workflow.run(feedback())).toHaveProperty("response_id");
    expect(mails.mails.map(({ envelope }) => envelope.to)).toEqual([["ada@example.org"]]);
  });

  it("tries an agreed mail again while the server is away, shows that it does, and asks nobody again", async () => {
    const { workflow, engine, mails, id, pending } = await startWaiting();
    mails.script("rcpt", { code: 451 }, { code: 451 });
    const whileAway: WorkflowStatus[] = [];
    const looked: Promise<unknown>[] = [];
    engine.onStep(({ phase }) => {
      if (phase === "failed") looked.push(workflow.getWorkflowStatus(id).then((status) => whileAway.push(status)));
    });
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    await Promise.all(looked);
    expect(whileAway).toMatchObject([{ current_step: "response_sent" }, { current_step: "response_sent" }]);
    const sending = (await workflow.getWorkflowHistory(id)).filter(({ step }) => step === "response_sent");
    expect(sending).toMatchObject([
      { status: "failed", error_type: "io_error" },
      { status: "failed", error_type: "io_error" },
      { status: "completed" },
    ]);
    expect(mails.mails).toHaveLength(1);
  });

  it("sends nothing to a customer who objects while the agreed mail waits for its retry", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    await setCustomer(ontologyStore, "abi:doNotContact", true);
    expect(await workflow.run(feedback())).toMatchObject({
      success: true,
      response_withheld: "the customer does not want to be contacted",
    });
    expect(mails.mails).toEqual([]);
  });

  it("sends nothing that has been changed in the graph since it was agreed to", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    await setDrafts(ontologyStore, "abi:text", "Buy now!");
    expect(await workflow.run(feedback())).toMatchObject({ success: false, error_code: "draft_changed" });
    expect(mails.mails).toEqual([]);
  });
});
