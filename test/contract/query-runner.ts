/**
 * What every query runner must do. An adapter's test passes functions that create and destroy a
 * store.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ValidationError } from "../../src/errors.ts";
import { ABIGraph } from "../../src/ontology/abi-graph.ts";
import { entityUri } from "../../src/ontology/entity-uri.ts";
import { iri } from "../../src/ontology/iri.ts";
import type { OntologyStore, Row } from "../../src/ontology/ontology-store.ts";
import type { QueryAnswer, QueryRequest } from "../../src/ontology/query-runner.ts";
import { abi, PREFIXES, prov, rdf } from "../../src/ontology/vocabulary.ts";
import { IMPERSONAL_DATA } from "../../src/workflows/customer-feedback/visible-data.ts";

export interface QueryRunnerFixture {
  /** A new, empty store. */
  create(): Promise<OntologyStore>;
  destroy(store: OntologyStore): Promise<void>;
  /** Makes the next query endless, for stores whose endless queries would disturb other tests. */
  hang?: () => void;
}

const SECRET = /ada|lovelace|example\.com|hidden words|ann/i;

/** Everything that identifies a person, or that a person wrote, contains one of these words. */
async function fill(store: OntologyStore): Promise<void> {
  const customers = new ABIGraph();
  const customer = customers.createEntity("Customer", { id: "C-1", name: "Ada Lovelace", email: "ada@example.com" });
  await store.insert("customer_data", customers);
  const graph = new ABIGraph();
  const feedback = graph.createEntity("Feedback", {
    id: "F-1",
    subject: "hidden words",
    text: "hidden words of ada@example.com",
    sentiment: "negative",
    sentimentEvidence: "hidden words",
    timestamp: new Date("2026-11-22T09:00:00Z"),
  });
  graph.addProperty(feedback, "hasCategory", "billing");
  graph.createRelationship(feedback, "providedBy", customer);
  const draft = graph.createEntity("ResponseDraft", {
    id: "5f3c",
    recipient: "ada@example.com",
    subject: "RE: hidden words",
    html: "<p>Hello Ada</p>",
    refusal: "550 ada@example.com is unknown",
  });
  graph.createRelationship(feedback, "hasDraft", draft);
  const ann = iri(entityUri("Person", "Ann"));
  const decision = graph.createEntity("ResponseDecision", { id: "5f3c", reason: "hidden words" });
  graph.createRelationship(decision, prov.used, draft);
  graph.createRelationship(decision, prov.wasAssociatedWith, ann);
  graph.createRelationship(ann, rdf.type, abi.Person);
  graph.createRelationship(ann, rdf.type, prov.Person);
  graph.addProperty(ann, "name", "Ann");
  await store.insert("feedback_data", graph);
}

/**
 * Attempts to reach hidden data. Each must be refused, or answered as if the data did not exist:
 * without rows that show it, with `false` or with 0.
 */
const ATTEMPTS: Readonly<Record<string, string>> = {
  "a property by name": "SELECT ?x { ?s abi:text ?x }",
  "a property by its IRI": "SELECT ?x { ?s <http://example.org/abi#recipient> ?x }",
  "a property of another prefix": "PREFIX own: <http://example.org/abi#re> SELECT ?x { ?s own:cipient ?x }",
  "a prefix that is declared twice":
    "PREFIX own: <http://example.org/abi#i> PREFIX own: <http://example.org/abi#> SELECT ?x { ?s own:text ?x }",
  "a prefix that is declared twice, the other way round":
    "PREFIX own: <http://example.org/abi#> PREFIX own: <http://example.org/abi#i> SELECT ?x { ?s own:d ?x }",
  "an IRI relative to a base": "BASE <http://example.org/> SELECT ?x { ?s <abi#text> ?x }",
  "a prefix relative to a base": "BASE <http://example.org/> PREFIX own: <abi#> SELECT ?x { ?s own:text ?x }",
  "a property in escapes": String.raw`SELECT ?x { ?s <http://example.org/abi#te\u0078t> ?x }`,
  "a local name in escapes": String.raw`SELECT ?x { ?s abi:te\u0078t ?x }`,
  "a variable as the property": "SELECT * { ?s ?p ?o }",
  "a variable as the property of a known thing": "SELECT * { <http://example.org/abi/Feedback/F-1> ?p ?o }",
  "a variable that VALUES sets": "SELECT * { VALUES ?p { abi:text abi:recipient } ?s ?p ?o }",
  "a variable that VALUES sets at the end": "SELECT * { ?s ?p ?o } VALUES ?p { abi:text }",
  "a variable that BIND sets": "SELECT * { BIND(abi:text AS ?p) ?s ?p ?o }",
  "a variable that BIND sets from text": `SELECT * { BIND(IRI(CONCAT("http://example.org/abi#", "text")) AS ?p) ?s ?p ?o }`,
  "a variable that comes from outside OPTIONAL":
    "SELECT * { VALUES ?p { abi:text } OPTIONAL { ?s ?p ?o } OPTIONAL { ?s ?p ?o2 } }",
  "a variable in a sub-SELECT": "SELECT * { { SELECT ?o { ?s ?p ?o } } }",
  "a variable renamed in a sub-SELECT": "SELECT * { { SELECT (?o AS ?x) (?p AS ?y) { ?s ?p ?o } } }",
  "a variable in UNION": "SELECT * { { ?s abi:id ?id } UNION { ?s ?p ?o } }",
  "a variable in OPTIONAL": "SELECT * { ?s abi:id ?id OPTIONAL { ?s ?p ?o FILTER(?p = abi:text) } }",
  "a variable in nested groups": "SELECT * { { { { ?s ?p ?o } } } }",
  "a blank node as the subject": "SELECT * { [] ?p ?o }",
  "a list of properties": "SELECT * { [ ?p ?o ; ?p2 ?o2 ] }",
  "a path of length zero": "SELECT ?x { ?y abi:id* ?x }",
  "a path of length zero or one": "SELECT ?x { ?y abi:id? ?x }",
  "a path of length zero in a sequence": "SELECT ?x { ?s abi:providedBy/(abi:id*) ?x }",
  "a path by exclusion": "SELECT ?x { ?s !abi:id ?x }",
  "a path by exclusion, backwards": "SELECT ?x { ?x !(abi:id|^abi:id) ?s }",
  "a path through a property": "SELECT ?x { ?f abi:hasDraft/abi:recipient ?x }",
  "a path with alternatives": "SELECT ?x { ?f (abi:id|abi:text) ?x }",
  "an inverse path": "SELECT ?x { ?x ^abi:text ?f }",
  "a path once or more": "SELECT ?x { ?f (abi:id|abi:text)+ ?x }",
  "a path through types": "SELECT ?x { ?x rdf:type/^rdf:type ?y }",
  "a path from a person": "SELECT ?x { ?d prov:used/^prov:used/prov:wasAssociatedWith ?x }",
  "everybody of a class": "SELECT ?x { ?x a abi:Person }",
  "everybody of some class": "SELECT ?x ?class { ?x a ?class }",
  "everybody who has a class": "SELECT ?x { ?x a [] }",
  "everybody who has any property": "SELECT ?x { ?x ?p [] }",
  "a class that VALUES sets": "SELECT ?x { VALUES ?class { abi:Person prov:Person } ?x a ?class }",
  "a class and a property in variables": "SELECT ?x { ?x ?p ?class . FILTER(?class = abi:Person) }",
  "another store": "SELECT * { GRAPH <http://example.org/abi/stores/customer_data> { ?s ?p ?o } }",
  "another store by prefix":
    "PREFIX s: <http://example.org/abi/stores/> SELECT * { GRAPH s:customer_data { ?s ?p ?o } }",
  "another store's visible properties":
    "SELECT * { GRAPH <http://example.org/abi/stores/customer_data> { ?s abi:id ?id } }",
  "all stores": "SELECT * { GRAPH ?g { ?s ?p ?o } }",
  "all stores, inside out": "SELECT * { GRAPH ?g { GRAPH ?h { ?s ?p ?o } } }",
  "the list of stores": "SELECT * { GRAPH <http://example.org/abi/stores> { ?s ?p ?o } }",
  FROM: "SELECT * FROM <http://example.org/abi/stores/customer_data> { ?s ?p ?o }",
  "FROM NAMED": "SELECT * FROM NAMED <http://example.org/abi/stores/customer_data> { GRAPH ?g { ?s ?p ?o } }",
  SERVICE: "SELECT * { SERVICE <http://127.0.0.1:1/sparql> { ?s ?p ?o } }",
  "SERVICE SILENT": "SELECT * { SERVICE SILENT <http://127.0.0.1:1/sparql> { ?s ?p ?o } }",
  "a yes or no": `ASK { ?s ?p "ada@example.com" }`,
  "a yes or no about a beginning": `ASK { ?s ?p ?o FILTER(STRSTARTS(STR(?o), "ada@")) }`,
  "a yes or no by a path": `ASK { ?s (!abi:id) "ada@example.com" }`,
  "a number": `SELECT (COUNT(*) AS ?n) { ?s ?p "ada@example.com" }`,
  "a number of persons": "SELECT (COUNT(?x) AS ?n) { ?x ?p abi:Person }",
  EXISTS: `ASK { ?s abi:id ?id FILTER EXISTS { ?s ?p ?o FILTER(CONTAINS(STR(?o), "hidden")) } }`,
  "EXISTS in BIND": `ASK { ?s abi:id ?id BIND(EXISTS { ?s abi:text ?o } AS ?x) FILTER(?x) }`,
  "EXISTS in an order": "SELECT ?id { ?s abi:id ?id } ORDER BY EXISTS { ?s abi:text ?o }",
  "EXISTS in HAVING": "SELECT ?id { ?s abi:id ?id } GROUP BY ?id HAVING(EXISTS { ?s abi:text ?o })",
  "what MINUS leaves": `ASK { ?s abi:sentiment ?x OPTIONAL { ?s abi:action ?n } MINUS { ?s abi:id ?id } MINUS { ?s ?p "hidden words" } }`,
  "an aggregate": "SELECT (GROUP_CONCAT(?o) AS ?all) (SAMPLE(?o) AS ?one) { ?s ?p ?o }",
  "the least and the greatest": "SELECT (MIN(?o) AS ?least) (MAX(?o) AS ?most) { ?s ?p ?o }",
  DESCRIBE: "DESCRIBE <http://example.org/abi/Feedback/F-1>",
  "DESCRIBE of what is found": "DESCRIBE ?d { ?f abi:hasDraft ?d }",
  "DESCRIBE of everything": "DESCRIBE * { ?s abi:id ?id }",
  CONSTRUCT: "CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }",
  "CONSTRUCT in short": "CONSTRUCT WHERE { ?s ?p ?o }",
  "CONSTRUCT of other properties": "CONSTRUCT { ?s abi:id ?o } { ?s abi:text ?o }",
  "CONSTRUCT from another store": "CONSTRUCT { ?s ?p ?o } { GRAPH ?g { ?s ?p ?o } }",
  "a function of the server": `SELECT (<http://www.openlinksw.com/schemas/bif#user>() AS ?x) { }`,
  "a property that the server understands": `SELECT * { ?s ?p ?o . ?o <http://www.openlinksw.com/schemas/bif#contains> "'hidden'" }`,
  "an update": "DELETE WHERE { ?s ?p ?o }",
  "an update after a query": "SELECT * { ?s abi:id ?o } ; INSERT DATA { <urn:a> abi:id 'x' }",
  "a comment that hides the end": "SELECT * { ?s abi:id ?o . # }\n ?s abi:text ?t }",
  "a pragma": `define input:default-graph-uri <http://example.org/abi/stores/customer_data> SELECT * { ?s ?p ?o }`,
};

/** Whether an answer reveals nothing. */
const showsNothing = ({ result }: QueryAnswer): boolean => {
  if (typeof result === "boolean") return !result;
  const [row] = result as Row[];
  if (result.length === 1 && row?.["n"]) return row["n"].value === "0";
  return !SECRET.test(JSON.stringify(result));
};

const ENDLESS =
  "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?n1 ?o . ?p ?q ?r . ?s ?t ?u }";

export function queryRunnerContract(name: string, fixture: QueryRunnerFixture): void {
  describe(`${name} as a query runner`, () => {
    let store: OntologyStore;
    beforeEach(async () => {
      store = await fixture.create();
      await fill(store);
    });
    afterEach(() => fixture.destroy(store));

    const run = (sparql: string, more: Partial<QueryRequest> = {}): Promise<QueryAnswer> =>
      store.queryRunner.run({ store: "feedback_data", sparql: `${PREFIXES} ${sparql}`, ...more });

    it("answers as the store does, with bound values, and names the variables", async () => {
      const select = await run("SELECT ?id ?none { ?f abi:hasCategory ?category ; abi:id ?id }", {
        bindings: { category: "billing" },
      });
      expect(select).toMatchObject({ variables: ["id", "none"], truncated: false });
      expect((select.result as Row[]).map(({ id }) => id?.value)).toEqual(["F-1"]);
      expect(await run("ASK { ?f abi:hasCategory 'billing' }")).toMatchObject({ result: true, variables: [] });
      expect((await run("CONSTRUCT WHERE { ?f abi:hasDraft ?d }")).result).toHaveLength(1);
      expect((await run("DESCRIBE <http://example.org/abi/Feedback/F-1>")).result).not.toEqual([]);
      const other = "SELECT ?name { GRAPH <http://example.org/abi/stores/customer_data> { ?c abi:name ?name } }";
      expect((await run(other)).result).toHaveLength(1);
      expect((await run("SELECT * { ?s ?p ?o }", { store: "unknown" })).result).toEqual([]);
    });

    it("sees every write at once, even to stores that it has read before", async () => {
      const ids = async () =>
        ((await run("SELECT ?id { ?f a abi:Feedback ; abi:id ?id } ORDER BY ?id")).result as Row[]).length;
      const visible = async () =>
        ((await run("SELECT * { ?s ?p ?o }", { visible: IMPERSONAL_DATA, store: "feedback_data" })).result as Row[])
          .length;
      expect(await ids()).toBe(1);
      const before = await visible();
      const graph = new ABIGraph();
      graph.createEntity("Feedback", { id: "F-2", text: "hidden words" });
      await store.insert("feedback_data", graph);
      expect(await ids()).toBe(2);
      expect(await visible()).toBe(before + 2);
      await store.update("feedback_data", `${PREFIXES} DELETE WHERE { ?f abi:id 'F-2' ; ?p ?o }`);
      expect(await ids()).toBe(1);
      expect(await visible()).toBe(before);
      await store.deleteStore("feedback_data");
      expect(await ids()).toBe(0);
      expect(await visible()).toBe(0);
    });

    it("omits rows and triples beyond the limit, and says so", async () => {
      expect(await run("SELECT * { ?s ?p ?o }", { maximumRows: 2 })).toMatchObject({
        result: { length: 2 },
        truncated: true,
      });
      expect(await run("SELECT * { ?s ?p ?o } LIMIT 2", { maximumRows: 2 })).toMatchObject({
        result: { length: 2 },
        truncated: false,
      });
      const pairs = "CONSTRUCT { ?s abi:id ?o . ?s abi:name ?o } WHERE { ?s abi:id ?o }";
      expect(await run(pairs, { maximumRows: 3 })).toMatchObject({ result: { length: 3 }, truncated: true });
    });

    it("refuses an answer that is too long", async () => {
      await expect(run("SELECT * { ?s ?p ?o }", { maximumBytes: 300 })).rejects.toMatchObject({
        type: "validation_error",
        code: "answer_too_long",
      });
      expect((await run("SELECT ?id { ?f a abi:Feedback ; abi:id ?id }", { maximumBytes: 300 })).result).toHaveLength(
        1,
      );
    });

    it("stops a query at its time limit, and answers the next one", async () => {
      fixture.hang?.();
      await expect(run(ENDLESS, { timeoutMs: 300 })).rejects.toMatchObject({
        type: "validation_error",
        code: "query_timeout",
        message: expect.stringContaining("0.3 s"),
      });
      expect(await run("ASK { ?f abi:hasCategory 'billing' }", { timeoutMs: 600_000 })).toMatchObject({ result: true });
    });

    it("stops a query when its signal aborts, with the signal's reason", async () => {
      const reason = new Error("enough");
      await expect(run(ENDLESS, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await run("ASK { ?s ?p ?o }");
      const controller = new AbortController();
      fixture.hang?.();
      const endless = run(ENDLESS, { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 100);
      await expect(endless).rejects.toBe(reason);
      expect(await run("ASK { ?f abi:hasCategory 'billing' }")).toMatchObject({ result: true });
    });

    it("sees the same with limits and without if nothing is hidden", async () => {
      const { result } = await run("SELECT DISTINCT ?o { ?s ?p ?o }");
      expect(JSON.stringify(result)).toMatch(/ada@example\.com[^]*hidden words|hidden words[^]*ada@example\.com/);
    });

    describe("with personal data hidden", () => {
      const hidden = (sparql: string) => run(sparql, { visible: IMPERSONAL_DATA });

      it("answers from the visible part", async () => {
        const question = `SELECT ?id ?category ?draft {
          ?f a abi:Feedback ; abi:id ?id ; abi:hasCategory ?category ; abi:hasDraft/abi:id ?draft ; abi:timestamp ?when .
          FILTER(?when > "2026-01-01T00:00:00Z"^^xsd:dateTime && xsd:string(?id) = "F-1")
          FILTER NOT EXISTS { ?t a abi:Ticket ; abi:forFeedback ?f }
        }`;
        expect((await hidden(question)).result).toHaveLength(1);
        const properties = (await hidden("SELECT DISTINCT ?p { ?s ?p ?o }")).result as Row[];
        expect(properties.map(({ p }) => p?.value)).toEqual(
          expect.arrayContaining([abi.sentiment.value, abi.hasCategory.value, rdf.type.value]),
        );
        expect((await hidden("SELECT ?x { ?x a ?class }")).result).toHaveLength(3);
        expect((await hidden("CONSTRUCT WHERE { ?s abi:id ?id }")).result).toHaveLength(3);
        expect((await hidden("SELECT ?g { GRAPH ?g { ?s abi:sentiment ?x } }")).result).toHaveLength(1);
        expect(
          (await hidden("SELECT ?d { ?f (abi:hasDraft/^prov:used)|abi:hasTicket ?d }".replace("|abi:hasTicket", "")))
            .result,
        ).toHaveLength(1);
      });

      it("queries no hidden store", async () => {
        const customers = store.queryRunner.run({
          store: "customer_data",
          sparql: "SELECT * { ?s ?p ?o }",
          visible: IMPERSONAL_DATA,
        });
        await expect(customers).rejects.toMatchObject({
          code: "not_visible",
          message: expect.stringMatching(/feedback_data/),
        });
      });

      it.each(Object.entries(ATTEMPTS))("can't be circumvented: %s", async (_, sparql) => {
        const outcome = await hidden(sparql).catch((error: unknown) => error);
        expect(outcome).toSatisfy((answer) => answer instanceof ValidationError || showsNothing(answer as QueryAnswer));
      });
    });
  });
}
