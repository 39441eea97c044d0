import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ABIGraph } from "../../../src/ontology/abi-graph.ts";
import type { OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { SparqlEndpointStore } from "../../../src/ontology/sparql-endpoint/sparql-endpoint-store.ts";
import { checkQuestion } from "../../../src/questions/check-question.ts";
import { questionOperation, type QuestionOptions } from "../../../src/questions/question-operation.ts";
import { parse } from "../../../src/framework/validation.ts";
import { CUSTOMER_FEEDBACK_QUESTIONS } from "../../../src/workflows/customer-feedback/questions.ts";
import { fillWithFeedback, HOSTILE_VALUES } from "../../support/questions.ts";
import { startSparqlEndpoint } from "../../support/sparql-endpoint.ts";

const { TEST_SPARQL_ENDPOINT: real, TEST_SPARQL_AUTHENTICATION } = process.env;

const KINDS: Record<string, () => Promise<{ store: OntologyStore; end(): Promise<void> }>> = {
  "the embedded store": async () => {
    const store = await OxigraphOntologyStore.open({ path: ":memory:" });
    return { store, end: () => store.close() };
  },
  "a SPARQL endpoint": async () => {
    const endpoint = await startSparqlEndpoint({ closeWithTest: false });
    return { store: new SparqlEndpointStore({ url: `${endpoint.origin}/sparql` }), end: () => endpoint.close() };
  },
  ...(real !== undefined && {
    "a real SPARQL endpoint": async () => {
      const authentication = TEST_SPARQL_AUTHENTICATION === "digest" ? "digest" : "basic";
      const store = new SparqlEndpointStore({ url: real, authentication });
      const empty = async () => {
        for (const name of await store.listStores()) await store.deleteStore(name);
      };
      await empty();
      return { store, end: empty };
    },
  }),
};

type Rows = Record<string, unknown>[];

describe.each(Object.entries(KINDS))("questions about customer feedback on %s", (_, open) => {
  let opened: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    opened = await open();
    await fillWithFeedback(opened.store);
  });
  afterAll(() => opened.end());

  const ask = async (name: string, parameters: object, options: Partial<QuestionOptions> = {}) => {
    const question = CUSTOMER_FEEDBACK_QUESTIONS.find((one) => one.name === name)!;
    const operation = questionOperation(question, { queryRunner: opened.store.queryRunner, ...options });
    const answer = await operation.run(parse(operation.input, parameters), {});
    expect(parse(operation.output, answer)).toEqual(answer);
    return answer as { rows: Rows; truncated: boolean; note?: string };
  };
  const ids = async (name: string, parameters: object, field = "feedback_id") =>
    (await ask(name, parameters)).rows.map((row) => row[field]);

  it("find a customer's history", async () => {
    const { rows, truncated } = await ask("get_customer_history", { customer_id: "C-1" });
    expect(truncated).toBe(false);
    expect(rows.map(({ feedback_id }) => feedback_id)).toEqual(["F-6", "F-3", "F-2", "F-1"]);
    expect(rows[1]).toEqual({
      feedback_id: "F-3",
      customer_id: "C-1",
      received_at: expect.stringMatching(/^2026-11-20T10:00:00/),
      sentiment: "positive",
      categories: ["usability"],
      action: "auto_respond",
      answered_at: expect.stringMatching(/^2026-11-20T10:00:05/),
    });
    expect(rows[2]).toMatchObject({ categories: ["billing", "bug"], ticket_id: "T-F-2", sentiment: "negative" });
    const october = { customer_id: "C-1", since: "2026-10-01", until: "2026-11-01T00:00:00+01:00" };
    expect(await ids("get_customer_history", october)).toEqual(["F-2"]);
    expect(await ids("get_customer_history", { customer_id: "C-404" })).toEqual([]);
  });

  it("find one piece of feedback", async () => {
    const { rows, truncated } = await ask("look_up_feedback", { feedback_id: "F-2" });
    expect(truncated).toBe(false);
    expect(rows).toEqual([
      {
        feedback_id: "F-2",
        customer_id: "C-1",
        received_at: expect.stringMatching(/^2026-10-01T00:00:00/),
        sentiment: "negative",
        categories: ["billing", "bug"],
        action: "escalate",
        mail: "none",
        ticket_id: "T-F-2",
      },
    ]);
    const answered = await ask(
      "look_up_feedback",
      { feedback_id: "F-3", customer_id: "C-1" },
      { allowPersonalData: true },
    );
    expect(answered.rows).toMatchObject([
      {
        mail: "sent",
        answered_at: expect.stringMatching(/^2026-11-20T10:00:05/),
        subject: "Subject of F-3",
        text: "Text of F-3",
        customer_name: "Ada Lovelace",
        customer_email: "ada@example.com",
      },
    ]);
    expect(await ids("look_up_feedback", { feedback_id: "F-2", customer_id: "C-2" })).toEqual([]);
    expect(await ids("look_up_feedback", { feedback_id: "T-F-2" })).toEqual([]);
    expect(await ids("look_up_feedback", { feedback_id: "F-404" })).toEqual([]);
  });

  it("find open escalations", async () => {
    expect(await ids("list_open_escalations", {}, "ticket_id")).toEqual(["T-F-2", "T-F-1"]);
    expect(await ids("list_open_escalations", { priority: "normal" }, "ticket_id")).toEqual(["T-F-1"]);
    expect(await ids("list_open_escalations", { customer_id: "C-2" }, "ticket_id")).toEqual([]);
    expect((await ask("list_open_escalations", { customer_id: "C-1" })).rows[0]).toEqual({
      ticket_id: "T-F-2",
      priority: "high",
      opened_at: expect.stringMatching(/^2026-10-01T00:00:00/),
      feedback_id: "F-2",
      customer_id: "C-1",
      sentiment: "negative",
      categories: ["billing", "bug"],
    });
  });

  it("count complaints by category and time", async () => {
    const counts = async (parameters: object) =>
      (await ask("count_complaints", parameters)).rows.map((row) => Object.values(row).join(" "));
    expect(await counts({ since: "2026-10-01" })).toEqual([
      "2026-10 billing 2 2",
      "2026-10 bug 1 1",
      "2026-11 billing 1 1",
      "2026-11 bug 1 1",
      "2026-11 performance 1 1",
      "2026-11 service 1 1",
    ]);
    expect(await counts({ per: "year", category: "billing" })).toEqual(["2026 billing 4 2"]);
    expect(await counts({ per: "year", category: "billing", customer_id: "C-2" })).toEqual(["2026 billing 1 1"]);
    expect(await counts({ per: "day", until: "2026-10-01" })).toEqual(["2026-09-30 billing 1 1"]);
  });

  it("find similar complaints of the same customer, and of nobody else", async () => {
    const similar = (feedback_id: string, customer_id = "C-1") =>
      ids("find_similar_complaints", { customer_id, feedback_id });
    expect(await similar("F-2")).toEqual(["F-6", "F-1"]);
    expect((await ask("find_similar_complaints", { customer_id: "C-1", feedback_id: "F-2" })).rows[0]).toMatchObject({
      categories: ["billing", "bug"],
    });
    expect(await similar("F-3")).toEqual([]);
    expect(await similar("F-4")).toEqual([]);
    expect(await similar("F-1", "C-2")).toEqual([]);
  });

  it("find emails sent to a customer", async () => {
    expect(await ids("list_sent_mails", { customer_id: "C-2" })).toEqual(["F-5", "F-4"]);
    expect((await ask("list_sent_mails", { customer_id: "C-1" })).rows).toEqual([
      {
        feedback_id: "F-3",
        customer_id: "C-1",
        sent_at: expect.stringMatching(/^2026-11-20T10:00:05/),
        message_id: "<F-3@shop>",
        action: "auto_respond",
      },
    ]);
    expect(await ids("list_sent_mails", { customer_id: "C-2", since: "2026-11-01" })).toEqual(["F-5"]);
  });

  it("leave out rows beyond the limit, and say so", async () => {
    const { rows, truncated, note } = await ask("get_customer_history", { customer_id: "C-1" }, { maximumRows: 2 });
    expect({ length: rows.length, truncated, note }).toEqual({
      length: 2,
      truncated: true,
      note: expect.stringContaining("first 2 rows"),
    });
  });

  it("reveal no names, addresses or texts of customers unless that is allowed", async () => {
    const all = [
      ["get_customer_history", { customer_id: "C-1" }],
      ["list_open_escalations", {}],
      ["count_complaints", {}],
      ["find_similar_complaints", { customer_id: "C-1", feedback_id: "F-2" }],
      ["list_sent_mails", { customer_id: "C-1" }],
    ] as const;
    for (const [name, parameters] of all) {
      expect(JSON.stringify(await ask(name, parameters))).not.toMatch(/Ada|Lund|example\.com|Subject of|Text of/);
    }
    const allowed = { allowPersonalData: true };
    expect((await ask("list_open_escalations", {}, allowed)).rows[0]).toMatchObject({
      subject: "Subject of F-2",
      customer_name: "Ada Lovelace",
      customer_email: "ada@example.com",
    });
    expect((await ask("get_customer_history", { customer_id: "C-2" }, allowed)).rows[0]).toMatchObject({
      subject: "Subject of F-5",
    });
  });

  it.each(
    HOSTILE_VALUES.map((value) => [value.length > 60 ? `${value.slice(0, 10)}… (${value.length})` : value, value]),
  )("treat %j as an unknown id, or refuse it", async (_name, value) => {
    for (const [name, rest] of [
      ["get_customer_history", {}],
      ["list_open_escalations", {}],
      ["count_complaints", {}],
      ["find_similar_complaints", { feedback_id: "F-2" }],
      ["list_sent_mails", {}],
    ] as const) {
      const answer = await ask(name, { ...rest, customer_id: value }).catch((error: unknown) => error);
      expect(answer).toSatisfy(
        (one: { rows?: Rows; type?: string }) => one.rows?.length === 0 || one.type === "validation_error",
      );
    }
    const other = await ask("find_similar_complaints", { customer_id: "C-1", feedback_id: value }).catch(
      (error: unknown) => error,
    );
    expect(other).toSatisfy(
      (one: { rows?: Rows; type?: string }) => one.rows?.length === 0 || one.type === "validation_error",
    );
  });

  it("find a customer with a hostile id, and only them", async () => {
    const id = `" } ?s ?p ?o #`;
    const customers = new ABIGraph();
    const customer = customers.createEntity("Customer", { id });
    const graph = new ABIGraph();
    const feedback = graph.createEntity("Feedback", {
      id: "F-hostile",
      subject: "x",
      sentiment: "neutral",
      action: "no_action",
      hasCategory: "general",
      timestamp: new Date("2026-01-01T00:00:00Z"),
    });
    graph.createRelationship(feedback, "providedBy", customer);
    await opened.store.insert("customer_data", customers);
    await opened.store.insert("feedback_data", graph);
    expect(await ids("get_customer_history", { customer_id: id })).toEqual(["F-hostile"]);
  });

  it.each([
    [{ since: "yesterday" }],
    [{ since: `2026-01-01" . } #` }],
    [{ category: "everything" }],
    [{ per: "hour" }],
    [{ per: "10) AS ?x } #" }],
    [{ unknown: 1 }],
  ])("refuse %j", async (parameters) => {
    await expect(ask("count_complaints", parameters)).rejects.toMatchObject({ type: "validation_error" });
  });
});

it("a question that is an update is refused, and its author reads why", () => {
  const [question] = CUSTOMER_FEEDBACK_QUESTIONS;
  expect(() => checkQuestion({ ...question!, sparql: "DELETE WHERE { ?s ?p ?o }" })).toThrow(
    /its SPARQL does not work\. This is an update, not a query\. A question can only read\.$/,
  );
});

it.each(CUSTOMER_FEEDBACK_QUESTIONS.map((question) => [question.name, question]))(
  "%s can be answered",
  (_, question) => {
    expect(() => checkQuestion(question)).not.toThrow();
    // So that a program that knows the customer can set it.
    expect(Object.keys(question.parameters.shape)).toContain("customer_id");
  },
);
