import type { DynamicStructuredTool } from "@langchain/core/tools";
import { describe, expect, it } from "vitest";
import type { FeedbackCategorizer } from "../../../src/analysis/feedback-categorizer.ts";
import type { SentimentAnalyzer } from "../../../src/analysis/sentiment-analyzer.ts";
import { select } from "../../../src/ontology/queries.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../../src/workflows/customer-feedback/policy.ts";
import { feedback, startFeedback, values } from "../../support/feedback.ts";
import { shaclViolations } from "../../support/shacl.ts";

const UNREADABLE = "Das Gerät ist nach einer Woche leider kaputt gegangen.";
const THANKS = "I love it. Thank you!";

describe("an email's quotations and footers", () => {
  it.each([
    "This email has been checked for viruses by Avast antivirus software.\nwww.avast.com",
    "This e-mail is confidential and may be legally privileged. If you are not the intended recipient, please notify the sender and delete it.",
    "Acme Ltd, registered in England and Wales No. 01234567. Registered office: 1 High Street, London.",
    "On 5 May 2026, at 10:00, Support <care@shop.example> wrote:\n\n> Your invoice is overdue, and your account was hacked.\n> We will sue you.",
    "Kind regards,\nAnn Ford\nLegal Counsel, Acme Security Inc.\nann@acme.example",
  ])("do not escalate a message of thanks: %j", async (footer) => {
    const { workflow, ontologyStore, mails } = await startFeedback();
    const feedback_text = `${THANKS}\n\n${footer}`;
    const result = await workflow.run(feedback({ feedback_text }));
    expect(result).toMatchObject({ action: "auto_respond", sentiment: "positive" });
    expect(await values(ontologyStore, "Feedback", "abi:text")).toEqual([feedback_text]);
    for (const words of await values(ontologyStore, "Feedback", "abi:sentimentEvidence"))
      expect(THANKS).toContain(words);
    expect(mails.mails[0]!.parsed.text).not.toMatch(/security|legal|billing/);
    expect(await workflow.run(feedback({ feedback_text: THANKS }))).toMatchObject({ error_type: "conflict" });
  });

  it("are not judged by the two tools either, but the ticket has the whole text", async () => {
    const asked: string[] = [];
    const language = "en";
    const sentimentAnalyzer: SentimentAnalyzer = {
      name: "listening",
      version: "1",
      analyze: (text) => (asked.push(text), { sentiment: "neutral", score: 1, evidence: [], language }),
    };
    const feedbackCategorizer: FeedbackCategorizer = {
      name: "listening",
      version: "1",
      categorize: (text) => (asked.push(text), { categories: ["bug"], scores: {}, evidence: {}, language }),
    };
    const tickets: string[] = [];
    const ticketSystem = { createTicket: ({ text }: { text: string }) => Promise.resolve(`T-${tickets.push(text)}`) };
    const { workflow } = await startFeedback({ sentimentAnalyzer, feedbackCategorizer, ticketSystem });
    const text = `${THANKS}\n\nOn Mon, 4 May 2026 at 10:00, Shop <a@b.example> wrote:\n> Your invoice\n\nSent from my iPhone`;
    const [, ...textTools] = workflow.as_tools() as [DynamicStructuredTool, ...DynamicStructuredTool[]];
    for (const tool of textTools) await tool.invoke({ text });
    await workflow.run(feedback({ feedback_text: text }));
    expect(asked).toEqual([THANKS, THANKS, THANKS, THANKS]);
    expect(tickets).toEqual([text]);
  });
});

describe("labels that the caller states", () => {
  const BREACH = "Your security is a disaster: my data was leaked and my account hacked. Terrible.";

  it("add to the labels that are found, and never make them milder", async () => {
    const { workflow, ontologyStore } = await startFeedback();
    const stated = { categories: ["general"], sentiment: "positive" };
    const result = await workflow.run(feedback({ feedback_text: BREACH, ...stated }));
    expect(result).toMatchObject({ action: "escalate", sentiment: "negative", categories: ["security", "general"] });
    expect(result.steps_completed).toContain("sentiment_analyzed");
    expect(await values(ontologyStore, "Feedback", "abi:sentiment")).toEqual(["negative"]);
    expect(await values(ontologyStore, "Feedback", "abi:hasCategory")).toEqual(["general", "security"]);
    expect(await values(ontologyStore, "Feedback", "abi:statedSentiment")).toEqual(["positive"]);
    expect(await values(ontologyStore, "Feedback", "abi:statedCategory")).toEqual(["general"]);
    expect(await values(ontologyStore, "Feedback", "abi:foundSentiment")).toEqual(["negative"]);
    expect(await values(ontologyStore, "Feedback", "abi:foundCategory")).toContain("security");
    expect(await values(ontologyStore, "Feedback", "abi:analyzedBy/abi:sentimentAnalyzer/abi:name")).toHaveLength(1);
    expect(await shaclViolations(await ontologyStore.getGraph("feedback_data"))).toEqual([]);
  });

  it.each([
    ["positive beside negative words", { sentiment: "positive", feedback_text: "Terrible. I hate it." }, "negative"],
    ["neutral beside negative words", { sentiment: "neutral", feedback_text: "Terrible. I hate it." }, "negative"],
    ["negative beside praise", { sentiment: "negative" }, "negative"],
    ["neutral beside praise", { sentiment: "neutral" }, "neutral"],
    ["positive beside facts", { sentiment: "positive", feedback_text: "The parcel has three parts." }, "neutral"],
    ["positive in a language that is not read", { sentiment: "positive", feedback_text: UNREADABLE }, "positive"],
  ])("count if they are the stricter ones: %s", async (_, fields, sentiment) => {
    const { workflow } = await startFeedback();
    expect(await workflow.run(feedback(fields))).toMatchObject({ success: true, sentiment });
  });

  it("let the stricter sentiment decide on the escalation of a valuable customer", async () => {
    const { workflow } = await startFeedback();
    const fields = { customer_id: "C-5001", feedback_text: "Terrible. I hate it.", sentiment: "positive" };
    expect(await workflow.run(feedback(fields))).toMatchObject({ action: "escalate", sentiment: "negative" });
  });

  it("are joined by found categories only if the policy calls those critical", async () => {
    const billing = { feedback_text: "I was charged twice for a slow product.", categories: ["service"] };
    const { workflow } = await startFeedback();
    expect(await workflow.run(feedback(billing))).toMatchObject({
      action: "escalate",
      categories: ["service", "billing"],
    });
    const lenient = { ...DEFAULT_ESCALATION_POLICY, criticalCategories: [] };
    for (const escalationPolicy of [lenient, false] as const) {
      const parts = await startFeedback({ escalationPolicy });
      expect(await parts.workflow.run(feedback(billing))).toMatchObject({
        action: "auto_respond",
        categories: ["service"],
      });
    }
  });

  it("do not stop the policy from handing unreadable feedback to a person", async () => {
    const escalationPolicy = { ...DEFAULT_ESCALATION_POLICY, escalateUnreadable: true };
    const { workflow } = await startFeedback({ escalationPolicy });
    const fields = { feedback_text: UNREADABLE, sentiment: "positive", categories: ["general"] };
    expect(await workflow.run(feedback(fields))).toMatchObject({ action: "escalate", sentiment: "positive" });
  });

  it("have no more weight on one interface than on another", async () => {
    const { workflow } = await startFeedback();
    const stated = { categories: ["general"], sentiment: "positive", feedback_text: BREACH };
    const escalated = { action: "escalate", sentiment: "negative" };
    const { feedback_id: id, feedback_text: text, ...rest } = feedback({ ...stated, feedback_id: "F-event" });
    expect(await workflow.handleEvent("new_feedback", { id, text, ...rest })).toMatchObject(escalated);
    const batch = workflow.runBatch([feedback({ ...stated, feedback_id: "F-batch" })]);
    expect(await Array.fromAsync(batch)).toMatchObject([escalated]);
    const [tool] = workflow.as_tools() as [DynamicStructuredTool];
    const call = {
      type: "tool_call" as const,
      id: "1",
      name: tool.name,
      args: feedback({ ...stated, feedback_id: "T" }),
    };
    expect((await tool.invoke(call)).artifact).toMatchObject(escalated);
  });

  it("are in the graph only if somebody stated them, next to the labels that were found", async () => {
    const { workflow, ontologyStore } = await startFeedback();
    await workflow.run(feedback());
    const asked = `${PREFIXES} SELECT ?stated { ?f abi:statedSentiment|abi:statedCategory ?stated }`;
    expect(await select(ontologyStore, "feedback_data", asked)).toEqual([]);
    for (const kind of ["Sentiment", "Category"])
      expect(await values(ontologyStore, "Feedback", `abi:found${kind}`)).toEqual([]);
    expect(await values(ontologyStore, "Feedback", "abi:sentiment")).toEqual(["positive"]);
    expect(await values(ontologyStore, "Feedback", "abi:hasCategory")).toEqual(["product"]);
  });
});
