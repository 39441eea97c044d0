import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createMailTransport } from "../../../../src/integrations/email/create-mail-transport.ts";
import { EmailIntegration } from "../../../../src/integrations/email/email-integration.ts";
import type { WorkflowStatus } from "../../../../src/framework/result.ts";
import {
  ANALYZED,
  breakableStore,
  by,
  pendingOf,
  setCustomer,
  setDrafts,
  startWaiting,
} from "../../../support/approval.ts";
import { feedback, startFeedback } from "../../../support/feedback.ts";
import { temporaryFolder } from "../../../support/folder.ts";
import { shaclViolations } from "../../../support/shacl.ts";

describe("an approved email that can't be handed over", () => {
  it("is not sent to the old address if that changes between two attempts, and waits again for the new one", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    const changed = mails.reached("rcpt").then(() => setCustomer(ontologyStore, "abi:email", "new@example.org"));
    mails.script("rcpt", { code: 451, after: changed });
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({
      success: false,
      error_code: "address_changed",
      error_type: "conflict",
      error: expect.stringMatching(/the email may have gone out\. Retry the run, or submit the feedback again/),
    });
    expect(await workflow.retryWorkflow(id)).toBe(true);
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ status: "waiting_for_approval" });
    const again = await pendingOf(workflow, id);
    expect(again).toMatchObject({ recipient: "new@example.org", text: pending.text });
    expect(again).not.toHaveProperty("refusal");
    await workflow.approveResponse(id, { rendering: again.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    expect(mails.mails.map(({ envelope }) => envelope.to)).toEqual([["new@example.org"]]);
  });

  it("waits again if the address changes before the run is retried, and goes out on one approval if it changes back", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting({}, { mailRetryForMs: 0 });
    mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ success: false, error_type: "io_error" });
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    expect(await workflow.run(feedback())).toMatchObject({ status: "waiting_for_approval" });
    const again = await pendingOf(workflow, id);
    expect(again).toMatchObject({ recipient: "new@example.org" });
    await workflow.cancelWorkflow(id);
    await setCustomer(ontologyStore, "abi:email", "ada@example.org");
    expect(await workflow.run(feedback())).toMatchObject({ status: "waiting_for_approval" });
    expect(await pendingOf(workflow, id)).toEqual(again);
    expect(mails.mails).toEqual([]);
    await workflow.approveResponse(id, { rendering: again.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    expect(mails.mails.map(({ envelope }) => envelope.to)).toEqual([["ada@example.org"]]);
  });

  it.each(["away", "refusing"])(
    "keeps a person's own text if the address changes back to one approved earlier (server %s)",
    async (server) => {
      const { workflow, mails, id, pending, ontologyStore } = await startWaiting({}, { mailRetryForMs: 0 });
      await setCustomer(ontologyStore, "abi:email", "new@example.org");
      await workflow.approveResponse(id, { rendering: pending.rendering, by });
      await workflow.getWorkflowResult(id);
      const { rendering } = await pendingOf(workflow, id);
      if (server === "away") mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
      else mails.script("data", { code: 554 });
      await workflow.editResponse(id, { rendering, by, text: "My own words." });
      expect(await workflow.getWorkflowResult(id)).toMatchObject({ success: false });
      await setCustomer(ontologyStore, "abi:email", "ada@example.org");
      expect(await workflow.run(feedback())).toMatchObject({ status: "waiting_for_approval" });
      const again = await pendingOf(workflow, id);
      expect(again).toMatchObject({ recipient: "ada@example.org", text: "My own words.\n" });
      expect(mails.mails).toEqual([]);
      await workflow.approveResponse(id, { rendering: again.rendering, by });
      expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
      expect(mails.mails.map(({ envelope, parsed }) => [envelope.to, parsed.text])).toEqual([
        [["ada@example.org"], "My own words.\n"],
      ]);
    },
  );

  it("waits with a person's own text if its run is cancelled and the address changes back to one approved earlier", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    const { rendering } = await pendingOf(workflow, id);
    mails.script("data", { code: 554 });
    await workflow.editResponse(id, { rendering, by, text: "My own words." });
    await workflow.getWorkflowResult(id);
    await workflow.retryWorkflow(id);
    await workflow.getWorkflowResult(id);
    const refused = await pendingOf(workflow, id);
    await workflow.cancelWorkflow(id);
    await setCustomer(ontologyStore, "abi:email", "ada@example.org");
    await workflow.retryWorkflow(id);
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ status: "waiting_for_approval" });
    expect(await pendingOf(workflow, id)).toEqual(refused);
    expect(mails.mails).toEqual([]);
  });

  it("is not asked about again if a version with other steps has sent it", async () => {
    const { ontologyStore, breakWhen } = await breakableStore();
    const runs = join(temporaryFolder(), "runs.sqlite");
    const retry = { attempts: 1000, initialDelayMs: 20, maximumDelayMs: 20 };
    const earlier = await startFeedback({ approval: true, ontologyStore }, { runs, retry });
    const { workflow_id: id = "" } = await earlier.workflow.run(feedback());
    const sent = Promise.withResolvers<void>();
    breakWhen((quads) => {
      const isNote = quads.some(({ predicate }) => predicate.value.endsWith("responseSent"));
      if (isNote) sent.resolve();
      return isNote;
    });
    const { rendering } = await pendingOf(earlier.workflow, id);
    await earlier.workflow.approveResponse(id, { rendering, by });
    await sent.promise;
    await earlier.engine.close();
    const database = new DatabaseSync(runs);
    const renamed = database.prepare("UPDATE events SET name = ? WHERE name = ?");
    expect(renamed.run("recipient_checked", "draft_checked").changes).toBe(2);
    database.close();
    breakWhen(() => false);
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    const { workflow } = await startFeedback({ approval: true, ontologyStore }, { runs, mailUrl: earlier.mails.url() });
    expect(await workflow.run(feedback())).toMatchObject({ success: true, response_id: expect.any(String) });
    expect(earlier.mails.mails.map(({ envelope }) => envelope.to)).toEqual([["ada@example.org"]]);
  });

  it.each([true, false])(
    "is sent again under its first Message-ID, even if the sender's domain has changed (approval %s)",
    async (approval) => {
      const { ontologyStore } = await breakableStore();
      const runs = join(temporaryFolder(), "runs.sqlite");
      const earlier = await startFeedback({ approval, ontologyStore }, { runs });
      const { mails } = earlier;
      mails.script("accepted", { drop: true }, { code: 554 });
      const { workflow_id } = await earlier.workflow.run(feedback());
      const id = workflow_id ?? (await earlier.engine.list({}))[0]!.id;
      if (approval) {
        const { rendering } = await pendingOf(earlier.workflow, id);
        await earlier.workflow.approveResponse(id, { rendering, by });
      }
      expect(await earlier.workflow.getWorkflowResult(id)).toMatchObject({
        error_code: "mail_rejected",
        error: expect.stringMatching(approval ? /the email may have gone out/ : /refused this email permanently/),
      });
      await earlier.engine.close();
      const transport = createMailTransport(mails.url());
      const emailIntegration = new EmailIntegration({ transport, from: "care@other.example" });
      const { workflow } = await startFeedback({ approval, ontologyStore, emailIntegration }, { runs });
      await workflow.run(feedback());
      if (approval) {
        const { rendering } = await pendingOf(workflow, id);
        await workflow.approveResponse(id, { rendering, by });
      }
      expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id", mails.mails[0]?.parsed.messageId);
      await emailIntegration.close();
      const sent = mails.mails.map(({ parsed }) => [parsed.messageId, parsed.from?.text]);
      const messageId = expect.stringContaining("@shop.example>");
      expect(sent).toEqual([
        [messageId, "care@shop.example"],
        [messageId, "care@shop.example"],
        [messageId, "care@other.example"],
      ]);
    },
  );

  it("is not asked about again once it has been sent, even if the address changes", async () => {
    const { ontologyStore, breakWhen } = await breakableStore();
    const { workflow, mails, id, pending } = await startWaiting({}, { ontologyStore });
    breakWhen((quads) => quads.some(({ predicate }) => predicate.value.endsWith("responseSent")));
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ success: false, error_code: "store_unavailable" });
    breakWhen(() => false);
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    expect(await workflow.run(feedback())).toMatchObject({ success: true, response_id: expect.any(String) });
    expect(mails.mails.map(({ envelope }) => envelope.to)).toEqual([["ada@example.org"]]);
  });

  it("is retried while the server is down, shows that in the status, and is not asked about again", async () => {
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

  it("is not sent to a customer who objects while it waits for its retry", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    mails.greylists = true;
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    await setCustomer(ontologyStore, "abi:doNotContact", true);
    mails.greylists = false;
    expect(await workflow.run(feedback())).toMatchObject({
      success: true,
      response_withheld: "the customer does not want to be contacted",
    });
    expect(mails.mails).toEqual([]);
  });

  it("is not sent if it has been changed in the graph since it was approved", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startWaiting();
    mails.greylists = true;
    await workflow.approveResponse(id, { rendering: pending.rendering, by });
    await workflow.getWorkflowResult(id);
    await setDrafts(ontologyStore, "abi:text", "Buy now!");
    mails.greylists = false;
    expect(await workflow.run(feedback())).toMatchObject({ success: false, error_code: "draft_changed" });
    expect(mails.mails).toEqual([]);
  });
});

describe("an approved email that the mail server refuses permanently", () => {
  const SPAM = { code: 554, text: "5.7.1 <ada@example.org> looks like \u001B[2J spam" };

  /** An email that was approved and refused; its run has failed. */
  async function startRefused(configuration: Parameters<typeof startWaiting>[1] = {}) {
    const parts = await startWaiting({}, configuration);
    parts.mails.script("data", SPAM);
    await parts.workflow.approveResponse(parts.id, { rendering: parts.pending.rendering, by });
    expect(await parts.workflow.getWorkflowResult(parts.id)).toMatchObject({
      success: false,
      error_code: "mail_rejected",
      error_type: "validation_error",
      error: expect.stringMatching(
        /refused this email permanently \(554\).*words\. Retry the run, or submit the feedback again/,
      ),
    });
    return parts;
  }

  it("waits again when the run is retried, with the server's answer, and no earlier decision applies to it", async () => {
    const { workflow, mails, id, pending, ontologyStore } = await startRefused();
    expect(await workflow.run(feedback())).toMatchObject({ success: true, status: "waiting_for_approval" });
    const again = await pendingOf(workflow, id);
    const { rendering, refusal, ...mail } = again;
    expect({ ...mail, rendering: pending.rendering }).toEqual(pending);
    expect(rendering).not.toBe(pending.rendering);
    expect(refusal).toContain("554 5.7.1 <[hidden]> looks like [2J spam");
    expect(mails.mails).toEqual([]);
    const earlier = workflow.rejectResponse(id, { rendering: pending.rendering, by });
    await expect(earlier).rejects.toMatchObject({ code: "already_decided" });
    expect(await pendingOf(workflow, id)).toEqual(again);
    await workflow.approveResponse(id, { rendering, by });
    const result = await workflow.getWorkflowResult(id);
    expect(result).toMatchObject({ success: true, steps_completed: [...ANALYZED, "response_sent"] });
    expect(mails.mails.map(({ parsed }) => [parsed.messageId, parsed.text])).toEqual([
      [result["response_id"], pending.text],
    ]);
    expect(await shaclViolations(await ontologyStore.getGraph("feedback_data"))).toEqual([]);
  });

  it("can be edited or rejected", async () => {
    const { workflow, mails, id } = await startRefused();
    await workflow.retryWorkflow(id);
    await workflow.getWorkflowResult(id);
    const { rendering } = await pendingOf(workflow, id);
    await workflow.editResponse(id, { rendering, by, text: "Harmless words." });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    expect(mails.mails.map(({ parsed }) => parsed.text)).toEqual(["Harmless words.\n"]);

    const second = await startRefused();
    await second.workflow.retryWorkflow(second.id);
    await second.workflow.getWorkflowResult(second.id);
    const other = await pendingOf(second.workflow, second.id);
    await second.workflow.rejectResponse(second.id, { rendering: other.rendering, by });
    expect(await second.workflow.getWorkflowResult(second.id)).toMatchObject({
      response_withheld: "rejected by Ann Ford",
    });
    expect(second.mails.mails).toEqual([]);
  });

  it("waits anew after every refusal and keeps a person's own text, even an unchanged one", async () => {
    const { workflow, mails, id, pending } = await startWaiting();
    const renderings = new Set<string>();
    let { rendering } = pending;
    for (let refusals = 0; refusals < 4; refusals++) {
      renderings.add(rendering);
      mails.script("data", SPAM);
      if (refusals === 3) await workflow.approveResponse(id, { rendering, by });
      else await workflow.editResponse(id, { rendering, by, text: "My own words." });
      expect(await workflow.getWorkflowResult(id)).toMatchObject({ error_code: "mail_rejected" });
      await workflow.retryWorkflow(id);
      await workflow.getWorkflowResult(id);
      const again = await pendingOf(workflow, id);
      expect(again).toMatchObject({ text: "My own words.\n", refusal: expect.stringContaining("554") });
      ({ rendering } = again);
    }
    expect(renderings.size).toBe(4);
    await workflow.approveResponse(id, { rendering, by });
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    expect(mails.mails.map(({ parsed }) => parsed.text)).toEqual(["My own words.\n"]);
  });

  it("is replaced by its newest version if the server is down and the run is retried once more", async () => {
    const { workflow, mails, id } = await startRefused();
    await workflow.retryWorkflow(id);
    await workflow.getWorkflowResult(id);
    const { rendering } = await pendingOf(workflow, id);
    mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
    await workflow.editResponse(id, { rendering, by, text: "Harmless words." });
    expect(await workflow.getWorkflowResult(id)).toMatchObject({ error_code: "mail_unavailable" });
    await workflow.retryWorkflow(id);
    expect(await workflow.getWorkflowResult(id)).toHaveProperty("response_id");
    expect(mails.mails.map(({ parsed }) => parsed.text)).toEqual(["Harmless words.\n"]);
  });

  it("waits with the customer's current address", async () => {
    const { workflow, mails, id, ontologyStore } = await startRefused();
    await setCustomer(ontologyStore, "abi:email", "new@example.org");
    await workflow.retryWorkflow(id);
    await workflow.getWorkflowResult(id);
    const { rendering, recipient } = await pendingOf(workflow, id);
    expect(recipient).toBe("new@example.org");
    await workflow.approveResponse(id, { rendering, by });
    await workflow.getWorkflowResult(id);
    expect(mails.mails.map(({ envelope }) => envelope.to)).toEqual([["new@example.org"]]);
  });

  it("is tried again unchanged if no approval is needed", async () => {
    const { workflow, mails } = await startFeedback();
    mails.script("data", SPAM);
    expect(await workflow.run(feedback())).toMatchObject({
      error_code: "mail_rejected",
      error: expect.not.stringContaining("waits"),
    });
    expect(await workflow.run(feedback())).toHaveProperty("response_id");
    expect(mails.mails).toHaveLength(1);
  });
});
