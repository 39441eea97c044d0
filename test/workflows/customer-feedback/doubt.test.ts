import { describe, expect, it } from "vitest";
import type { SentimentAnalyzer, SentimentResult } from "../../../src/analysis/sentiment-analyzer.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../../src/workflows/customer-feedback/policy.ts";
import { feedback, startFeedback, values } from "../../support/feedback.ts";
import { shaclViolations } from "../../support/shacl.ts";

const answering = (result: Partial<SentimentResult>): SentimentAnalyzer => ({
  name: "fixed",
  version: "1",
  analyze: () => ({ sentiment: "positive", score: 1, evidence: [], language: "en", ...result }),
});

const NEUTRAL = /Thank you for your feedback/;

describe("praise that is not sure enough", () => {
  it("is answered like neutral feedback, and says so in the result and the graph", async () => {
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

  it("has a bound that can be set", async () => {
    const parts = { sentimentAnalyzer: answering({ score: 0.9 }), thankAbove: 0.95 };
    expect(await (await startFeedback(parts)).workflow.run(feedback())).toMatchObject({ doubtful: true });
    const none = await startFeedback({ sentimentAnalyzer: answering({ score: 0.1 }), thankAbove: 0 });
    expect(await none.workflow.run(feedback())).not.toHaveProperty("doubtful");
    for (const thankAbove of [-0.1, 1.1, Number.NaN])
      await expect(startFeedback({ thankAbove })).rejects.toThrow("thankAbove must be a number from 0 to 1");
  });

  it("goes to a person where the policy says so, and nothing else does", async () => {
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
});
