import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import type { ToolOptions } from "../../src/interfaces/model-calls/fixed-fields.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { toolConformance } from "../../testing/index.ts";
import { createKnowledgeGraphTools, graphQuestion, type KnowledgeGraphToolsOptions } from "../../tools/index.ts";
import { fillWithFeedback } from "../support/questions.ts";

async function open(options: Partial<KnowledgeGraphToolsOptions> = {}, toolOptions: ToolOptions = {}) {
  const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
  onTestFinished(() => ontologyStore.close());
  await fillWithFeedback(ontologyStore);
  const tools = await createKnowledgeGraphTools({ ontologyStore, ...options }, toolOptions);
  const call = async (name: string, args: object, context?: object): Promise<Record<string, unknown>> => {
    const tool = tools.find((one) => one.name === name)!;
    return JSON.parse((await tool.invoke(args as never, { context } as never)) as string) as Record<string, unknown>;
  };
  const idsOf = ({ rows }: Record<string, unknown>) =>
    (rows as { feedback_id: string }[]).map(({ feedback_id }) => feedback_id);
  return { ontologyStore, tools, call, idsOf, names: tools.map(({ name }) => name) };
}

const VALID: Record<string, Record<string, unknown>> = {
  get_customer_history: { customer_id: "C-1" },
  look_up_feedback: { feedback_id: "F-2" },
  list_open_escalations: {},
  count_complaints: { category: "billing" },
  find_similar_complaints: { customer_id: "C-1", feedback_id: "F-2" },
  list_sent_mails: { customer_id: "C-2" },
  query_knowledge_graph: { query: "SELECT * { ?s a abi:Ticket }" },
};

describe("createKnowledgeGraphTools", () => {
  it("returns a tool for each question, and a free query only on request", async () => {
    expect((await open()).names).toEqual(Object.keys(VALID).slice(0, 6));
    expect((await open({ freeQuery: true })).names).toEqual(Object.keys(VALID));
  });

  it.each(Object.entries(VALID))("returns a tool %s that passes the conformance suite", async (name, valid) => {
    const { tools } = await open({ freeQuery: true });
    const tool = tools.find((one) => one.name === name)!;
    const checks = toolConformance({
      tool,
      validArguments: () => valid,
      invalidArguments: { ...valid, customer_id: ["x"], query: 5 },
      effects: "none",
    });
    for (const { check } of checks) await expect(check()).resolves.toBeUndefined();
  });

  it("accepts the placeholders that models send for parameters without a value", async () => {
    const { call, idsOf } = await open();
    const all = await call("get_customer_history", { customer_id: "C-1", since: null, until: null });
    expect(idsOf(all)).toEqual(["F-6", "F-3", "F-2", "F-1"]);
    expect(
      await call("count_complaints", { category: "none", since: "null", until: "", per: null, customer_id: null }),
    ).toMatchObject({
      truncated: false,
      rows: expect.arrayContaining([expect.objectContaining({ period: "2026-11" })]),
    });
  });

  it.each<[string, ToolOptions, object | undefined]>([
    ["set for all calls", { fixed: { customer_id: "C-1" } }, undefined],
    ["given with each call", { fromContext: ["customer_id"] }, { customer_id: "C-1" }],
  ])("answers only about the customer that is %s", async (_, toolOptions, context) => {
    const { tools, call, idsOf } = await open({}, toolOptions);
    expect(tools).toHaveLength(6);
    for (const tool of tools) expect(JSON.stringify(tool.schema)).not.toContain("customer_id");
    expect(idsOf(await call("get_customer_history", { since: null, until: null }, context))).toHaveLength(4);
    expect(idsOf(await call("list_open_escalations", { priority: null }, context))).toEqual(["F-2", "F-1"]);
    for (const tool of tools) {
      const refused = await call(tool.name, { ...VALID[tool.name], customer_id: "C-2" }, context);
      expect(refused).toMatchObject({
        success: false,
        error: expect.stringContaining("customer_id: is set by the program"),
      });
    }
    expect(await call("find_similar_complaints", { feedback_id: "F-4" }, context)).toMatchObject({ rows: [] });
    expect(await call("look_up_feedback", { feedback_id: "F-4" }, context)).toMatchObject({ rows: [] });
    expect(idsOf(await call("look_up_feedback", { feedback_id: "F-2" }, context))).toEqual(["F-2"]);
  });

  it("refuses calls without the customer if the call's context must name one", async () => {
    const { call } = await open({}, { fromContext: ["customer_id"] });
    expect(await call("list_open_escalations", { priority: null })).toMatchObject({ error_code: "context_missing" });
  });

  it("leaves out questions that can't be restricted by the set fields", async () => {
    expect((await open({}, { fixed: { customer_id: "C-1", category: "bug" } })).names).toEqual(["count_complaints"]);
    const refused = { code: "invalid_configuration" };
    await expect(open({}, { fixed: { customer: "C-1" } })).rejects.toMatchObject(refused);
    await expect(open({}, { fixed: { feedback_id: "F-1", category: "bug" } })).rejects.toMatchObject(refused);
    await expect(open({}, { fixed: { category: "all" } })).rejects.toMatchObject(refused);
    await expect(open({ freeQuery: true }, { fromContext: ["customer_id"] })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining("free query can't be confined"),
    });
  });
});

describe("query_knowledge_graph", () => {
  it("answers with columns and rows, yes or no, or triples", async () => {
    const { call } = await open({ freeQuery: true });
    const query = (text: string) => call("query_knowledge_graph", { query: text });
    expect(
      await query(
        "SELECT ?sentiment (COUNT(?f) AS ?n) (SAMPLE(?x) AS ?none) { ?f abi:sentiment ?sentiment } GROUP BY ?sentiment ORDER BY ?n",
      ),
    ).toEqual({
      columns: ["sentiment", "n", "none"],
      rows: [
        ["positive", 1, null],
        ["negative", 5, null],
      ],
      truncated: false,
    });
    expect(await query("ASK { ?f abi:responseSent true }")).toEqual({ answer: true, truncated: false });
    expect(await query("CONSTRUCT WHERE { ?t abi:priority 'normal' }")).toMatchObject({
      columns: ["subject", "predicate", "object"],
      rows: [["http://example.org/abi/Ticket/T-F-1", "http://example.org/abi#priority", "normal"]],
    });
    expect(await query("SELECT * { ?s ?p ?o }")).toMatchObject({
      truncated: true,
      rows: { length: 50 },
      note: expect.stringContaining("first 50 rows"),
    });
  });

  it("tells the model what is wrong, and what it may query", async () => {
    const { call, tools } = await open({ freeQuery: true });
    const query = (text: string) => call("query_knowledge_graph", { query: text });
    expect(await query("SELECT ?x { ?x abi:text ?y }")).toMatchObject({
      success: false,
      error_code: "not_visible",
      error: expect.stringMatching(/#text.*#hasCategory/),
    });
    expect(await query("DELETE WHERE { ?s ?p ?o }")).toMatchObject({
      error_code: "unsupported_sparql",
      error: expect.stringMatching(/Nothing can be changed here: ask with SELECT/),
    });
    expect(await query("SELECT")).toMatchObject({ error_code: "invalid_sparql", retriable: false });
    expect(await query("x".repeat(10_001))).toMatchObject({ error_code: "invalid_parameters" });
    const { description } = tools.find(({ name }) => name === "query_knowledge_graph")!;
    expect(description).toContain("abi:hasCategory");
    expect(description).not.toContain("abi:email");
  });

  it("stops at the time limit", async () => {
    const { call } = await open({ freeQuery: true, timeoutMs: 300 });
    const query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p }";
    expect(await call("query_knowledge_graph", { query })).toMatchObject({
      success: false,
      error_code: "query_timeout",
    });
  });

  it("sees everything if personal data is allowed", async () => {
    const { call, tools } = await open({ freeQuery: true, allowPersonalData: true });
    const query =
      "SELECT ?email { GRAPH <http://example.org/abi/stores/customer_data> { ?c abi:id 'C-1' ; abi:email ?email } }";
    expect(await call("query_knowledge_graph", { query })).toMatchObject({ rows: [["ada@example.com"]] });
    expect(tools.at(-1)!.description).toContain("abi:email");
  });
});

describe("a custom question", () => {
  const question = graphQuestion("count_of_category", {
    description: "Count feedback of a category.",
    store: "feedback_data",
    parameters: z.strictObject({ category: z.string(), answered: z.boolean().optional() }),
    sparql:
      "SELECT (COUNT(?f) AS ?n) (SAMPLE(?f) AS ?any) { ?f abi:hasCategory ?category OPTIONAL { ?f abi:responseSent ?answered } }",
    row: z.object({ n: z.int(), any: z.string().optional() }),
  });

  it("becomes a tool, with the values of its parameters bound", async () => {
    const { names, call } = await open({ questions: [question] });
    expect(names).toEqual(["count_of_category"]);
    expect(await call("count_of_category", { category: "bug" })).toMatchObject({
      rows: [{ n: 2, any: expect.stringMatching(/Feedback\/F-[26]$/) }],
    });
    expect(await call("count_of_category", { category: `bug" } #` })).toEqual({ rows: [{ n: 0 }], truncated: false });
  });

  it.each([
    ["does not parse", { sparql: "SELECT" }, /does not parse/],
    [
      "is no SELECT",
      { sparql: "ASK { ?f abi:hasCategory ?category ; abi:responseSent ?answered }" },
      /must be a SELECT/,
    ],
    ["changes something", { sparql: "DELETE WHERE { ?s ?p ?o }" }, /update/],
    [
      "lacks a variable for a parameter",
      { sparql: "SELECT ?n ?any { ?any abi:hasCategory ?category ; abi:id ?n }" },
      /no variable \?answered/,
    ],
    [
      "does not select a field of its rows",
      { sparql: "SELECT ?n { ?f abi:hasCategory ?category ; abi:responseSent ?answered }" },
      /must select \?any/,
    ],
  ])("that %s is refused before it can be asked", async (_, changes, message) => {
    const broken = { ...question, ...changes };
    await expect(open({ questions: [broken] })).rejects.toMatchObject({
      code: "invalid_configuration",
      message: expect.stringMatching(message),
    });
  });

  it("whose rows don't match its schema fails without revealing what was found", async () => {
    const { call } = await open({ questions: [{ ...question, row: z.object({ n: z.string() }) }] });
    expect(await call("count_of_category", { category: "bug" })).toEqual({
      success: false,
      error: "Something went wrong on our side. The log has the details.",
      error_code: "unexpected_row",
      error_type: "unexpected_error",
      retriable: false,
    });
  });
});
