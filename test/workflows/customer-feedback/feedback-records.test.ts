import { describe, expect, it } from "vitest";
import { parse } from "../../../src/framework/validation.ts";
import { EmailIntegration } from "../../../src/integrations/email/email-integration.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import { CustomerDataPipeline } from "../../../src/pipelines/customer-data-pipeline.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../../src/workflows/customer-feedback/policy.ts";
import type { FeedbackDetails, FeedbackPage } from "../../../src/workflows/customer-feedback/feedback-schemas.ts";
import { setCustomer, startWaiting } from "../../support/approval.ts";
import { feedback, startFeedback, type Feedback } from "../../support/feedback.ts";
import { rawMail } from "../../support/raw-mail.ts";

const call = async <Answer>({ workflow }: Feedback, name: string, input: object): Promise<Answer> => {
  const operation = workflow.operations.find((one) => one.name === name);
  if (operation?.kind !== "direct") throw new Error(`no operation ${name}`);
  return parse(operation.output, await operation.run(parse(operation.input, input), {})) as Answer;
};
const list = (parts: Feedback, filter: object = {}) => call<FeedbackPage>(parts, "list_feedback", filter);
const idsOf = ({ feedback }: FeedbackPage): string[] => feedback.map(({ feedback_id: id }) => id);
const get = (parts: Feedback, id: string) => call<FeedbackDetails>(parts, "get_feedback", { feedback_id: id });

describe("listing feedback", () => {
  it("returns pages, newest first, each with a cursor for the next", async () => {
    const parts = await startFeedback();
    for (let n = 1; n <= 5; n++) await parts.workflow.run(feedback({ feedback_id: `F-${n}` }));
    const first = await list(parts, { limit: 2 });
    expect(idsOf(first)).toEqual(["F-5", "F-4"]);
    const second = await list(parts, { limit: 2, after: first.next });
    expect(idsOf(second)).toEqual(["F-3", "F-2"]);
    const last = await list(parts, { limit: 2, after: second.next });
    expect([idsOf(last), last.next]).toEqual([["F-1"], undefined]);
    const oldest = await list(parts, { order: "oldest", limit: 3 });
    expect(idsOf(oldest)).toEqual(["F-1", "F-2", "F-3"]);
    expect(idsOf(await list(parts, { order: "oldest", after: oldest.next }))).toEqual(["F-4", "F-5"]);
  });

  it("filters by the customer's words and by the analysis, page by page", async () => {
    const parts = await startFeedback();
    const happy = { feedback_text: "I love the new search, wonderful!" };
    const angry = { feedback_text: "You charged me twice. I am furious.", subject: "Invoice" };
    for (let n = 1; n <= 6; n++) {
      await parts.workflow.run(
        feedback({ feedback_id: `F-${n}`, customer_id: n > 4 ? "C-vip" : "C-1", ...(n % 2 ? happy : angry) }),
      );
    }
    expect(idsOf(await list(parts, { search: "FURIOUS" }))).toEqual(["F-6", "F-4", "F-2"]);
    expect(idsOf(await list(parts, { search: "invoice", customer_id: "C-1" }))).toEqual(["F-4", "F-2"]);
    expect(idsOf(await list(parts, { sentiment: "positive", action: "auto_respond" }))).toEqual(["F-3", "F-1"]);
    const page = await list(parts, { category: "billing", limit: 2 });
    expect(idsOf(page)).toEqual(["F-6", "F-4"]);
    expect(idsOf(await list(parts, { category: "billing", limit: 2, after: page.next }))).toEqual(["F-2"]);
    expect((await list(parts, { search: "Grace" })).feedback).toEqual([]);
    expect((await list(parts, { customer_id: "C-vip" })).feedback[0]?.customer_name).toBe("Grace Hopper");
  });

  it("shows the name of a customer whatever their URI is, as one piece of feedback does", async () => {
    const parts = await startFeedback();
    await parts.ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT DATA {
         <https://crm.example/people/7> a abi:Customer ; abi:id "C-7" ; abi:name "Mary Somerville" .
         <https://crm.example/firms/7> abi:id "C-7" ; abi:name "Somerville & Co" .
         <https://crm.example/people/1> a abi:Customer ; abi:id "C-1" ; abi:name "Another Ada" }`,
    );
    const send_response = false;
    await parts.workflow.run(feedback({ customer_id: "C-7", send_response }));
    const { source: customerSource, ontologyStore } = parts;
    await new CustomerDataPipeline({ customerSource, ontologyStore }).loadAll();
    await parts.workflow.run(feedback({ feedback_id: "F-2", send_response }));
    const names = (await list(parts)).feedback.map(({ customer_name: name }) => name);
    expect(names).toEqual(["Ada Lovelace", "Mary Somerville"]);
    expect([(await get(parts, "F-2")).customer_name, (await get(parts, "F-1")).customer_name]).toEqual(names);
  });

  it("finds a customer's feedback however their id is spelled", async () => {
    const parts = await startFeedback();
    // The customer is unknown, so the run fails, but it is listed.
    await parts.workflow.run(feedback({ customer_id: "Ren\u00e9" }));
    for (const customer_id of ["Ren\u00e9", "Rene\u0301", "\u200BRen\u00e9\u00A0"]) {
      expect(idsOf(await list(parts, { customer_id }))).toEqual(["F-1"]);
    }
  });
});

describe("one piece of feedback", () => {
  it("comes with evidence, reasons, customer and ticket", async () => {
    const parts = await startFeedback();
    await parts.workflow.run(feedback({ customer_id: "C-vip", feedback_text: "The app crashed again, I am furious." }));
    expect(await get(parts, "F-1")).toMatchObject({
      text: "The app crashed again, I am furious.",
      action: "escalate",
      reasons: [
        "The customer's segment is enterprise.",
        expect.stringContaining("90000 is over 5000"),
        "Critical category: bug.",
      ],
      customer: { name: "Grace Hopper", segment: "enterprise", lifetime_value: 90_000, do_not_contact: false },
      sentiment_analysis: { evidence: expect.arrayContaining(["furious"]), analyzer: { name: expect.any(String) } },
      ticket: { priority: "high", status: "open" },
      mails: [],
    });
  });

  it("says so if today's rules would lead to something else, and is found by its id with blanks around it", async () => {
    const { workflow, ...parts } = await startFeedback();
    await workflow.run(feedback());
    expect((await workflow.getFeedback(" F-1 ")).reasons).toEqual([
      "No rule sends it to a person, and the customer may get an email.",
    ]);
    await setCustomer(parts.ontologyStore, "abi:segment", "premium");
    const changed = ["The customer's data or the rules have changed since."];
    expect(await workflow.getFeedback("F-1")).toMatchObject({ action: "auto_respond", reasons: changed });
  });

  it("gives an unreadable language as a reason only if it was one", async () => {
    const parts = await startFeedback({
      escalationPolicy: { ...DEFAULT_ESCALATION_POLICY, escalateUnreadable: true },
    });
    const unread = "どうしてもログインできません。";
    await parts.workflow.run(feedback({ customer_id: "C-vip", feedback_text: "Invoice 42" }));
    await parts.workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-vip", feedback_text: unread }));
    const reason = "The text is in a language that the analyser doesn't read.";
    const [read, other] = [await get(parts, "F-1"), await get(parts, "F-2")];
    expect([read.language, other.action]).toEqual(["und", "escalate"]);
    expect(read.reasons).not.toContain(reason);
    expect(other.reasons).toContain(reason);
  });

  it("shows the outcome of each version of its email, and who decided on it", async () => {
    const parts = await startFeedback({ approval: true });
    const { workflow } = parts;
    const { workflow_id: id = "" } = await workflow.run(feedback());
    expect((await get(parts, "F-1")).mails).toMatchObject([{ state: "waiting", recipient: "ada@example.org" }]);
    const { rendering } = (await workflow.getPendingResponse(id))!;
    await workflow.editResponse(id, { rendering, by: "Ann", text: "Dear Ada, done." });
    await workflow.getWorkflowResult(id);
    const { mails, response_id, response_time } = await get(parts, "F-1");
    expect(mails).toMatchObject([
      { state: "edited", rendering, decision: { decision: "edit", by: "Ann" } },
      { state: "sent", text: "Dear Ada, done.\n", revision_of: rendering },
    ]);
    expect([response_id, response_time]).toEqual([expect.stringMatching(/^</), expect.any(String)]);
  });

  it("shows a rejected email with the reason, and answers from other systems", async () => {
    const parts = await startFeedback({ approval: true });
    const { workflow } = parts;
    const { workflow_id: id = "" } = await workflow.run(feedback());
    const { rendering } = (await workflow.getPendingResponse(id))!;
    await workflow.rejectResponse(id, { rendering, by: "Ben", reason: "She has called." });
    await workflow.getWorkflowResult(id);
    await workflow.handleEvent("feedback_response", { feedback_id: "F-1", response_text: "We have talked." });
    const { mails, replies } = await get(parts, "F-1");
    expect(mails).toMatchObject([{ state: "rejected", decision: { by: "Ben", reason: "She has called." } }]);
    expect(replies).toMatchObject([{ text: "We have talked." }]);
  });

  it("says of its email that nothing is sent if the run was cancelled, until it is retried", async () => {
    const { id, ...parts } = await startWaiting();
    await parts.workflow.cancelWorkflow(id);
    expect((await get(parts, "F-1")).mails).toMatchObject([{ state: "withheld" }]);
    await parts.workflow.retryWorkflow(id);
    await parts.workflow.getWorkflowResult(id);
    expect((await get(parts, "F-1")).mails).toMatchObject([{ state: "waiting" }]);
  });

  it("says of an approved email that nothing is sent if the customer has objected", async () => {
    const { id, pending, ...parts } = await startWaiting();
    await setCustomer(parts.ontologyStore, "abi:doNotContact", true);
    await parts.workflow.approveResponse(id, { rendering: pending.rendering, by: "Ann" });
    await parts.workflow.getWorkflowResult(id);
    expect((await get(parts, "F-1")).mails).toMatchObject([{ state: "withheld", decision: { decision: "approve" } }]);
  });

  it("says of an email that it was sent if the run was cancelled while it was being sent", async () => {
    let cancel = async (): Promise<unknown> => undefined;
    const transport = { send: async () => void (await cancel()), close: async () => {} };
    const emailIntegration = new EmailIntegration({ transport, from: "care@shop.example" });
    const { id, pending, ...parts } = await startWaiting({}, { emailIntegration });
    cancel = () => parts.workflow.cancelWorkflow(id);
    await parts.workflow.approveResponse(id, { rendering: pending.rendering, by: "Ann" });
    await parts.workflow.getWorkflowResult(id);
    expect(await parts.workflow.getWorkflowStatus(id)).toMatchObject({ status: "cancelled" });
    expect((await get(parts, "F-1")).mails).toMatchObject([{ state: "sent" }]);
  });

  it("shows that an approved email was replaced when the customer's address changed", async () => {
    const { id, pending, ...parts } = await startWaiting();
    await setCustomer(parts.ontologyStore, "abi:email", "countess@example.org");
    await parts.workflow.approveResponse(id, { rendering: pending.rendering, by: "Ann" });
    await parts.workflow.getWorkflowResult(id);
    expect((await get(parts, "F-1")).mails).toMatchObject([
      { state: "replaced", recipient: "ada@example.org" },
      { state: "waiting", recipient: "countess@example.org" },
    ]);
  });

  it("comes with what the customer has written back, oldest first", async () => {
    const parts = await startFeedback();
    const { response_id: answered } = await parts.workflow.run(feedback());
    expect((await get(parts, "F-1")).customer_replies).toEqual([]);
    const write = (text: string) => parts.workflow.receiveMail(rawMail({ "In-Reply-To": answered! }, text));
    await write("Thanks a lot!");
    const { feedback_id: complaint } = await write("It has crashed again, I am furious!");
    expect((await get(parts, "F-1")).customer_replies).toEqual([
      { text: expect.stringContaining("Thanks a lot!"), time: expect.stringMatching(/Z$/) },
      { text: expect.stringContaining("furious"), time: expect.stringMatching(/Z$/), processed_as: complaint },
    ]);
  });

  it("is not found if it does not exist", async () => {
    await expect(get(await startFeedback(), "F-404")).rejects.toMatchObject({ code: "not_found" });
  });
});
