import { Hono } from "hono";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { IoError } from "../../../src/errors.ts";
import type { OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../../src/ontology/queries.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import type { WorkflowStatus } from "../../../src/workflow/result.ts";
import type { PendingResponse } from "../../../src/workflows/customer-feedback/approval.ts";
import type { CustomerFeedbackWorkflow } from "../../../src/workflows/customer-feedback/customer-feedback-workflow.ts";
import { feedback, startFeedback, values, type Feedback } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { shaclViolations } from "../../support/shacl.ts";

const ANALYZED = ["customer_data_retrieved", "sentiment_analyzed", "feedback_categorized", "feedback_stored"];
const by = "Ann Ford";

/** One piece of feedback whose mail waits. */
async function startWaiting(
  fields: Record<string, unknown> = {},
  configuration: Parameters<typeof startFeedback>[0] = {},
): Promise<Feedback & { id: string; pending: PendingResponse }> {
  const parts = await startFeedback({ approval: true, ...configuration });
  const { workflow_id: id = "" } = await parts.workflow.run(feedback(fields));
  return { ...parts, id, pending: await pendingOf(parts.workflow, id) };
}

async function pendingOf(workflow: CustomerFeedbackWorkflow, id: string): Promise<PendingResponse> {
  const pending = await workflow.getPendingResponse(id);
  if (!pending) throw new Error("nothing waits");
  return pending;
}

const setCustomer = (store: OntologyStore, property: string, value: string | boolean): Promise<void> =>
  store.update(
    "customer_data",
    `${PREFIXES} DELETE { ?customer ${property} ?old } INSERT { ?customer ${property} ?value }
     WHERE { ?customer abi:id "C-1" . OPTIONAL { ?customer ${property} ?old } }`,
    { value },
  );

const DRAFT = "?draft a abi:ResponseDraft";

/** Puts another value into the drafts that wait, or none. */
const setDrafts = (store: OntologyStore, property: string, value?: string): Promise<void> =>
  store.update(
    "feedback_data",
    `${PREFIXES} DELETE { ?draft ${property} ?old } ${value === undefined ? "" : `INSERT { ?draft ${property} ?value }`}
     WHERE { ${DRAFT} ; ${property} ?old }`,
    value === undefined ? {} : { value },
  );

const deleteDrafts = (store: OntologyStore): Promise<void> =>
  store.update("feedback_data", `${PREFIXES} DELETE { ?draft ?property ?value } WHERE { ${DRAFT} ; ?property ?value }`);

describe("approval of mails", () => {
  it("is off unless it is asked for", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    expect(await workflow.run(feedback())).toHaveProperty("response_id");
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "ResponseDraft", "abi:id")).toEqual([]);
  });

  it("answers with what is known while the mail waits, everywhere, and holds nothing up", async () => {
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
    });
    const others = [{ feedback_id: "F-2" }, { feedback_id: "F-3", send_response: false }].map(feedback);
    const batch = await Array.fromAsync(workflow.runBatch(others));
    expect(batch).toMatchObject([{ status: "waiting_for_approval" }, { action: "no_action" }]);
    expect(await workflow.listWorkflows({ status: "waiting_for_approval" })).toHaveLength(2);
    expect(mails.mails).toEqual([]);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual([]);
  });

  it("sends exactly the mail that was shown, when a person agrees", async () => {
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
    // What the template would say now is not what was agreed to.
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

  it("answers in the thread of the customer's mail", async () => {
    const { workflow, mails } = await startFeedback({ approval: true });
    const event = { id: "F-1", customer_id: "C-1", subject: "Hi", text: "Great!", message_id: "<q@mail.example>" };
    const { workflow_id } = (await workflow.handleEvent("new_feedback", event)) as { workflow_id: string };
    const { rendering } = await pendingOf(workflow, workflow_id);
    await workflow.approveResponse(workflow_id, { rendering, by });
    await workflow.getWorkflowResult(workflow_id);
    expect(mails.mails[0]!.parsed).toMatchObject({ inReplyTo: "<q@mail.example>", references: "<q@mail.example>" });
  });

  it("asks before an escalation is acknowledged, with the ticket made already", async () => {
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

  it("sends nothing where a person says no, and says who and why", async () => {
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

  it("gives the place under the customer's cap back where a person says no, and no other", async () => {
    const responseCap = { responses: 1, minutes: 60 };
    const { workflow, mails, id, pending } = await startWaiting({}, { responseCap });
    const full = await workflow.run(feedback({ feedback_id: "F-2" }));
    expect(full["response_withheld"]).toContain("1 automatic mails within 60 minutes");
    await workflow.rejectResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    const { workflow_id: next = "" } = await workflow.run(feedback({ feedback_id: "F-3" }));
    const { rendering } = await pendingOf(workflow, next);
    await workflow.approveResponse(next, { rendering, by });
    expect(await workflow.getWorkflowResult(next)).toHaveProperty("response_id");
    expect(await workflow.run(feedback({ feedback_id: "F-4" }))).toHaveProperty("response_withheld");
    expect(mails.mails).toHaveLength(1);
  });

  it("sends a person's own words as they stand, whatever they look like", async () => {
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

  it("puts a person's subject on one line, without what no subject may hold", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    const subject = " Sorry\u2028about \tthat\u0007 =?utf-8?B?Zm9v?= ";
    const edit = { rendering: pending.rendering, by, subject, text: "Thank you, Ada." };
    await workflow.editResponse(id, edit);
    await workflow.getWorkflowResult(id);
    expect(mails.mails[0]!.parsed.subject).toBe("Sorry about that =?utf-8?B?Zm9v?=");
  });

  it("keeps the subject where a person changes the text alone", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    await workflow.editResponse(id, { rendering: pending.rendering, by, text: "Thank you, Ada." });
    await workflow.getWorkflowResult(id);
    expect(mails.mails[0]!.parsed).toMatchObject({ subject: "RE: Product Feedback", text: "Thank you, Ada.\n" });
  });

  it("asks again where the customer's address has changed meanwhile, and sends nothing to the old one", async () => {
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

  it("keeps a person's own words for the new address", async () => {
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

  it("sends nothing to a customer who objects while the mail waits", async () => {
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

  it("does not ask for mails that must not go out anyway", async () => {
    const { workflow } = await startFeedback({ approval: true });
    const result = await workflow.run(feedback({ customer_id: "C-dnc" }));
    expect(result).toHaveProperty("response_withheld");
    expect(result).not.toHaveProperty("status");
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

  it.each([
    ["sender", "eve@evil.example"],
    ["recipient", "eve@evil.example"],
    ["subject", "Buy now!"],
    ["text", "Buy now!"],
    ["html", "<p>Buy now!</p>"],
    ["messageId", "<other@shop.example>"],
    ["inReplyTo", "<other@mail.example>"],
  ])(
    "neither shows nor sends a mail whose %s alone was changed in the graph, and lets it be rejected",
    async (field, value) => {
      const { workflow, mails, ontologyStore } = await startFeedback({ approval: true });
      const event = { id: "F-1", customer_id: "C-1", subject: "Hi", text: "Great!", message_id: "<q@mail.example>" };
      const { workflow_id: id } = (await workflow.handleEvent("new_feedback", event)) as { workflow_id: string };
      const { rendering } = await pendingOf(workflow, id);
      await setDrafts(ontologyStore, `abi:${field}`, value);
      const changed = { type: "conflict", code: "draft_changed", message: expect.stringContaining(rendering) };
      await expect(workflow.getPendingResponse(id)).rejects.toMatchObject(changed);
      await expect(workflow.approveResponse(id, { rendering, by })).rejects.toMatchObject(changed);
      await expect(workflow.editResponse(id, { rendering, by, text: "Mine." })).rejects.toMatchObject(changed);
      await workflow.rejectResponse(id, { rendering, by });
      const result = await workflow.getWorkflowResult(id);
      expect(result).toMatchObject({ success: true, response_withheld: "rejected by Ann Ford" });
      expect(mails.mails).toEqual([]);
    },
  );

  it.each<[string, (store: OntologyStore) => Promise<void>]>([
    ["lost one of its parts", (store) => setDrafts(store, "abi:text")],
    ["was deleted", deleteDrafts],
  ])("says so where the mail that waits %s in the graph, and lets it be rejected", async (_, spoil) => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    const { rendering } = pending;
    await spoil(ontologyStore);
    const changed = { type: "conflict", code: "draft_changed", message: expect.stringContaining(rendering) };
    await expect(workflow.getPendingResponse(id)).rejects.toMatchObject(changed);
    await expect(workflow.approveResponse(id, { rendering, by })).rejects.toMatchObject(changed);
    const other = workflow.rejectResponse(id, { rendering: "0".repeat(64), by });
    await expect(other).rejects.toMatchObject({ code: "decision_outdated" });
    const rejected = await workflow.rejectResponse(id, { rendering, by });
    const result = await workflow.getWorkflowResult(id);
    expect(result).toMatchObject({ success: true, response_withheld: "rejected by Ann Ford" });
    expect(await workflow.rejectResponse(id, { rendering, by })).toEqual(rejected);
    expect(await workflow.getPendingResponse(id)).toBeUndefined();
    expect(mails.mails).toEqual([]);
  });
});

describe("decisions on mails", () => {
  it("stand once made: the same again is fine, another is refused", async () => {
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

  it("of two people at once: one wins, and one mail goes out", async () => {
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

  it("leave no words in the graph that come too late", async () => {
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

  it("are not made where their words could not be kept", async () => {
    const full = new IoError("The disk is full.", { code: "store_unavailable" });
    const store = await OxigraphOntologyStore.open({ path: ":memory:" });
    let broken = false;
    const insert: OntologyStore["insert"] = async (...args) => {
      if (broken) throw full;
      return store.insert(...args);
    };
    const ontologyStore = new Proxy<OntologyStore>(store, {
      get: (target, name) => {
        if (name === "insert") return insert;
        const member = Reflect.get(target, name) as unknown;
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
    const { workflow, mails, id, pending } = await startWaiting({}, { ontologyStore });
    broken = true;
    const edit = { rendering: pending.rendering, by, text: "My words." };
    await expect(workflow.editResponse(id, edit)).rejects.toBe(full);
    broken = false;
    expect(await workflow.getPendingResponse(id)).toEqual(pending);
    await workflow.rejectResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_withheld");
    expect(mails.mails).toEqual([]);
  });

  it("are about one mail of one run", async () => {
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
    ["who, in more than blanks", { by: "   " }, "by"],
    ["who, in more than blanks of other kinds", { by: "\u00A0\u3000\t" }, "by"],
    ["who, in more than what nobody sees", { by: "\u200B\u2060" }, "by"],
    ["who, in words that can't be shown", { by: "Ann\nBob" }, "by"],
    ["who, in the order in which it is read", { by: "Ann \u202Eboss" }, "by"],
    ["who, on one line for every reader", { by: "Ann\u2028Bob" }, "by"],
    ["why, where they say it at all", { reason: " \u00A0 " }, "reason"],
    ["why, in the order in which it is read", { reason: "no \u2067reason" }, "reason"],
    ["why, on one line for every reader", { reason: "no\u2029reason" }, "reason"],
    ["who, briefly", { by: "a".repeat(201) }, "by"],
    ["on which mail", { rendering: "abc" }, "rendering"],
    ["why, on one line", { reason: "no\r\nBcc: x" }, "reason"],
    ["nothing else", { send: true }, "send"],
  ])("say %s", async (_, fields, path) => {
    const { workflow, id, pending } = await startWaiting();
    const rejection = workflow.rejectResponse(id, { rendering: pending.rendering, by, ...fields });
    await expect(rejection).rejects.toMatchObject({ type: "validation_error", message: expect.stringContaining(path) });
    expect(await workflow.getPendingResponse(id)).toEqual(pending);
  });

  it.each([
    ["no text", { text: " \n " }],
    ["a text of which a mail keeps nothing", { text: "\u0007\u0000 \u001F" }],
    ["a text that nobody sees", { text: "\u200B \u2060" }],
    ["a subject of which a mail keeps nothing", { text: "Hi.", subject: " \u0007\t" }],
    ["a subject that nobody sees", { text: "Hi.", subject: "\u200B" }],
    ["a text that is too long", { text: "a".repeat(20_001) }],
    ["a subject of two lines", { text: "Hi.", subject: "Hi\r\nBcc: eve@evil.example" }],
  ])("refuse %s", async (_, fields) => {
    const { workflow, id, pending } = await startWaiting();
    const edit = workflow.editResponse(id, { rendering: pending.rendering, by, ...fields });
    await expect(edit).rejects.toMatchObject({ type: "validation_error" });
    expect(await workflow.getPendingResponse(id)).toEqual(pending);
  });

  it("are kept without the blanks around the name", async () => {
    const { workflow, id, pending } = await startWaiting();
    await workflow.rejectResponse(id, { rendering: pending.rendering, by: "  Ann Ford ", reason: " Called.\n" });
    const result = await workflow.getWorkflowResult(id);
    expect(result).toMatchObject({ response_withheld: "rejected by Ann Ford: Called." });
  });

  it("are for people alone: no tool can make one, whatever it is told", async () => {
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

  it("tell a model that the mail waits", async () => {
    const { workflow } = await startFeedback({ approval: true });
    const [process] = workflow.as_tools();
    const answer = JSON.parse((await process!.invoke(feedback())) as string) as object;
    expect(answer).toMatchObject({ success: true, status: "waiting_for_approval" });
  });

  it("hold for a run that another process has begun, whatever that one's setting", async () => {
    const folder = temporaryFolder();
    const runs = join(folder, "runs.sqlite");
    const first = await startFeedback({ approval: true }, { runs });
    const { workflow_id: id = "" } = await first.workflow.run(feedback());
    const { rendering } = await pendingOf(first.workflow, id);
    await first.engine.close();
    const { ontologyStore } = first;
    const second = await startFeedback({ approval: false, ontologyStore }, { runs });
    second.workflow.register();
    second.engine.resume();
    expect(await second.workflow.getWorkflowStatus(id)).toMatchObject({ status: "waiting_for_approval" });
    await second.workflow.rejectResponse(id, { rendering, by });
    expect(await second.workflow.getWorkflowResult(id)).toMatchObject({ response_withheld: "rejected by Ann Ford" });
    expect([...first.mails.mails, ...second.mails.mails]).toEqual([]);
  });
});

describe("whether approval is needed", () => {
  const TOMORROW = new Date(Date.now() + 86_400_000);
  const event = { id: "F-1", customer_id: "C-1", subject: "Product Feedback", text: "The product is great!" };
  const faces: [string, (workflow: CustomerFeedbackWorkflow) => Promise<unknown>][] = [
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
        await app.request("/workflows/customer-feedback", { method: "POST", body });
      },
    ],
  ];

  /** The input with which a run is kept that this has accepted. */
  async function keptInput(accept: (workflow: CustomerFeedbackWorkflow) => Promise<unknown>, approval: boolean) {
    const { workflow, engine } = await startFeedback({ approval });
    await accept(workflow);
    return (await engine.find("customer-feedback", "F-1"))?.input;
  }

  it.each(faces)("is kept with what is accepted by %s", async (_, accept) => {
    expect(await keptInput(accept, true)).toHaveProperty("approval", true);
    expect(await keptInput(accept, false)).not.toHaveProperty("approval");
  });

  it.each([
    ["on", "off", "waiting_for_approval"],
    ["off", "on", "waiting_for_approval"],
    ["off", "off", undefined],
  ])("accepted with %s, executed with %s: %s", async (accepted, executed, status) => {
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
  });

  it("is for no caller to say", async () => {
    const { workflow } = await startFeedback({ approval: true });
    expect(await workflow.run(feedback({ approval: false }))).toMatchObject({ error_type: "validation_error" });
  });
});

describe("what approval leaves behind", () => {
  it("conforms to the shapes that ship, and says who decided what, and when", async () => {
    const { workflow, id, pending, ontologyStore } = await startWaiting();
    const edit = { rendering: pending.rendering, by, text: "My words." };
    const { edited_rendering, decided_at } = await workflow.editResponse(id, edit);
    await workflow.getWorkflowResult(id);
    const { workflow_id: other = "" } = await workflow.run(feedback({ feedback_id: "F-2" }));
    const { rendering } = await pendingOf(workflow, other);
    await workflow.rejectResponse(other, { rendering, by: "Bob", reason: "No need." });
    await workflow.getWorkflowResult(other);
    const graph = await ontologyStore.getGraph("feedback_data");
    expect(await shaclViolations(graph)).toEqual([]);
    const broken = graph.filter(({ predicate }) => !/#(?:recipient|wasAssociatedWith)$/.test(predicate.value));
    expect(await shaclViolations(broken)).toEqual(expect.arrayContaining(["recipient", "wasAssociatedWith"]));
    const rows = await select(
      ontologyStore,
      "feedback_data",
      `${PREFIXES} SELECT ?feedback ?decision ?name ?reason ?time ?edited WHERE {
         ?f abi:hasDraft ?draft ; abi:id ?feedback .
         ?d prov:used ?draft ; abi:decision ?decision ; prov:wasAssociatedWith/abi:name ?name ; prov:endedAtTime ?time .
         OPTIONAL { ?d abi:reason ?reason }
         OPTIONAL { ?e prov:wasGeneratedBy ?d ; prov:wasRevisionOf ?draft ; abi:id ?edited }
       } ORDER BY ?feedback`,
    );
    const told = rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, term]) => [name, term.value])));
    expect(told).toEqual([
      { feedback: "F-1", decision: "edit", name: by, time: expect.any(String), edited: edited_rendering },
      { feedback: "F-2", decision: "reject", name: "Bob", time: expect.any(String), reason: "No need." },
    ]);
    expect(new Date(told[0]!["time"]!).toISOString()).toBe(decided_at);
  });

  it("calls no mail a revision of itself, where a person writes what is there already", async () => {
    const { workflow, id, pending, ontologyStore, mails } = await startWaiting();
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    await workflow.editResponse(id, { rendering: pending.rendering, by, text: "Mine." });
    await workflow.getWorkflowResult(id);
    const { rendering } = await pendingOf(workflow, id);
    const again = await workflow.editResponse(id, { rendering, by, text: "Mine." });
    expect(again.edited_rendering).toBe(rendering);
    await workflow.getWorkflowResult(id);
    expect(mails.mails.map(({ envelope, parsed }) => [envelope.to, parsed.text])).toEqual([
      [["new@example.org"], "Mine.\n"],
    ]);
    const rows = await select(
      ontologyStore,
      "feedback_data",
      `${PREFIXES} SELECT ?draft WHERE { ?draft prov:wasRevisionOf|prov:wasGeneratedBy/prov:used ?draft }`,
    );
    expect(rows).toEqual([]);
    expect(await shaclViolations(await ontologyStore.getGraph("feedback_data"))).toEqual([]);
  });

  it("puts no customer's name or address, and no mail, into the engine's state", async () => {
    const runs = join(temporaryFolder(), "runs.sqlite");
    const { workflow, engine } = await startFeedback({ approval: true }, { runs });
    const ids: string[] = [];
    for (const [n, customer_id] of ["C-1", "C-vip"].entries()) {
      const { workflow_id: id = "" } = await workflow.run(feedback({ feedback_id: `F-${n}`, customer_id }));
      const { rendering } = await pendingOf(workflow, id);
      if (n === 0) await workflow.editResponse(id, { rendering, by, text: "Dear Ada Lovelace, this is between us." });
      if (n === 0) await workflow.getWorkflowResult(id);
      ids.push(id);
    }
    expect(await workflow.getWorkflowStatus(ids[1]!)).toMatchObject({ status: "waiting_for_approval" });
    await engine.close();
    const kept = ["", "-wal"].map((suffix) => {
      try {
        return readFileSync(runs + suffix, "latin1");
      } catch {
        return "";
      }
    });
    expect(kept.join()).toContain("Ann Ford");
    expect(kept.join()).not.toMatch(/ada@|grace@|Lovelace|Hopper|between us|Thank you for/i);
  });
});
