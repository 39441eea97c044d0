import { describe, expect, it } from "vitest";
import { DataFactory } from "../../../src/ontology/n3.ts";
import { storeIri } from "../../../src/ontology/store-name.ts";
import { feedback } from "../../support/feedback.ts";
import { GRAPH_LIMITS, startHttpService, type CallOptions } from "../../support/http-service.ts";

const asAdmin = (options: CallOptions = {}): CallOptions => ({ token: "admin", ...options });
const form = (fields: Record<string, string>): CallOptions =>
  asAdmin({
    body: new URLSearchParams(fields).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
const direct = (body: string): CallOptions =>
  asAdmin({ body, headers: { "content-type": "application/sparql-query" } });
const get = (query: string): string => `/sparql?query=${encodeURIComponent(query)}`;

const SUBJECT = "SELECT ?subject { ?f a abi:Feedback ; abi:subject ?subject }";
const ANSWER = {
  head: { vars: ["subject"] },
  results: { bindings: [{ subject: { type: "literal", value: "Subject" } }] },
};

/** Takes longer than any test waits. */
const ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o . ?p ?q ?r }";

async function startGraph(limits: Partial<typeof GRAPH_LIMITS> = {}) {
  const parts = await startHttpService();
  await parts.workflow.run(feedback({ subject: "Subject" }));
  if (Object.keys(limits).length === 0) return parts;
  const { ontologyStore } = parts;
  const graph = { runner: ontologyStore.queryRunner, store: "feedback_data", ...GRAPH_LIMITS, ...limits };
  return startHttpService({ feedback: { ontologyStore }, api: { graph } });
}

describe("the graph", () => {
  it("can be queried in each way that the protocol defines", async () => {
    const { call } = await startGraph();
    for (const answer of [
      await call("GET", get(SUBJECT), asAdmin()),
      await call("POST", "/sparql", direct(SUBJECT)),
      await call("POST", "/sparql", form({ query: SUBJECT })),
    ]) {
      expect(answer).toMatchObject({ status: 200, body: ANSWER });
      expect(answer.headers.get("content-type")).toBe("application/sparql-results+json");
    }
    expect(await call("GET", get("ASK { ?s ?p ?o }"), asAdmin())).toMatchObject({ body: { head: {}, boolean: true } });
    const triples = await call("GET", get("CONSTRUCT WHERE { ?f abi:subject ?s }"), asAdmin());
    expect(triples.headers.get("content-type")).toBe("application/n-triples");
    expect(triples.text).toMatch(/^<[^>]+> <[^>]+subject> "Subject" \.\n$/);
    const none = await call("GET", get("CONSTRUCT WHERE { ?f abi:nothing ?s }"), asAdmin());
    expect([none.headers.get("content-type"), none.text]).toEqual(["application/n-triples", ""]);
  });

  it("is another store if the request names one", async () => {
    const { call } = await startGraph();
    const query = 'ASK { ?c abi:id "C-1" }';
    expect(await call("GET", get(query), asAdmin())).toMatchObject({ body: { boolean: false } });
    const other = `&default-graph-uri=${encodeURIComponent(storeIri("customer_data"))}`;
    expect(await call("GET", `${get(query)}${other}`, asAdmin())).toMatchObject({ body: { boolean: true } });
    expect(
      await call("POST", "/sparql", form({ query, "default-graph-uri": storeIri("customer_data") })),
    ).toMatchObject({
      body: { boolean: true },
    });
  });

  it.each<[string, string, CallOptions, number]>([
    ["no token", get(SUBJECT), { token: undefined }, 401],
    ["a token for something else", get(SUBJECT), { token: "writer" }, 403],
    ["no query", "/sparql", asAdmin(), 400],
    ["two queries", `${get(SUBJECT)}&query=ASK{}`, asAdmin(), 400],
    ["what does not parse", get("SELECT"), asAdmin(), 400],
    ["an update", get("INSERT DATA { abi:a abi:b abi:c }"), asAdmin(), 400],
    ["an update as the protocol has it", `${get(SUBJECT)}&update=CLEAR+ALL`, asAdmin(), 400],
    ["a query with another graph", get("SELECT * FROM <http://example.org/x> { ?s ?p ?o }"), asAdmin(), 400],
    ["a query of another service", get("SELECT * { SERVICE <http://example.org/x> { ?s ?p ?o } }"), asAdmin(), 400],
    ["a graph of another place", `${get(SUBJECT)}&default-graph-uri=http://example.org/x`, asAdmin(), 400],
    ["named graphs", `${get(SUBJECT)}&named-graph-uri=http://example.org/x`, asAdmin(), 400],
    ["another format", get(SUBJECT), asAdmin({ headers: { accept: "text/csv" } }), 406],
  ])("refuses %s", async (_, path, options, status) => {
    const { call } = await startGraph();
    const answer = await call("GET", path, options);
    expect(answer).toMatchObject({ status, body: { status } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
  });

  it("refuses an update in a body, and changes nothing", async () => {
    const { call, ontologyStore } = await startGraph();
    const update = "DELETE WHERE { ?s ?p ?o }";
    const before = (await ontologyStore.getGraph("feedback_data")).length;
    for (const options of [
      direct(update),
      form({ query: update }),
      form({ update }),
      asAdmin({ body: update, headers: { "content-type": "application/sparql-update" } }),
    ]) {
      expect((await call("POST", "/sparql", options)).status).toBeOneOf([400, 415]);
    }
    expect(await ontologyStore.getGraph("feedback_data")).toHaveLength(before);
    expect((await call("POST", "/sparql", direct(update))).body["detail"]).toBe(
      "This is an update, not a query. Nothing can be changed here: ask with SELECT, ASK, CONSTRUCT or DESCRIBE.",
    );
  });

  it("stops an endless query, and answers others in the meantime", async () => {
    const { call, ontologyStore } = await startGraph({ timeoutMs: 300 });
    const node = (n: number) => DataFactory.namedNode(`http://example.org/n${n}`);
    await ontologyStore.insert(
      "feedback_data",
      Array.from({ length: 300 }, (_, n) => DataFactory.quad(node(n), node(n + 1), node(n + 2))),
    );
    const endless = call("POST", "/sparql", direct(ENDLESS));
    expect(await call("GET", "/livez")).toMatchObject({ status: 200 });
    expect(await endless).toMatchObject({ status: 422, body: { error_code: "query_timeout", retriable: false } });
    const patient = await startHttpService({ feedback: { ontologyStore } });
    expect(await patient.call("GET", get(SUBJECT), asAdmin())).toMatchObject({ status: 200, body: ANSWER });
  });

  it("says when rows were left out", async () => {
    const { call } = await startGraph({ maximumRows: 2 });
    const { body, headers } = await call("GET", get("SELECT * { ?s ?p ?o }"), asAdmin());
    expect((body["results"] as { bindings: object[] }).bindings).toHaveLength(2);
    expect(headers.get("x-truncated")).toBe("true");
  });
});
