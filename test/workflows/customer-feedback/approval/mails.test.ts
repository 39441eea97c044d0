import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { ANALYZED, by, pendingOf, setCustomer, startWaiting } from "../../../support/approval.ts";
import { feedback, startFeedback, values } from "../../../support/feedback.ts";

describe("the workflow with approval", () => {
  it("asks for approval only if that is configured", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    expect(await workflow.run(feedback())).toHaveProperty("response_id");
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "ResponseDraft", "abi:id")).toEqual([]);
  });

  it("returns what is known so far while the email waits, on every interface, and blocks nothing", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback({ approval: true });
    const app = new Hono();
    workflow.as_api(app);
    const result = await workflow.run(feedback());
    const workflow_id = result.workflow_id!;
    const waiting = {
      feedback_id: "F-1",
      customer_id: "C-1",
      success: true,
      steps_completed: ANALYZED,
      action: "auto_respond",
      sentiment: "positive",
      sentiment_score: expect.any(Number),
      categories: ["product"],
      feedback_uri: "http://example.org/abi/Feedback/F-1",
      language: "en",
      status: "waiting_for_approval",
      workflow_id: expect.stringMatching(/^workflow-/),
    };
    expect(result).toEqual(waiting);
    expect(await workflow.run(feedback())).toEqual({ ...waiting, duplicate: true });
    expect(await workflow.getWorkflowStatus(workflow_id)).toMatchObject({
      status: "waiting_for_approval",
      result: waiting,
    });
    expect(await workflow.findWorkflow("F-1")).toEqual(await workflow.getWorkflowStatus(workflow_id));
    expect(await (await app.request("/workflows/customer-feedback/F-1")).json()).toEqual({
      feedback_id: "F-1",
      status: "waiting_for_approval",
      timestamp: expect.any(String),
      sentiment: "positive",
      categories: ["product"],
      response_sent: false,
      workflow_id,
    });
    const others = [{ feedback_id: "F-2" }, { feedback_id: "F-3", send_response: false }].map(feedback);
    const batch = await Array.fromAsync(workflow.runBatch(others));
    expect(batch).toMatchObject([{ status: "waiting_for_approval" }, { action: "no_action" }]);
    expect(await workflow.listWorkflows({ status: "waiting_for_approval" })).toHaveLength(2);
    expect(mails.mails).toEqual([]);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual([]);
  });

  it("sends exactly the email that was shown when a person approves it", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    expect(pending).toMatchObject({
      workflow_id: id,
      feedback_id: "F-1",
      customer_id: "C-1",
      sender: "care@shop.example",
      recipient: "ada@example.org",
      subject: "RE: Product Feedback",
      text: expect.stringContaining("Ada Lovelace"),
      rendering: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    // The template would now produce another email than the approved one.
    await setCustomer(ontologyStore, "abi:name", "Countess Lovelace");
    const decided = await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(decided).toEqual({
      workflow_id: id,
      feedback_id: "F-1",
      rendering: pending.rendering,
      decision: "approve",
      by,
      decided_at: expect.stringMatching(/Z$/),
    });
    const result = await workflow.getWorkflowResult(id);
    const [mail] = mails.mails;
    expect(result).toMatchObject({
      success: true,
      customer_id: "C-1",
      steps_completed: [...ANALYZED, "response_sent"],
      response_id: mail!.parsed.messageId,
    });
    expect(result).not.toHaveProperty("status");
    expect(mail!.envelope).toEqual({ from: "care@shop.example", to: [pending.recipient] });
    const { subject, html, text } = pending;
    expect(mail!.parsed).toMatchObject({ subject, html, text });
    expect(mail!.parsed.headers.get("auto-submitted")).toBe("auto-replied");
    expect(await workflow.getPendingResponse(id)).toBeUndefined();
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual(["true"]);
    expect(await workflow.run(feedback())).toMatchObject({ duplicate: true, response_id: result.response_id });
    expect(mails.mails).toHaveLength(1);
  });

  it("answers in the thread of the customer's email", async () => {
    const { workflow, mails } = await startFeedback({ approval: true });
    const event = { id: "F-1", customer_id: "C-1", subject: "Hi", text: "Great!", message_id: "<q@mail.example>" };
    const { workflow_id } = (await workflow.handleEvent("new_feedback", event)) as { workflow_id: string };
    const { rendering } = await pendingOf(workflow, workflow_id);
    await workflow.approveResponse(workflow_id, { rendering, by });
    await workflow.getWorkflowResult(workflow_id);
    expect(mails.mails[0]!.parsed).toMatchObject({ inReplyTo: "<q@mail.example>", references: "<q@mail.example>" });
  });

  it("asks before an escalation is acknowledged, when the ticket already exists", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting({ customer_id: "C-vip" });
    const [ticket_id] = await values(ontologyStore, "Ticket", "abi:id");
    expect(await workflow.getWorkflowResult(id)).toMatchObject({
      action: "escalate",
      ticket_id,
      steps_completed: [...ANALYZED, "ticket_created"],
    });
    expect(mails.mails).toEqual([]);
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({
      ticket_id,
      steps_completed: [...ANALYZED, "ticket_created", "acknowledgment_sent"],
      response_id: mails.mails[0]!.parsed.messageId,
    });
  });

  it("sends nothing if a person rejects the email, and says who did and why", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    await workflow.rejectResponse(id, { rendering: pending.rendering, by, reason: "We have called her." });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({
      success: true,
      action: "auto_respond",
      steps_completed: ANALYZED,
      response_withheld: "rejected by Ann Ford: We have called her.",
    });
    const { workflow_id, ...other } = await workflow.run(feedback({ feedback_id: "F-2" }));
    expect(other).toMatchObject({ status: "waiting_for_approval" });
    const { rendering } = await pendingOf(workflow, workflow_id!);
    await workflow.rejectResponse(workflow_id!, { rendering, by });
    expect(await workflow.getWorkflowResult(workflow_id!)).toMatchObject({ response_withheld: "rejected by Ann Ford" });
    expect(mails.mails).toEqual([]);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual([]);
  });

  it("frees one place under the customer's cap if a person rejects the email", async () => {
    const responseCap = { responses: 1, minutes: 60 };
    const { workflow, mails, id, pending } = await startWaiting({}, { responseCap });
    const full = await workflow.run(feedback({ feedback_id: "F-2" }));
    expect(full["response_withheld"]).toContain("one automatic email within 60 minutes");
    await workflow.rejectResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    const { workflow_id: next = "" } = await workflow.run(feedback({ feedback_id: "F-3" }));
    const { rendering } = await pendingOf(workflow, next);
    await workflow.approveResponse(next, { rendering, by });
    expect(await workflow.getWorkflowResult(next)).toHaveProperty("response_id");
    expect(await workflow.run(feedback({ feedback_id: "F-4" }))).toHaveProperty("response_withheld");
    expect(mails.mails).toHaveLength(1);
  });

  it("also frees the place if the customer objects before the email is sent", async () => {
    const responseCap = { responses: 1, minutes: 60 };
    const { workflow, id, pending, ontologyStore } = await startWaiting({}, { responseCap });
    await setCustomer(ontologyStore, "abi:doNotContact", true);
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_withheld");
    await setCustomer(ontologyStore, "abi:doNotContact", false);
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toMatchObject({ status: "waiting_for_approval" });
  });

  it("sends a person's own text unchanged, whatever it looks like", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    const text =
      'Dear Ada,\r\n\r\n<script>alert("1")</script> {{customer_name}} & 5 > 4\u0001\u202E\n.\nBcc: eve@evil.example\n';
    const decided = await workflow.editResponse(id, { rendering: pending.rendering, by, subject: "Sorry =?x?", text });
    expect(decided).toMatchObject({ decision: "edit", edited_rendering: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    const [mail] = mails.mails;
    expect(mail!.envelope.to).toEqual(["ada@example.org"]);
    expect(mail!.parsed.bcc).toBeUndefined();
    expect(mail!.parsed.subject).toBe("Sorry =?x?");
    expect(mail!.parsed.text!.trim()).toBe(
      'Dear Ada,\n\n<script>alert("1")</script> {{customer_name}} & 5 > 4\u202E\n.\nBcc: eve@evil.example',
    );
    expect(mail!.parsed.html).not.toMatch(/<script/);
    expect(mail!.parsed.html).toContain("Dear Ada,<br />\n<br />\n&lt;script&gt;");
    expect(mail!.parsed.html).toContain("{{customer_name}} &amp; 5 &gt; 4");
  });

  it("puts a person's subject on one line, without characters that no subject may contain", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    const subject = " Sorry\u2028about \tthat\u0007 =?utf-8?B?Zm9v?= ";
    const edit = { rendering: pending.rendering, by, subject, text: "Thank you, Ada." };
    await workflow.editResponse(id, edit);
    await workflow.getWorkflowResult(id);
    expect(mails.mails[0]!.parsed.subject).toBe("Sorry about that =?utf-8?B?Zm9v?=");
  });

  it("keeps the subject if a person changes only the text", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    await workflow.editResponse(id, { rendering: pending.rendering, by, text: "Thank you, Ada." });
    await workflow.getWorkflowResult(id);
    expect(mails.mails[0]!.parsed).toMatchObject({ subject: "RE: Product Feedback", text: "Thank you, Ada.\n" });
  });

  it("asks again if the customer's address has changed meanwhile, and sends nothing to the old one", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ status: "waiting_for_approval" });
    const again = await pendingOf(workflow, id);
    expect(again.recipient).toBe("new@example.org");
    expect(again.rendering).not.toBe(pending.rendering);
    const outdated = workflow.rejectResponse(id, { rendering: pending.rendering, by });
    await expect(outdated).rejects.toMatchObject({ type: "conflict" });
    expect(mails.mails).toEqual([]);
    await workflow.approveResponse(id, { rendering: again.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ steps_completed: [...ANALYZED, "response_sent"] });
    expect(mails.mails.map(({ envelope }) => envelope.to)).toEqual([["new@example.org"]]);
  });

  it("keeps a person's own text for the new address", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    await workflow.editResponse(id, { rendering: pending.rendering, by, text: "My own words." });
    await workflow.getWorkflowResult(id);
    const again = await pendingOf(workflow, id);
    expect(again).toMatchObject({ recipient: "new@example.org", text: "My own words.\n" });
    await workflow.approveResponse(id, { rendering: again.rendering, by });
    await workflow.getWorkflowResult(id);
    expect(mails.mails.map(({ envelope, parsed }) => [envelope.to, parsed.text])).toEqual([
      [["new@example.org"], "My own words.\n"],
    ]);
  });

  it("sends nothing to a customer who objects while the email waits", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    await setCustomer(ontologyStore, "abi:doNotContact", true);
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({
      success: true,
      response_withheld: "the customer does not want to be contacted",
      steps_completed: ANALYZED,
    });
    expect(mails.mails).toEqual([]);
  });

  it("does not ask for emails that must not go out anyway", async () => {
    const { workflow } = await startFeedback({ approval: true });
    const result = await workflow.run(feedback({ customer_id: "C-dnc" }));
    expect(result).toHaveProperty("response_withheld");
    expect(result).not.toHaveProperty("status");
  });
});
