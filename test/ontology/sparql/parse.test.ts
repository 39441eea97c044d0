import oxigraph from "oxigraph";
import { beforeAll, describe, expect, it } from "vitest";
import { parseQuery, toText } from "../../../src/ontology/sparql/parse.ts";

const store = new oxigraph.Store();

beforeAll(() => {
  store.load(
    `@prefix : <urn:> . :a a :C ; :id "1" ; :n 1 ; :list (1 2 3) ; :next :b . :b a :C ; :id "2"@en ; :n 2.5 ; :next :a , [ :n 4 ] .`,
    { format: "text/turtle" },
  );
});

const JSON_RESULTS = "application/sparql-results+json";

function answers(sparql: string): string[] {
  const { results, boolean } = JSON.parse(store.query(sparql, { results_format: JSON_RESULTS }) as string) as {
    results?: { bindings: Record<string, unknown>[] };
    boolean?: boolean;
  };
  return (
    results?.bindings
      .map((row) => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => a.localeCompare(b))))
      .toSorted() ?? [String(boolean)]
  );
}

const QUERIES = [
  `PREFIX : <urn:> SELECT * { ?s :list (1 ?x 3) }`,
  `PREFIX : <urn:> SELECT * { ?s :next [ :n ?n ] . [ :id ?id ] :next ?y }`,
  `PREFIX : <urn:> SELECT * { _:g_0 :n ?n . [] :next _:g_0 . [ :id ?id ] :n 1 }`,
  `PREFIX : <urn:> SELECT ?own_1 ?own { ?own_1 :n ?own . [] :next ?own_1 }`,
  `PREFIX : <urn:> SELECT (AVG(?n) AS ?m) (GROUP_CONCAT(DISTINCT ?t; separator=" \\"|\\" ") AS ?all) { ?s :n ?n ; a ?t } GROUP BY ?t HAVING (COUNT(*) > 1)`,
  `PREFIX : <urn:> SELECT ?s ?v { ?s :n ?n BIND(IF(?n > 1, "big\\n\\t\\\\", 'sm"all') AS ?v) FILTER(REGEX(STR(?s), "^urn:[ab]$", "i") && !(?n IN (9, 10))) }`,
  `PREFIX : <urn:> SELECT ?s { ?s :n ?n FILTER(?n * 2 + 1 - 3 / 2 >= -?n || -1.5e3 = 0) } ORDER BY DESC(?n + 1) LIMIT 2 OFFSET 0`,
  `BASE <urn:> SELECT * { ?s <n> ?n }`,
  `PREFIX a: <urn:> PREFIX : <urn:> SELECT * { ?s a:n ?n ; :id ?id } VALUES (?n ?id) { (1 UNDEF) (2.5 "2"@en) }`,
  `PREFIX : <urn:> SELECT * { ?s !(:n|^:next|a) ?o }`,
  `PREFIX : <urn:> SELECT * { ?s :next*/:next{0} ?o }`.replace("{0}", "?"),
  `PREFIX : <urn:> ASK { FILTER NOT EXISTS { ?s :id "3" } }`,
  `PREFIX : <urn:> SELECT REDUCED ?s { { ?s :n 1 } UNION { ?s :n 2.5 MINUS { ?s :id "2" } } OPTIONAL { ?s :next ?x FILTER(ISBLANK(?x)) } }`,
  `PREFIX x: <urn:x/> SELECT (x:\\,y AS ?escaped) (<urn:%20> AS ?iri) ("\\u00e9" AS ?e) {}`,
  `PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> SELECT ("1"^^xsd:double AS ?d) (xsd:integer("7") AS ?i) (true AS ?b) ('''a"b''c''' AS ?long) {}`,
];

describe("parseQuery and toText", () => {
  for (const sparql of QUERIES) {
    it(`keep the meaning of ${sparql}`, () => {
      const expected = answers(sparql);
      expect(expected.length).toBeGreaterThan(0);
      expect(answers(toText(parseQuery(sparql, {})))).toEqual(expected);
    });
  }

  it("put the most selective triple first, then the ones joined to it", () => {
    const order = (pattern: string): string[] =>
      [...toText(parseQuery(`PREFIX : <urn:> SELECT * { ${pattern} }`, {})).matchAll(/:(p\d|type)|#type/g)].map(
        ([name]) => name,
      );
    expect(order(`?c a :C ; :p1 ?n ; :p2 "x"`)).toEqual([":p2", "#type", ":p1"]);
    expect(order(`?c a :C . ?d :p1 ?n . ?c :p2 "x" ; :p3 ?d`)).toEqual([":p2", "#type", ":p3", ":p1"]);
    expect(order(`?a :p1+ ?b . <urn:s> :p2 ?a`)).toEqual([":p2", ":p1"]);
    expect(order(`?c :p1 "x" OPTIONAL { ?f a :F . ?f :p2 ?c }`)).toEqual([":p1", ":p2", "#type"]);
    expect(order(`?c :p1 ?x ; :p2 ?y . ?z :p3 ?w`)).toEqual([":p1", ":p2", ":p3"]);
  });

  it("give unnamed nodes unique labels", () => {
    expect(
      toText(parseQuery("PREFIX : <urn:> SELECT * { [] :next ?x . _:g_1 :n ?n }", {})).match(/_:g_/g),
    ).toHaveLength(1);
  });

  // At each line break, the generator copies everything since the last one: 20,000 rows of VALUES
  // took two minutes.
  it("write no line breaks, which would take quadratic time", () => {
    const values = Array.from({ length: 20_000 }, (_, index) => `("${index}" <urn:${index}>)`).join("\n");
    const where = `{ VALUES (?a ?b) {\n${values}\n} OPTIONAL {\n?b ?p [ ?q ?a ] ; ?r ?s .\n} FILTER(?a > 1) }`;
    const text = toText(parseQuery(`PREFIX : <urn:>\nSELECT *\nWHERE ${where}\nORDER BY ?a LIMIT 3`, {}));
    expect(text.length).toBeGreaterThan(values.length);
    expect(text).not.toContain("\n");
  });

  it("refuse what is nested too deeply to be parsed", () => {
    const deep = `SELECT * { ${"{".repeat(20_000)} ?s ?p ?o ${"}".repeat(20_000)} }`;
    expect(() => parseQuery(deep, {})).toThrow("nested too deeply");
  });
});
