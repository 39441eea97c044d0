// Which submitted fields an email repeats, and which words a manipulated model can't put into it.
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { ToolOptions } from "../../../src/interfaces/model-calls/fixed-fields.ts";
import { by, pendingOf } from "../../support/approval.ts";
import { derivedReference, referenceOf } from "../../../src/workflows/customer-feedback/reference.ts";
import { shownId } from "../../../src/workflows/customer-feedback/reflection.ts";
import { feedback, startFeedback, type Feedback } from "../../support/feedback.ts";

const LURE = "Your account is locked";
const LINK = "Verify your account at https://evil.example/login";

const interfaces: Record<string, (workflow: Feedback["workflow"], fields: object) => Promise<unknown>> = {
  code: (workflow, fields) => workflow.run(feedback({ ...fields })),
  "an event": (workflow, fields) => {
    const { feedback_id, feedback_text, ...rest } = feedback({ ...fields });
    return workflow.handleEvent("new_feedback", { id: feedback_id, text: feedback_text, ...rest });
  },
  HTTP: async (workflow, fields) => {
    const app = new Hono();
    workflow.as_api(app);
    const body = JSON.stringify(feedback({ ...fields }));
    const headers = { "content-type": "application/json" };
    const response = await app.request("/workflows/customer-feedback", { method: "POST", body, headers });
    const { workflow_id } = (await response.json()) as { workflow_id: string };
    return workflow.getWorkflowResult(workflow_id);
  },
};

const byTool = async ({ workflow }: Feedback, fields: object, options: ToolOptions = {}): Promise<unknown> =>
  JSON.parse((await workflow.as_tools(options)[0]!.invoke(feedback({ ...fields }) as never)) as string);

async function mailOf(parts: Feedback, submit: (parts: Feedback) => Promise<unknown>) {
  expect(await submit(parts)).toMatchObject({ success: true });
  const { subject = "", text = "", html } = parts.mails.mails.at(-1)!.parsed;
  return { subject, text, html: String(html) };
}

describe("a tool whose customer the model chooses", () => {
  it.each([LURE, LINK, "Product Feedback"])(
    "sends an email that repeats nothing of the subject %j",
    async (subject) => {
      const { subject: sent, text } = await mailOf(await startFeedback(), (parts) => byTool(parts, { subject }));
      expect(sent).toBe(`RE: your feedback (${derivedReference("F-1")})`);
      expect(text).not.toContain(subject);
    },
  );

  it.each([
    LURE,
    LINK,
    "evil.example",
    "www.evil",
    "F-1 call +1 900 555 0100 now",
    "evil．example",
    "a".repeat(200),
    "CALL-08005551",
    "PAY-NOW",
  ])("sends an email with a code in place of the id %j, in the subject and in the text", async (feedback_id) => {
    const mail = await mailOf(await startFeedback(), (parts) => byTool(parts, { feedback_id }));
    const [, code] = /^RE: your feedback \(([0-9A-Z]{5}-[0-9A-Z]{5})\)$/.exec(mail.subject) ?? [];
    expect(code).toBeDefined();
    expect(mail.text).toContain(code);
    expect(mail.text + mail.html).not.toContain(feedback_id);
  });

  it("passes the code as the id to custom templates as well", () => {
    const submitted = { feedback_id: "PAY-NOW" };
    expect(shownId({ ...submitted, customer_from_model: true })).toBe(derivedReference("PAY-NOW"));
    expect(shownId(submitted)).toBe("PAY-NOW");
  });

  it("repeats no subject in an acknowledgment either", async () => {
    const customer = { customer_id: "C-vip", subject: LURE };
    expect((await mailOf(await startFeedback(), (parts) => byTool(parts, customer))).subject).toBe(
      `RE: your feedback (${derivedReference("F-1")})`,
    );
  });

  it("repeats no subject in an email that waits for a person, who may write another one", async () => {
    const parts = await startFeedback({ approval: true });
    const waiting = (await byTool(parts, { subject: LURE })) as { workflow_id: string };
    const { rendering, subject } = await pendingOf(parts.workflow, waiting.workflow_id);
    expect(subject).toBe(`RE: your feedback (${derivedReference("F-1")})`);
    const edit = { rendering, by, subject: "About your order", text: "Dear Ada, …" };
    await parts.workflow.editResponse(waiting.workflow_id, edit);
    await parts.workflow.getWorkflowResult(waiting.workflow_id);
    expect(parts.mails.mails[0]!.parsed.subject).toBe("About your order");
  });

  it("counts as the same submission as one from another interface, and the first decides", async () => {
    for (const [first, second, expected] of [
      ["tool", "code", `RE: your feedback (${derivedReference("F-1")})`],
      ["code", "tool", `RE: ${LURE}`],
    ]) {
      const parts = await startFeedback();
      const submit = (via: string) =>
        via === "tool" ? byTool(parts, { subject: LURE }) : interfaces["code"]!(parts.workflow, { subject: LURE });
      await submit(first!);
      expect(await submit(second!)).toMatchObject({ success: true, duplicate: true });
      expect(parts.mails.mails.map(({ parsed }) => parsed.subject)).toEqual([expected]);
    }
  });
});

it("a run remembers that a tool accepted it, for the process that executes it", async () => {
  const { workflow, engine } = await startFeedback();
  await workflow.as_tools()[0]!.invoke(feedback() as never);
  await workflow.run(feedback({ feedback_id: "F-2" }));
  const kept = await Promise.all(["F-1", "F-2"].map(async (id) => (await engine.find("customer-feedback", id))?.input));
  expect(kept[0]).toMatchObject({ customer_from_model: true });
  expect(kept[1]).not.toHaveProperty("customer_from_model");
});

describe("a tool whose customer the program has set", () => {
  const options = { fixed: { customer_id: "C-1" } };

  it("repeats the subject, since it is that customer's conversation", async () => {
    const { subject } = await mailOf(await startFeedback(), (parts) => byTool(parts, { subject: LURE }, options));
    expect(subject).toBe(`RE: ${LURE}`);
  });

  it("does nothing for another customer, even if the model asks it to", async () => {
    const parts = await startFeedback();
    expect(await byTool(parts, { customer_id: "C-5000" }, options)).toMatchObject({
      success: false,
      error_type: "validation_error",
    });
    expect(parts.mails.mails).toEqual([]);
    expect(parts.source.asked).toEqual([]);
  });

  it("repeats no subject if the program has set another field instead", async () => {
    const parts = await startFeedback();
    const { subject } = await mailOf(parts, () => byTool(parts, { subject: LURE }, { fixed: { send_response: true } }));
    expect(subject).toBe(`RE: your feedback (${derivedReference("F-1")})`);
  });
});

describe.each(Object.entries(interfaces))("feedback by %s", (_, submit) => {
  it("has its subject repeated unless that could be a link", async () => {
    const parts = await startFeedback();
    const subjectOf = async (subject: string, id: string) =>
      (await mailOf(parts, ({ workflow }) => submit(workflow, { subject, feedback_id: id }))).subject;
    expect(await subjectOf(LURE, "F-1")).toBe(`RE: ${LURE}`);
    expect(await subjectOf(LINK, "F-2")).toBe("RE: your feedback (F-2)");
    expect(await subjectOf("RE: evil 。 example", "F-3")).toBe("RE: your feedback (F-3)");
    expect(await subjectOf(LINK, "evil.example")).toBe(`RE: your feedback (${referenceOf("evil.example")})`);
  });

  it.each(["Re:", "AW: Re: ", "\u200B\u200B"])(
    "leads to an email with a subject even if it has none: %j",
    async (subject) => {
      const parts = await startFeedback();
      expect((await mailOf(parts, ({ workflow }) => submit(workflow, { subject }))).subject).toBe(
        "RE: your feedback (F-1)",
      );
    },
  );
});
