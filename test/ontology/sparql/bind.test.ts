import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bindings, OntologyStore } from "../../../src/ontology/ontology-store.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { select } from "../../../src/ontology/queries.ts";
import { literal, namedNode } from "../../support/terms.ts";

const integer = namedNode("http://www.w3.org/2001/XMLSchema#integer");
const PREFIX = "PREFIX : <urn:>";

let store: OntologyStore;

beforeAll(async () => {
  store = await OxigraphOntologyStore.open({ path: ":memory:" });
  await store.update(
    "data",
    `${PREFIX} INSERT DATA {
      :a a :C ; :id "1" ; :n 1 ; :next :b ; :dead true .
      :b a :C ; :id "2" ; :n 2 ; :next :c .
      :c a :C ; :id "3" ; :n 2 ; :next :d ; :tag "x"@en .
      :d a :D ; :id "4" ; :n 3 ; :by :a , :b .
      :e a :D ; :id "5" ; :n 4 ; :by :b .
    }`,
  );
});
afterAll(() => store.close());

const answers = async (sparql: string, bindings?: Bindings): Promise<string[]> =>
  (await select(store, "data", `${PREFIX} ${sparql}`, bindings))
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .map(([name, { value }]) => [name, value] as const)
          .toSorted(([a], [b]) => a.localeCompare(b)),
      ),
    )
    .toSorted();

/** Queries in which binding ?x must be the same as keeping only the solutions with that ?x. */
const SAME_AS_FILTER = [
  "SELECT * { ?x a :C }",
  "SELECT ?x ?n { ?x :n ?n }",
  "SELECT DISTINCT ?t ?x { ?x a ?t . ?x ?p ?o }",
  "SELECT ?x ?y { ?x :next ?y OPTIONAL { ?y :tag ?g } }",
  "SELECT * { { ?x a :C } UNION { ?y :by ?x } }",
  "SELECT ?x { ?x a :C MINUS { ?x :dead true } }",
  "SELECT ?x ?y { ?x a :C . ?y :by ?z MINUS { ?x :dead true } }",
  "SELECT ?x { ?x a :C MINUS { ?x :n 2 . ?y :by ?x } }",
  "SELECT ?x { ?x a :C FILTER NOT EXISTS { ?x :dead true } }",
  "SELECT ?x { ?x a :C FILTER EXISTS { ?y :by ?x } }",
  "SELECT ?x ?far { ?x :next+ ?far }",
  "SELECT ?x ?far { ?far (:next|^:by)/:next? ?x }",
  "SELECT ?x (COUNT(?y) AS ?count) { ?y :by ?x } GROUP BY ?x",
  "SELECT ?x (SUM(?n) AS ?sum) { ?y :by ?x ; :n ?n } GROUP BY ?x HAVING (SUM(?n) > 0) ORDER BY ?x",
  "SELECT ?x ?count { ?x a :C { SELECT ?x (COUNT(?y) AS ?count) { ?y :by ?x } GROUP BY ?x } }",
  "SELECT ?x ?n { ?x :n ?n { SELECT ?x { ?y :by ?x } } }",
  "SELECT ?x { { SELECT * { ?x a :C } } }",
  "SELECT ?x ?label { ?x :id ?id BIND(CONCAT(?id, STR(?x)) AS ?label) }",
  "SELECT ?x { ?x a :C FILTER(BOUND(?x)) }",
  "SELECT ?x ?y { ?x :next ?y FILTER(?y != ?x && ?x IN (:a, :b)) }",
  "SELECT ?x ?list { ?y :by ?x, ?list }",
  "SELECT ?x { [] :by ?x ; :n 3 }",
  "SELECT ?x ?n { ?x :n ?n } ORDER BY DESC(?n) ?x",
  "SELECT ?x ?p ?o { ?x ?p ?o VALUES ?p { :n :id } }",
  "SELECT (?x AS ?copy) ?x { ?x a :C }",
];

describe("a bound variable", () => {
  for (const sparql of SAME_AS_FILTER) {
    it(`selects only its solutions: ${sparql}`, async () => {
      let found = 0;
      for (const x of ["urn:a", "urn:b", "urn:c", "urn:d", "urn:nobody"]) {
        const bound = await answers(sparql, { x: namedNode(x) });
        expect(bound).toEqual((await answers(sparql)).filter((row) => row.includes(`["x","${x}"]`)));
        found += bound.length;
      }
      expect(found).toBeGreaterThan(0);
    });
  }

  it("can replace properties, graphs and resources to describe", async () => {
    expect(await answers("SELECT ?s ?p { ?s ?p 3 }", { p: namedNode("urn:n") })).toHaveLength(1);
    expect(await answers("SELECT ?g { GRAPH ?g { ?s :dead true } }", { g: namedNode("urn:none") })).toEqual([]);
    expect(await store.query("data", "DESCRIBE ?x", { x: namedNode("urn:e") })).toHaveLength(4);
    await expect(store.query("data", "DESCRIBE ?x", { x: "text" })).rejects.toThrow("must be an IRI");
    await expect(answers("SELECT * { GRAPH ?g { ?s ?p ?o } }", { g: "text" })).rejects.toThrow("must be an IRI");
  });

  it("need not be selected", async () => {
    expect(await answers("SELECT ?n { ?x :n ?n }", { x: namedNode("urn:b") })).toEqual(['[["n","2"]]']);
  });

  it("narrows an aggregate over all solutions", async () => {
    expect(await answers("SELECT (COUNT(?y) AS ?n) { ?y :by ?x }", { x: namedNode("urn:b") })).toEqual(['[["n","2"]]']);
    expect(await answers("SELECT (COUNT(*) AS ?n) { ?y :by ?x }", { x: namedNode("urn:nobody") })).toEqual([
      '[["n","0"]]',
    ]);
    expect(
      await answers("SELECT ?x (COUNT(*) AS ?n) { ?y :by ?x } GROUP BY ?x", { x: namedNode("urn:nobody") }),
    ).toEqual([]);
  });

  it("does not collide with variables of the query when it is renamed", async () => {
    const sparql = "SELECT ?own_1 (COUNT(*) AS ?own) { ?y :by ?x ; :id ?own_1 } GROUP BY ?x ?own_1";
    expect(await answers(sparql, { x: namedNode("urn:a") })).toEqual(['[["own","1"],["own_1","4"]]']);
  });

  it("applies inside a sub-SELECT that does not select it", async () => {
    const sparql = "SELECT ?n { { SELECT (COUNT(?y) AS ?n) { ?y :by ?x } } }";
    expect(await answers(sparql, { x: namedNode("urn:a") })).toEqual(['[["n","1"]]']);
  });

  it("is compared as a term, including datatype and language", async () => {
    expect(await answers("SELECT ?s { ?s :tag ?x }", { x: literal("x", "en") })).toHaveLength(1);
    expect(await answers("SELECT ?s { ?s :tag ?x }", { x: "x" })).toEqual([]);
    expect(await answers("SELECT ?s { ?s :n ?x }", { x: literal("2", integer) })).toHaveLength(2);
    expect(await answers("SELECT ?s { ?s :id ?x }", { x: 2 })).toEqual([]);
  });

  it("does not affect the next query with the same text", async () => {
    const sparql = "SELECT ?x { ?x a :C }";
    expect(await answers(sparql, { x: namedNode("urn:a") })).toHaveLength(1);
    expect(await answers(sparql)).toHaveLength(3);
  });

  it("can be named like a built-in property of objects", async () => {
    expect(
      await answers("SELECT ?constructor ?__proto__ { ?constructor :next ?__proto__ }", {
        constructor: namedNode("urn:a"),
      }),
    ).toEqual(['[["__proto__","urn:b"],["constructor","urn:a"]]']);
    await expect(answers("SELECT ?s { ?s ?p ?o }", { toString: 1 })).rejects.toThrow("toString");
  });
});
