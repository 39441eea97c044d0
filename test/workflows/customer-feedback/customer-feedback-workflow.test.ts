import { join } from "node:path";
import { pino } from "pino";
import { ChatOpenAI } from "@langchain/openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { createChatModelAnalyzers } from "../../../src/analysis/chat-model/chat-model-analyzers.ts";
import { EmbeddedFeedbackCategorizer } from "../../../src/analysis/embedded/embedded-feedback-categorizer.ts";
import { EmbeddedSentimentAnalyzer } from "../../../src/analysis/embedded/embedded-sentiment-analyzer.ts";
import { CATEGORIES } from "../../../src/analysis/categories.ts";
import type { SentimentAnalyzer } from "../../../src/analysis/sentiment-analyzer.ts";
import { DurableEngine } from "../../../src/engine/durable-engine.ts";
import { IoError } from "../../../src/errors.ts";
import { entityUri } from "../../../src/ontology/entity-uri.ts";
import { select } from "../../../src/ontology/queries.ts";
import { abi, PREFIXES } from "../../../src/ontology/vocabulary.ts";
import type { Change, OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { DEFAULT_ESCALATION_POLICY } from "../../../src/workflows/customer-feedback/policy.ts";
import { setCustomer } from "../../support/approval.ts";
import { feedback, startFeedback, values } from "../../support/feedback.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { startOpenAiServer, status } from "../../support/openai-server.ts";
import { shaclViolations } from "../../support/shacl.ts";

const ANALYZED = ["customer_data_retrieved", "sentiment_analyzed", "feedback_categorized", "feedback_stored"];

const failingStore = (store: OntologyStore, fail: () => boolean): OntologyStore =>
  new Proxy(store, {
    get(target, property) {
      const member = Reflect.get(target, property) as unknown;
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (fail()) throw new IoError("The store is away.");
        return (member as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });

describe("the customer feedback workflow", () => {
  it("answers praise by email, after the steps of the guide", async () => {
    const now = new Date("2026-05-01T10:00:00.000Z");
    const { workflow, mails, ontologyStore } = await startFeedback({ clock: () => now });
    const result = await workflow.run(feedback());
    expect(result).toEqual({
      feedback_id: "F-1",
      customer_id: "C-1",
      success: true,
      steps_completed: [...ANALYZED, "response_sent"],
      action: "auto_respond",
      sentiment: "positive",
      sentiment_score: expect.any(Number),
      categories: ["product"],
      feedback_uri: "http://example.org/abi/Feedback/F-1",
      language: "en",
      response_id: mails.mails[0]!.parsed.messageId,
    });
    const [mail] = mails.mails;
    expect(mail!.envelope.to).toEqual(["ada@example.org"]);
    expect(mail!.parsed.subject).toBe("RE: Product Feedback");
    expect(mail!.parsed.text).toContain("Ada Lovelace");
    expect(await values(ontologyStore, "Feedback", "abi:responseId")).toEqual([result.response_id]);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual(["true"]);
    const [time] = await values(ontologyStore, "Feedback", "abi:responseTime");
    expect(new Date(time!)).toEqual(now);
  });

  it.each([
    ["a customer of a segment that comes first", { customer_id: "C-vip" }],
    ["a critical category", { feedback_text: "I was charged twice this month." }],
    ["negative feedback of a valuable customer", { customer_id: "C-5001", feedback_text: "Terrible. I hate it." }],
  ])("escalates %s: a ticket and an acknowledgment, never a reply", async (_, fields) => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    const result = await workflow.run(feedback(fields));
    expect(result).toMatchObject({
      success: true,
      action: "escalate",
      steps_completed: [...ANALYZED, "ticket_created", "acknowledgment_sent"],
    });
    expect(mails.mails).toHaveLength(1);
    expect(mails.mails[0]!.parsed.messageId).toBe(result.response_id);
    expect(await values(ontologyStore, "Ticket", "abi:id")).toEqual([result.ticket_id]);
    expect(await values(ontologyStore, "Feedback", "^abi:forFeedback/abi:id")).toEqual([result.ticket_id]);
  });

  it("does not escalate at the limit of the lifetime value", async () => {
    const { workflow } = await startFeedback();
    const result = await workflow.run(feedback({ customer_id: "C-5000", feedback_text: "Terrible. I hate it." }));
    expect(result).toMatchObject({ action: "auto_respond", sentiment: "negative" });
  });

  it("sends no email of any kind if send_response is false", async () => {
    const { workflow, mails } = await startFeedback();
    const quiet = await workflow.run(feedback({ send_response: false }));
    expect(quiet).toMatchObject({ action: "no_action", steps_completed: ANALYZED });
    const escalated = await workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-vip", send_response: false }));
    expect(escalated).toMatchObject({ action: "escalate", steps_completed: [...ANALYZED, "ticket_created"] });
    expect(escalated).not.toHaveProperty("response_id");
    expect(mails.mails).toEqual([]);
  });

  it("escalates nothing if the policy is off", async () => {
    const { workflow } = await startFeedback({ escalationPolicy: false });
    expect(await workflow.run(feedback({ customer_id: "C-vip", categories: ["legal"] }))).toMatchObject({
      action: "auto_respond",
    });
  });

  it("hands feedback in a language that it can't read to a person if the policy says so", async () => {
    const german = { feedback_text: "Das Gerät ist nach einer Woche leider kaputt gegangen." };
    const { workflow } = await startFeedback({
      escalationPolicy: { ...DEFAULT_ESCALATION_POLICY, escalateUnreadable: true },
    });
    expect(await workflow.run(feedback(german))).toMatchObject({ action: "escalate", language: "de" });
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toMatchObject({ action: "auto_respond" });
    const usual = await startFeedback();
    expect(await usual.workflow.run(feedback(german))).toMatchObject({ action: "auto_respond", language: "de" });
  });

  it("continues a run of an earlier version, in which the decision was a separate step", async () => {
    const runs = join(temporaryFolder(), "runs.sqlite");
    const earlier = new DurableEngine({ path: runs });
    earlier.register("customer-feedback", async (_, { step }) => {
      const analysis = { analyzer: { name: "earlier", version: "1" } };
      const labels = { sentiment: "negative", categories: ["bug"] };
      const customer_uri = entityUri("Customer", "C-1");
      await step("customer_data_retrieved", () => ({ customer_uri, segment: "standard", lifetime_value: 0 }));
      await step("sentiment_analyzed", () => ({ ...analysis, result: { ...labels, score: 1, evidence: [] } }));
      await step("feedback_categorized", () => ({ ...analysis, result: { ...labels, scores: {}, evidence: {} } }));
      await step.unlisted("action_decided", () => ({ ...labels, action: "no_action", isPriority: false }));
      throw new Error("it ends here");
    });
    const input = { ...feedback(), categories: [], send_response: true };
    const { id } = await earlier.start("customer-feedback", { key: "F-1", fingerprint: "f", input });
    await earlier.wait(id);
    await earlier.close();
    const { workflow, engine } = await startFeedback({}, { runs });
    await workflow.retryWorkflow(id);
    engine.startWorker();
    expect(await workflow.getWorkflowResult(id)).toMatchObject({
      success: true,
      action: "no_action",
      categories: ["bug"],
    });
  });

  it("follows a custom policy", async () => {
    const { workflow } = await startFeedback({
      escalationPolicy: { segments: ["standard"], negativeLifetimeValueOver: 0, criticalCategories: [] },
    });
    expect(await workflow.run(feedback())).toMatchObject({ action: "escalate" });
    expect(
      await workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-vip", categories: ["bug"] })),
    ).toMatchObject({
      action: "auto_respond",
    });
  });

  it("escalates for a segment of the policy, whatever the case of either", async () => {
    const escalationPolicy = { segments: ["Enterprise"], negativeLifetimeValueOver: 1e6, criticalCategories: [] };
    const { workflow } = await startFeedback({ escalationPolicy });
    expect(await workflow.run(feedback({ customer_id: "C-vip" }))).toMatchObject({ action: "escalate" });
  });

  it("accepts labels from the caller, in upper or lower case, and doesn't modify its input", async () => {
    const { workflow, ontologyStore } = await startFeedback();
    const parameters = Object.freeze(
      feedback({ sentiment: "NEGATIVE", categories: Object.freeze(["Usability", "product", "usability"]) }),
    );
    const result = await workflow.run(parameters);
    expect(result).toMatchObject({ sentiment: "negative", categories: ["product", "usability"], success: true });
    expect(await values(ontologyStore, "Feedback", "abi:statedSentiment")).toEqual(["negative"]);
    expect(await values(ontologyStore, "Feedback", "abi:statedCategory")).toEqual(["product", "usability"]);
    expect(await values(ontologyStore, "Feedback", "abi:foundSentiment")).toEqual(["positive"]);
  });

  it("fetches a customer who is not in the graph, once for all simultaneous callers", async () => {
    const { workflow, source } = await startFeedback();
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, n) => workflow.run(feedback({ feedback_id: `F-${n}`, send_response: false }))),
    );
    expect(results.every(({ success }) => success)).toBe(true);
    expect(source.asked).toEqual(["C-1"]);
    await workflow.run(feedback({ feedback_id: "F-later" }));
    expect(source.asked).toEqual(["C-1"]);
  });

  it("says which customer was not found, and that a retry won't help", async () => {
    const { workflow, source, mails } = await startFeedback();
    expect(await workflow.run(feedback({ customer_id: "C-404" }))).toEqual({
      feedback_id: "F-1",
      customer_id: "C-404",
      success: false,
      steps_completed: [],
      error: "Customer with ID C-404 not found",
      error_code: "customer_not_found",
      error_type: "validation_error",
      retriable: false,
    });
    expect(source.asked).toEqual(["C-404"]);
    expect(mails.mails).toEqual([]);
  });

  it.each(["C-mute", "C-bad"])("says so if %s should get an email but has no usable address", async (customer_id) => {
    const { workflow, mails } = await startFeedback();
    const result = await workflow.run(feedback({ customer_id }));
    expect(result).toMatchObject({
      success: false,
      steps_completed: ANALYZED,
      error_code: "no_usable_email",
      error_type: "validation_error",
      retriable: false,
    });
    expect(JSON.stringify(result)).not.toContain("@");
    expect(mails.mails).toEqual([]);
    expect(await workflow.run(feedback({ feedback_id: "F-2", customer_id, send_response: false }))).toMatchObject({
      success: true,
    });
  });

  it.each([
    ["C-dnc", /does not want to be contacted/],
    ["C-noreply", /no_reply_address/],
  ])("completes without an email to %s and gives the reason", async (customer_id, reason) => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    const result = await workflow.run(feedback({ customer_id }));
    expect(result).toMatchObject({ success: true, action: "auto_respond", steps_completed: ANALYZED });
    expect(result.response_withheld).toMatch(reason);
    expect(result).not.toHaveProperty("response_id");
    expect(mails.mails).toEqual([]);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual([]);
  });

  it("withholds acknowledgments of escalations for the same reasons as replies", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback({ responseCap: { responses: 1, minutes: 60 } });
    const escalate = (feedback_id: string, customer_id: string) =>
      workflow.run(feedback({ feedback_id, customer_id, categories: ["bug"] }));
    for (const [feedback_id, customer_id, reason] of [
      ["F-1", "C-dnc", /does not want/],
      ["F-2", "C-noreply", /no_reply_address/],
    ] as const) {
      const result = await escalate(feedback_id, customer_id);
      expect(result).toMatchObject({
        action: "escalate",
        success: true,
        steps_completed: [...ANALYZED, "ticket_created"],
      });
      expect(result.response_withheld).toMatch(reason);
    }
    expect(await escalate("F-3", "C-1")).toHaveProperty("response_id");
    expect((await escalate("F-4", "C-1")).response_withheld).toMatch(/one automatic email/);
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Ticket", "abi:id")).toHaveLength(4);
  });

  it("gives priority to customers in the policy's segments, however those are spelled, and to bad news", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    await ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT DATA { <http://example.org/abi/Customer/p> a abi:Customer ; abi:id "p" ; abi:name "Pat" ; abi:email "p@example.org" ; abi:segment "Premium" }`,
    );
    const priorityOf = async (id: string): Promise<string | undefined> => {
      const rows = await select(
        ontologyStore,
        "feedback_data",
        `${PREFIXES} SELECT ?priority { ?f abi:id "${id}" ; ^abi:forFeedback/abi:priority ?priority }`,
      );
      return rows[0]?.["priority"]?.value;
    };
    const run = (feedback_id: string, fields: Record<string, unknown>) =>
      workflow.run(feedback({ feedback_id, ...fields }));
    expect(await run("F-1", { customer_id: "p" })).toMatchObject({ action: "escalate" });
    await run("F-2", { categories: ["bug"], sentiment: "negative" });
    await run("F-3", { categories: ["bug"], sentiment: "neutral" });
    expect([await priorityOf("F-1"), await priorityOf("F-2"), await priorityOf("F-3")]).toEqual([
      "high",
      "high",
      "normal",
    ]);
    const [premium, , standard] = mails.mails.map(({ parsed }) => parsed.text!);
    const withoutNames = (text: string): string => text.replaceAll(/Pat|Ada Lovelace|F-\d|Topics?:.*/g, "");
    expect(withoutNames(premium!)).not.toBe(withoutNames(standard!));
  });

  it("logs that a lifetime value is no number, without the value or the customer", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    const { workflow, ontologyStore } = await startFeedback({ logger });
    await ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT DATA { <http://example.org/abi/Customer/odd> a abi:Customer ; abi:id "odd" ; abi:email "odd@example.org" ; abi:lifetimeValue "a lot" }`,
    );
    await workflow.run(feedback({ customer_id: "odd" }));
    expect(lines.join()).toMatch(/lifetime value/);
    expect(lines.join()).not.toMatch(/a lot|odd@/);
  });

  it("sends nothing to a customer who objects while the email waits for its retry", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    const objected = mails.reached("rcpt").then(() => setCustomer(ontologyStore, "abi:doNotContact", true));
    mails.script("rcpt", { code: 451, after: objected });
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({ success: true, steps_completed: ANALYZED });
    expect(result.response_withheld).toMatch(/does not want to be contacted/);
    expect(mails.mails).toEqual([]);
    expect(await values(ontologyStore, "Feedback", "abi:responseSent")).toEqual([]);
  });

  /**
   * An email waits for its retry when the customer objects. Its place under the cap is freed, but the store's answer to that gets
   * lost `answersLost` times; meanwhile the customer withdraws the objection.
   */
  async function startObjection(answersLost: number) {
    const store = await OxigraphOntologyStore.open({ path: ":memory:" });
    const isWithdrawal = ({ remove = [] }: Change): boolean =>
      [...remove].some(({ predicate }) => predicate?.equals(abi.responsePermitted));
    const ontologyStore: OntologyStore = new Proxy(store, {
      get(target, property) {
        const member = Reflect.get(target, property) as (...given: unknown[]) => unknown;
        return async (...args: unknown[]) => {
          const answer = await member.apply(target, args);
          if (property !== "change" || !isWithdrawal(args[1] as Change)) return answer;
          await setCustomer(store, "abi:doNotContact", false);
          if (answersLost-- > 0) throw new IoError("The store is away.");
          return answer;
        };
      },
    });
    const parts = await startFeedback({ ontologyStore, responseCap: { responses: 1, minutes: 60 } });
    const objected = parts.mails.reached("rcpt").then(() => setCustomer(store, "abi:doNotContact", true));
    parts.mails.script("rcpt", { code: 451, after: objected });
    const result = await parts.workflow.run(feedback());
    return { ...parts, result };
  }

  it("keeps withholding an email even if the customer withdraws the objection while that is recorded", async () => {
    const { result, mails, workflow } = await startObjection(1);
    expect(result).toMatchObject({ success: true, steps_completed: ANALYZED });
    expect(await workflow.findWorkflow("F-1")).toMatchObject({ status: "completed", current_step: ANALYZED.at(-1) });
    expect(result.response_withheld).toMatch(/does not want to be contacted/);
    expect(mails.mails).toEqual([]);
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toHaveProperty("response_id");
  });

  it("needs a new place under the cap to send a withheld email when the run is retried", async () => {
    const { result, mails, workflow, ontologyStore } = await startObjection(3);
    expect(result).toMatchObject({ success: false, error_type: "io_error" });
    expect(await values(ontologyStore, "Feedback", "abi:responsePermitted")).toEqual([]);
    expect(await workflow.run(feedback())).toHaveProperty("response_id");
    expect(await values(ontologyStore, "Feedback", "abi:responsePermitted")).toHaveLength(1);
    expect(await workflow.run(feedback({ feedback_id: "F-2" }))).toHaveProperty("response_withheld");
    expect(mails.mails).toHaveLength(1);
  });

  it("sends one customer no more emails than the cap allows, and more once its period has passed", async () => {
    let now = new Date("2026-05-01T10:00:00Z");
    const { workflow, mails } = await startFeedback({ responseCap: { responses: 3, minutes: 60 }, clock: () => now });
    const run = (n: number, customer_id = "C-1") => workflow.run(feedback({ feedback_id: `F-${n}`, customer_id }));
    const results = await Promise.all(Array.from({ length: 8 }, (_, n) => run(n)));
    expect(results.every(({ success }) => success)).toBe(true);
    expect(
      results.filter(({ response_withheld }) => /3 automatic emails within 60 minutes/.test(response_withheld ?? "")),
    ).toHaveLength(5);
    expect(mails.mails).toHaveLength(3);
    expect(await run(8, "C-5000")).toHaveProperty("response_id");
    now = new Date("2026-05-01T11:00:01Z");
    expect(await run(9)).toHaveProperty("response_id");
  });

  it("greets a customer without a name", async () => {
    const { workflow, mails } = await startFeedback();
    expect(await workflow.run(feedback({ customer_id: "C-nameless" }))).toMatchObject({ success: true });
    expect(mails.mails[0]!.parsed.text).not.toMatch(/undefined|null|\{\{/);
  });

  it("counts a lifetime value that is not a number as 0", async () => {
    const { workflow, ontologyStore } = await startFeedback();
    await ontologyStore.update(
      "customer_data",
      `${PREFIXES} INSERT DATA { <http://example.org/abi/Customer/odd> a abi:Customer ; abi:id "odd" ; abi:email "odd@example.org" ; abi:lifetimeValue "a lot" }`,
    );
    expect(await workflow.run(feedback({ customer_id: "odd", sentiment: "negative" }))).toMatchObject({
      success: true,
      action: "auto_respond",
    });
  });
});

describe("the graph after processing", () => {
  it("conforms to the package's shapes", async () => {
    const { workflow, ontologyStore } = await startFeedback();
    await workflow.run(feedback());
    await workflow.run(
      feedback({ feedback_id: "F-2", customer_id: "C-vip", feedback_text: "Charged twice, it crashes!" }),
    );
    await workflow.run(
      feedback({ feedback_id: "F-3", sentiment: "neutral", categories: ["general"], send_response: false }),
    );
    await workflow.handleEvent("feedback_response", { feedback_id: "F-1", response_text: "Thank you." });
    const data = [
      ...(await ontologyStore.getGraph("feedback_data")),
      ...(await ontologyStore.getGraph("customer_data")),
    ];
    expect(await shaclViolations(data)).toEqual([]);
    // The same validator rejects the same graph if one property is missing.
    const incomplete = data.filter(({ predicate }) => !predicate.value.endsWith("#timestamp"));
    expect(await shaclViolations(incomplete)).toContain("timestamp");
  });

  it("says which run and which analyzer it comes from, and when", async () => {
    const { workflow, ontologyStore, engine } = await startFeedback();
    await workflow.run(feedback());
    const run = (await engine.find("customer-feedback", "F-1"))!;
    const rows = await select(
      ontologyStore,
      "feedback_data",
      `${PREFIXES} SELECT ?run ?timestamp ?analyzer ?version ?score WHERE {
        ?feedback abi:id "F-1" ; abi:timestamp ?timestamp ; prov:wasGeneratedBy ?run ;
          abi:sentimentScore ?score ; abi:analyzedBy/abi:sentimentAnalyzer ?agent .
        ?agent abi:name ?analyzer ; abi:version ?version }`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!["run"]!.value).toBe(entityUri("WorkflowRun", run.id));
    expect(new Date(rows[0]!["timestamp"]!.value)).toEqual(run.startTime);
    const { name, version } = new EmbeddedSentimentAnalyzer();
    expect([rows[0]!["analyzer"]!.value, rows[0]!["version"]!.value]).toEqual([name, version]);
  });

  it("says why the fallback analyzer judged, and so do the result and the log", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
    const server = await startOpenAiServer([status(401), status(401)]);
    onTestFinished(() => server.close());
    const embedded = new EmbeddedSentimentAnalyzer();
    const analyzers = createChatModelAnalyzers({
      model: new ChatOpenAI({ model: "m", apiKey: "k", maxRetries: 0, configuration: { baseURL: server.url } }),
      modelName: "m",
      fallback: { sentimentAnalyzer: embedded, feedbackCategorizer: new EmbeddedFeedbackCategorizer() },
    });
    const { workflow, ontologyStore } = await startFeedback({ logger, ...analyzers });
    const reason = "the model service refused the key";
    expect(await workflow.run(feedback())).toMatchObject({ success: true, analysis_fallback: reason });
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ feedback_id: "F-1", reason }]);
    const data = await ontologyStore.getGraph("feedback_data");
    expect(await values(ontologyStore, "Feedback", "abi:fallbackReason")).toEqual([reason]);
    expect(await values(ontologyStore, "Analyzer", "abi:name")).toContain(embedded.name);
    expect(await shaclViolations([...data, ...(await ontologyStore.getGraph("customer_data"))])).toEqual([]);
  });

  it("holds no customer's name or address in the engine's state", async () => {
    const { workflow, engine } = await startFeedback();
    await workflow.run(feedback());
    await workflow.run(feedback({ feedback_id: "F-2", customer_id: "C-vip" }));
    expect(JSON.stringify(await engine.list())).not.toMatch(/\b(?:ada|grace)\b|@example\.org|Lovelace|Hopper/i);
  });
});

describe("the customer feedback workflow under repetition and failures", () => {
  it("answers a repeated submission with the first result, whether simultaneous or later", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    const [first, ...others] = await Promise.all(
      Array.from({ length: 10 }, () => workflow.run(feedback({ feedback_text: "I was charged twice." }))),
    );
    expect(first).not.toHaveProperty("duplicate");
    for (const other of others) expect(other).toEqual({ ...first, duplicate: true });
    expect(await workflow.run(feedback({ feedback_text: "  I was charged twice.  " }))).toEqual({
      ...first,
      duplicate: true,
    });
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Ticket", "abi:id")).toHaveLength(1);
    expect(await values(ontologyStore, "Feedback", "abi:timestamp")).toHaveLength(1);
  });

  it("refuses different content under the same id", async () => {
    const { workflow, ontologyStore } = await startFeedback();
    await workflow.run(feedback());
    expect(await workflow.run(feedback({ feedback_text: "Something else" }))).toMatchObject({
      feedback_id: "F-1",
      success: false,
      error_type: "conflict",
      retriable: false,
    });
    expect(await values(ontologyStore, "Feedback", "abi:text")).toEqual(["The product is great!"]);
  });

  it("retries the email while the server is down, and repeats no earlier step", async () => {
    const { workflow, mails, ontologyStore } = await startFeedback();
    mails.script("rcpt", { code: 451 }, { drop: true });
    expect(await workflow.run(feedback())).toMatchObject({ success: true });
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Feedback", "abi:timestamp")).toHaveLength(1);
  });

  it("fails with a retriable error, and continues with the email when it is submitted again", async () => {
    // With a longer retry time, it might send the email by itself before it is submitted again.
    const { workflow, mails } = await startFeedback({ mailRetryForMs: 0 });
    mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
    const failed = await workflow.run(feedback());
    expect(failed).toMatchObject({
      success: false,
      steps_completed: ANALYZED,
      error_type: "io_error",
      retriable: true,
    });
    expect(JSON.stringify(failed)).not.toContain("ada@");
    const again = await workflow.run(feedback());
    expect(again).toMatchObject({ success: true, steps_completed: [...ANALYZED, "response_sent"] });
    expect(again).not.toHaveProperty("duplicate");
    expect(mails.mails).toHaveLength(1);
  });

  it("fails without a retry if the server refuses the email permanently", async () => {
    const { workflow, mails } = await startFeedback();
    mails.script("rcpt", { code: 550 });
    expect(await workflow.run(feedback())).toMatchObject({
      success: false,
      error_type: "validation_error",
      retriable: false,
    });
    expect(mails.mails).toEqual([]);
  });

  it("reports an unavailable store as a retriable error", async () => {
    const parts = await startFeedback();
    let away = true;
    const { workflow } = await startFeedback({ ontologyStore: failingStore(parts.ontologyStore, () => away) });
    expect(await workflow.run(feedback())).toMatchObject({
      error_type: "io_error",
      retriable: true,
      steps_completed: [],
    });
    away = false;
    expect(
      await workflow.run(feedback({ send_response: false, feedback_id: "F-2", customer_id: "C-404" })),
    ).toMatchObject({
      error_code: "customer_not_found",
    });
  });

  it("reveals no internals when a part breaks", async () => {
    const sentimentAnalyzer: SentimentAnalyzer = {
      name: "broken",
      version: "1",
      analyze: () => {
        throw new Error("secret sk-123 in module /srv/model");
      },
    };
    const { workflow } = await startFeedback({ sentimentAnalyzer });
    const result = await workflow.run(feedback());
    expect(result).toMatchObject({
      success: false,
      error_type: "unexpected_error",
      retriable: false,
      steps_completed: ["customer_data_retrieved"],
    });
    expect(JSON.stringify(result)).not.toMatch(/sk-123|srv/);
  });
});

describe("the check of parameters", () => {
  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a list", []],
    ["text", "feedback"],
    ["no feedback_id", { ...feedback(), feedback_id: undefined }],
    ["a null feedback_id, which only the agent's tool takes", feedback({ feedback_id: null })],
    ["an empty feedback_id", feedback({ feedback_id: "" })],
    ["a feedback_id of 201 characters", feedback({ feedback_id: "x".repeat(201) })],
    ["a control character in an id", feedback({ customer_id: "C\u00001" })],
    ["NUL in the subject", feedback({ subject: "Hel\u0000lo" })],
    ["NUL in the text", feedback({ feedback_text: "I love\u0000 it" })],
    ["half a surrogate pair in an id", feedback({ feedback_id: "F-\uD800" })],
    ["a line break in the subject", feedback({ subject: "Hello\r\nBcc: everyone@example.org" })],
    ["a subject of 501 characters", feedback({ subject: "s".repeat(501) })],
    ["blank text", feedback({ feedback_text: " \n\t " })],
    ["text of 20,001 characters", feedback({ feedback_text: "t".repeat(20_001) })],
    ["an unknown sentiment", feedback({ sentiment: "angry" })],
    ["an unknown category", feedback({ categories: ["product", "weather"] })],
    ["a send_response that is no boolean", feedback({ send_response: "no" })],
    ["a field that does not exist", feedback({ recipient: "me@evil.example" })],
  ])("refuses %s without doing anything", async (_, parameters) => {
    const { workflow, mails, engine, source } = await startFeedback();
    expect(await workflow.run(parameters)).toMatchObject({
      success: false,
      steps_completed: [],
      error_type: "validation_error",
      error_code: "invalid_parameters",
      retriable: false,
    });
    await expect(workflow.startWorkflow(parameters)).rejects.toMatchObject({ type: "validation_error" });
    expect([mails.mails, await engine.list(), source.asked]).toEqual([[], [], []]);
  });

  it("names the known categories in its error", async () => {
    const { workflow } = await startFeedback();
    const { error } = await workflow.run(feedback({ categories: ["weather"] }));
    for (const category of CATEGORIES) expect(error).toContain(category);
  });

  it("accepts the longest allowed values, and empty optional fields", async () => {
    const { workflow } = await startFeedback();
    const longest = feedback({
      feedback_id: "f".repeat(200),
      subject: "s".repeat(500),
      feedback_text: `${"t ".repeat(9_999)}ok`,
      sentiment: null,
      categories: null,
      send_response: null,
    });
    expect(await workflow.run(longest)).toMatchObject({ success: true });
    expect(await workflow.run(feedback({ sentiment: "" }))).toMatchObject({ success: true, sentiment: "positive" });
  });
});
