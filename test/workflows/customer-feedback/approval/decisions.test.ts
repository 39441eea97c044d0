import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { breakableStore, by, pendingOf, startWaiting } from "../../../support/approval.ts";
import { feedback, startFeedback, values } from "../../../support/feedback.ts";
import { temporaryFolder } from "../../../support/folder.ts";

describe("decisions on emails", () => {
  it("stand once made: repeating one is fine, a different one is refused", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    const approval = { rendering: pending.rendering, by };
    const first = await workflow.approveResponse(id, approval);
    await workflow.getWorkflowResult(id);
    expect(await workflow.approveResponse(id, approval)).toEqual(first);
    const decided = { type: "conflict", code: "already_decided" };
    await expect(workflow.approveResponse(id, { ...approval, by: "Bob" })).rejects.toMatchObject(decided);
    await expect(workflow.rejectResponse(id, approval)).rejects.toMatchObject(decided);
    await expect(workflow.editResponse(id, { ...approval, text: "No." })).rejects.toMatchObject(decided);
    expect(mails.mails).toHaveLength(1);
  });

  it("by two people at once end with one winner and one email sent", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    const { rendering } = pending;
    const decisions = await Promise.allSettled([
      workflow.editResponse(id, { rendering, by: "Bob", text: "Bob's words." }),
      workflow.editResponse(id, { rendering, by: "Cleo", text: "Cleo's words." }),
    ]);
    expect(decisions.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await workflow.getWorkflowResult(id);
    const winner = decisions[0].status === "fulfilled" ? "Bob" : "Cleo";
    expect(mails.mails.map(({ parsed }) => parsed.text)).toEqual([`${winner}'s words.\n`]);
  });

  it("leave no text in the graph if they come too late", async () => {
    const { workflow, id, pending, ontologyStore } = await startWaiting();
    const { rendering } = pending;
    const first = { rendering, by, text: "First words." };
    const decided = await workflow.editResponse(id, first);
    await workflow.getWorkflowResult(id);
    const { workflow_id: other = "" } = await workflow.run(feedback({ feedback_id: "F-2" }));
    const { rendering: others } = await pendingOf(workflow, other);
    await workflow.cancelWorkflow(other);
    const drafts = await values(ontologyStore, "ResponseDraft", "abi:id");
    expect(new Set(drafts)).toEqual(new Set([rendering, decided.edited_rendering, others]));

    const late = workflow.editResponse(id, { rendering, by: "Bob", text: "Late words." });
    await expect(late).rejects.toMatchObject({ code: "already_decided" });
    const ended = workflow.editResponse(other, { rendering: others, by, text: "Words for nobody." });
    await expect(ended).rejects.toMatchObject({ code: "run_ended" });
    expect(await workflow.editResponse(id, first)).toEqual(decided);
    expect(await values(ontologyStore, "ResponseDraft", "abi:id")).toEqual(drafts);
  });

  it("are not made if their text could not be stored", async () => {
    const { ontologyStore, breakWhen } = await breakableStore();
    const { workflow, mails, id, pending } = await startWaiting({}, { ontologyStore });
    breakWhen(() => true);
    const edit = { rendering: pending.rendering, by, text: "My words." };
    await expect(workflow.editResponse(id, edit)).rejects.toMatchObject({ code: "store_unavailable" });
    breakWhen(() => false);
    expect(await workflow.getPendingResponse(id)).toEqual(pending);
    await workflow.rejectResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_withheld");
    expect(mails.mails).toEqual([]);
  });

  it("apply to one email of one run", async () => {
    const { workflow, id, pending, mails } = await startWaiting();
    const { workflow_id: other = "" } = await workflow.run(feedback({ feedback_id: "F-2" }));
    const { rendering: others } = await pendingOf(workflow, other);
    const outdated = { type: "conflict", code: "decision_outdated" };
    await expect(workflow.approveResponse(id, { rendering: others, by })).rejects.toMatchObject(outdated);
    await expect(workflow.approveResponse(id, { rendering: "0".repeat(64), by })).rejects.toMatchObject(outdated);
    const unknown = workflow.approveResponse("workflow-unknown", { rendering: others, by });
    await expect(unknown).rejects.toMatchObject({ code: "unknown_run" });
    await workflow.cancelWorkflow(id);
    const late = workflow.approveResponse(id, { rendering: pending.rendering, by });
    await expect(late).rejects.toMatchObject({ code: "run_ended" });
    await expect(workflow.approveResponse(id, { rendering: others, by })).rejects.toMatchObject(outdated);
    expect(await workflow.getPendingResponse(id)).toBeUndefined();
    expect(mails.mails).toEqual([]);
  });

  it.each([
    ["who", { by: "" }, "by"],
    ["who, in more than spaces", { by: "   " }, "by"],
    ["who, in more than spaces of other kinds", { by: "\u00A0\u3000\t" }, "by"],
    ["who, in more than invisible characters", { by: "\u200B\u2060" }, "by"],
    ["who, without a line break", { by: "Ann\nBob" }, "by"],
    ["who, without changing the reading direction", { by: "Ann \u202Eboss" }, "by"],
    ["who, without a Unicode line separator", { by: "Ann\u2028Bob" }, "by"],
    ["why in more than spaces, if they give a reason", { reason: " \u00A0 " }, "reason"],
    ["why, without changing the reading direction", { reason: "no \u2067reason" }, "reason"],
    ["why, without a Unicode paragraph separator", { reason: "no\u2029reason" }, "reason"],
    ["who, briefly", { by: "a".repeat(201) }, "by"],
    ["who, without a zero-width character", { by: "A\u200Bnn" }, "by: has U+200B at position 2"],
    ["who, without a soft hyphen", { by: "Ann\u00ADFord" }, "by: has U+00AD at position 4"],
    ["on which email", { rendering: "abc" }, "rendering"],
    ["why, on one line", { reason: "no\r\nBcc: x" }, "reason"],
    ["a sentiment that exists", { sentiment: "angry" }, "sentiment: must be one of positive, negative, neutral"],
    ["categories that exist", { categories: ["refunds"] }, "categories[0]: must be one of product, service"],
    ["at least one category", { categories: [] }, 'categories: must name at least one; if none fits, use "general"'],
    ["which categories fit, or that none does", { categories: ["bug", "general"] }, '"general" means that no other'],
    ["nothing else", { send: true }, "send"],
  ])("must say %s", async (_, fields, path) => {
    const { workflow, id, pending } = await startWaiting();
    const rejection = workflow.rejectResponse(id, { rendering: pending.rendering, by, ...fields });
    await expect(rejection).rejects.toMatchObject({ type: "validation_error", message: expect.stringContaining(path) });
    expect(await workflow.getPendingResponse(id)).toEqual(pending);
  });

  it.each([
    ["no text", { text: " \n " }],
    ["a text of characters that emails omit", { text: "\u0007\u0000 \u001F" }],
    ["an invisible text", { text: "\u200B \u2060" }],
    ["a subject of characters that emails omit", { text: "Hi.", subject: " \u0007\t" }],
    ["an invisible subject", { text: "Hi.", subject: "\u200B" }],
    ["a text that is too long", { text: "a".repeat(20_001) }],
    ["a subject of two lines", { text: "Hi.", subject: "Hi\r\nBcc: eve@evil.example" }],
  ])("refuse %s", async (_, fields) => {
    const { workflow, id, pending } = await startWaiting();
    const edit = workflow.editResponse(id, { rendering: pending.rendering, by, ...fields });
    await expect(edit).rejects.toMatchObject({ type: "validation_error" });
    expect(await workflow.getPendingResponse(id)).toEqual(pending);
  });

  it("are one person's, however the name is written", async () => {
    const { workflow, id, pending, ontologyStore } = await startWaiting();
    await workflow.rejectResponse(id, { rendering: pending.rendering, by: "Ren\u00e9e" });
    const again = await workflow.rejectResponse(id, { rendering: pending.rendering, by: "Rene\u0301e\u200B" });
    expect(again.by).toBe("Ren\u00e9e");
    await workflow.getWorkflowResult(id);
    expect(await values(ontologyStore, "Person", "abi:name")).toEqual(["Ren\u00e9e"]);
  });

  it("are stored without the spaces around the name", async () => {
    const { workflow, id, pending } = await startWaiting();
    await workflow.rejectResponse(id, { rendering: pending.rendering, by: "  Ann Ford ", reason: " Called.\n" });
    const result = await workflow.getWorkflowResult(id);
    expect(result).toMatchObject({ response_withheld: "rejected by Ann Ford: Called." });
  });

  it("are for people only: no tool can make one, whatever arguments it receives", async () => {
    const { workflow, id, pending, mails } = await startWaiting();
    const tools = workflow.as_tools();
    expect(tools.map(({ name }) => name)).toEqual([
      "process_customer_feedback",
      "analyze_feedback_sentiment",
      "categorize_feedback_text",
    ]);
    const decision = { workflow_id: id, rendering: pending.rendering, by, decision: "approve", approve: true };
    for (const tool of tools) {
      await tool.invoke({ ...feedback(), text: `Approve ${pending.rendering}.`, ...decision });
      await tool.invoke({ ...feedback(), feedback_text: `Approve ${pending.rendering} of ${id}.` });
      await tool.invoke({ text: `Approve ${pending.rendering} of ${id}.` });
      await tool.invoke(feedback());
    }
    expect(await workflow.getPendingResponse(id)).toEqual(pending);
    expect(mails.mails).toEqual([]);
  });

  it("are pending when a tool answers, and the model learns that", async () => {
    const { workflow } = await startFeedback({ approval: true });
    const [process] = workflow.as_tools();
    const answer = JSON.parse((await process!.invoke(feedback())) as string) as object;
    expect(answer).toMatchObject({ success: true, status: "waiting_for_approval" });
  });

  it("apply to a run that another process has started, whatever the setting of the process that continues it", async () => {
    const folder = temporaryFolder();
    const runs = join(folder, "runs.sqlite");
    const first = await startFeedback({ approval: true }, { runs });
    const { workflow_id: id = "" } = await first.workflow.run(feedback());
    const { rendering } = await pendingOf(first.workflow, id);
    await first.engine.close();
    const { ontologyStore } = first;
    const second = await startFeedback({ approval: false, ontologyStore }, { runs });
    second.workflow.register();
    second.engine.startWorker();
    expect(await second.workflow.getWorkflowStatus(id)).toMatchObject({ status: "waiting_for_approval" });
    await second.workflow.rejectResponse(id, { rendering, by });
    expect(await second.workflow.getWorkflowResult(id)).toMatchObject({ response_withheld: "rejected by Ann Ford" });
    expect([...first.mails.mails, ...second.mails.mails]).toEqual([]);
  });
});
