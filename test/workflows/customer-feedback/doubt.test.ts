import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { SentimentAnalyzer, SentimentResult } from "../../../src/analysis/sentiment-analyzer.ts";
import { parse } from "../../../src/framework/validation.ts";
import { Service } from "../../../src/framework/service.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../../src/workflows/customer-feedback/policy.ts";
import type { CustomerFeedbackWorkflowConfiguration } from "../../../src/workflows/customer-feedback/configuration.ts";
import { feedback, startFeedback, values } from "../../support/feedback.ts";
import { shaclViolations } from "../../support/shacl.ts";

const answering = (result: Partial<SentimentResult>): SentimentAnalyzer => ({
  name: "fixed",
  version: "1",
  analyze: () => ({ sentiment: "positive", score: 1, evidence: [], language: "en", ...result }),
});

async function withApi(configuration: Partial<CustomerFeedbackWorkflowConfiguration>) {
  const parts = await startFeedback(configuration);
  const app = new Hono();
  parts.workflow.as_api(app);
  return { ...parts, app };
}

/** An operation's answer, parsed with its schema. */
async function direct(operations: Service["operations"], name: string): Promise<unknown> {
  const found = operations.find(({ operation }) => operation.name === name)?.operation;
  if (found?.kind !== "direct") throw new Error(`no operation ${name}`);
  return parse(found.output, await found.run(parse(found.input, {}), {}));
}

const NEUTRAL = /Thank you for your feedback/;

describe("praise that is not certain enough", () => {
  it("is answered like neutral feedback, and marked in the result and the graph", async () => {
    const sentimentAnalyzer = answering({ score: 0.74, doubts: ["would have"] });
    const { workflow, ontologyStore, mails } = await startFeedback({ sentimentAnalyzer });
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({ action: "auto_respond", sentiment: "positive", doubtful: true });
    const neutral = await startFeedback({ sentimentAnalyzer: answering({ sentiment: "neutral" }) });
    await neutral.workflow.run(feedback());
    expect(mails.mails[0]!.parsed.text).toBe(neutral.mails.mails[0]!.parsed.text);
    expect(await values(ontologyStore, "Feedback", "abi:doubtful")).toEqual(["true"]);
    expect(await values(ontologyStore, "Feedback", "abi:sentimentDoubt")).toEqual(["would have"]);
    expect(await shaclViolations(await ontologyStore.getGraph("feedback_data"))).toEqual([]);
  });

  it("begins below the bound, not at it", async () => {
    const { workflow, ontologyStore, mails } = await startFeedback({ sentimentAnalyzer: answering({ score: 0.75 }) });
    expect(await workflow.run(feedback())).not.toHaveProperty("doubtful");
    expect(mails.mails[0]!.parsed.text).not.toMatch(NEUTRAL);
    expect(await values(ontologyStore, "Feedback", "abi:doubtful")).toEqual([]);
  });

  it("has a configurable bound", async () => {
    const parts = { sentimentAnalyzer: answering({ score: 0.9 }), thankAbove: 0.95 };
    expect(await (await startFeedback(parts)).workflow.run(feedback())).toMatchObject({ doubtful: true });
    const none = await startFeedback({ sentimentAnalyzer: answering({ score: 0.1 }), thankAbove: 0 });
    expect(await none.workflow.run(feedback())).not.toHaveProperty("doubtful");
    for (const thankAbove of [-0.1, 1.1, Number.NaN])
      await expect(startFeedback({ thankAbove })).rejects.toThrow("thankAbove must be a number from 0 to 1");
  });

  it("goes to a person if the policy says so, and nothing else does", async () => {
    const escalationPolicy = { ...DEFAULT_ESCALATION_POLICY, escalateDoubtful: true };
    const { workflow } = await startFeedback({ escalationPolicy, sentimentAnalyzer: answering({ score: 0.5 }) });
    expect(await workflow.run(feedback())).toMatchObject({ action: "escalate", doubtful: true });
    const sure = await startFeedback({ escalationPolicy, sentimentAnalyzer: answering({ score: 0.9 }) });
    expect(await sure.workflow.run(feedback())).toMatchObject({ action: "auto_respond" });
    const negative = answering({ sentiment: "negative", score: 0.5 });
    const blamed = await startFeedback({ escalationPolicy, sentimentAnalyzer: negative });
    expect(await blamed.workflow.run(feedback())).toMatchObject({ action: "auto_respond", sentiment: "negative" });
  });

  it("stays doubtful when the caller calls it positive", async () => {
    const { workflow } = await startFeedback({ sentimentAnalyzer: answering({ score: 0.5 }) });
    expect(await workflow.run(feedback({ sentiment: "positive" }))).toMatchObject({ doubtful: true });
  });

  it("is not doubtful if the text was not read: then a stated label counts", async () => {
    const sentimentAnalyzer = answering({ sentiment: "neutral", score: 0, language: "fr" });
    const { workflow, mails, ontologyStore } = await startFeedback({ sentimentAnalyzer });
    const result = await workflow.run(feedback({ sentiment: "positive" }));
    expect(result).toMatchObject({ sentiment: "positive", unreadable: true });
    expect(result).not.toHaveProperty("doubtful");
    expect(result).not.toHaveProperty("sentiment_score");
    expect(mails.mails[0]!.parsed.text).not.toMatch(NEUTRAL);
    expect(await values(ontologyStore, "Feedback", "abi:doubtful")).toEqual([]);
  });
});

describe("how certain a sentiment is", () => {
  const PARTS = { sentimentAnalyzer: answering({ score: 0.5, doubts: ["would have"] }), approval: true };

  it("is shown to people with the email, in lists and with the feedback", async () => {
    const { workflow, app, engine } = await withApi(PARTS);
    const { workflow_id: id = "" } = await workflow.run(feedback({ feedback_text: "It would have been great." }));
    const certainty = { sentiment: "positive", sentiment_score: 0.5, doubtful: true };
    expect(await workflow.getPendingResponse(id)).toMatchObject({
      ...certainty,
      feedback_text: "It would have been great.",
    });
    expect(await workflow.getFeedback("F-1")).toMatchObject({
      ...certainty,
      sentiment_analysis: { score: 0.5, doubts: ["would have"] },
    });
    const record: unknown = await (await app.request("/workflows/customer-feedback/F-1")).json();
    expect(record).toMatchObject({ sentiment: "positive", doubtful: true });
    const service = new Service({ engine, workflows: [workflow] });
    const call = (name: string) => direct(service.operations, name);
    expect(await call("list_approvals")).toMatchObject({
      runs: [{ workflow_id: id, result: certainty, excerpt: "It would have been great." }],
    });
    expect(await call("list_feedback")).toMatchObject({ feedback: [certainty] });
    const { runs } = (await call("list_runs")) as { runs: object[] };
    expect(runs).toMatchObject([{ result: certainty }]);
    expect(runs[0]).not.toHaveProperty("excerpt");
  });

  it("is not given for a stricter sentiment that somebody stated", async () => {
    const { workflow } = await startFeedback({ sentimentAnalyzer: answering({ score: 0.9 }) });
    const result = await workflow.run(feedback({ sentiment: "negative" }));
    expect(result).toMatchObject({ sentiment: "negative" });
    expect(result).not.toHaveProperty("sentiment_score");
  });

  it("is the stated reason if it sent the feedback to a person", async () => {
    const escalationPolicy = { ...DEFAULT_ESCALATION_POLICY, escalateDoubtful: true };
    const { workflow } = await startFeedback({ ...PARTS, escalationPolicy });
    await workflow.run(feedback());
    expect((await workflow.getFeedback("F-1")).reasons).toEqual(["It is not certain that this is praise."]);
  });
});
