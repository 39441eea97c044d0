/**
 * What every ontology store must do, whatever it is built on. An adapter's test passes functions
 * that create and destroy a store.
 */
import type { Quad, Term } from "@rdfjs/types";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it as test } from "vitest";
import { ABIGraph } from "../../src/ontology/abi-graph.ts";
import type { BindingValue, OntologyStore, Row } from "../../src/ontology/ontology-store.ts";
import { ask, construct, select } from "../../src/ontology/queries.ts";
import { storeIri } from "../../src/ontology/store-name.ts";
import { PREFIXES } from "../../src/ontology/vocabulary.ts";
import { blankNode, literal, namedNode, quad } from "../support/terms.ts";

export interface OntologyStoreFixture {
  /** A new, empty store. */
  create(): Promise<OntologyStore>;
  /** Opens the same data as after a restart; omitted if the store has nothing to restart. */
  reopen?(store: OntologyStore): Promise<OntologyStore>;
  /** Closes the store and removes everything that it left. */
  destroy(store: OntologyStore): Promise<void>;
  /** Cases that can't pass on the store's database, by name, each with the reason. */
  skip?: Readonly<Record<string, string>>;
  /** Texts that the store can't bind and return unchanged. */
  unfitTexts?: RegExp;
}

const NASTY_STRINGS = [
  "",
  " ",
  '"',
  "'",
  "\\",
  '\\"',
  '"""',
  "\n",
  "\r\n",
  "\t",
  "\u0000",
  "\u0007\u001f\u007f",
  "\u2028\u2029",
  "\u202Eevil",
  "\\u0022 . ?x ?y ?z",
  "\\U00000022",
  '" } ; DROP ALL ; INSERT DATA { <urn:a> <urn:b> "',
  '" . } # ',
  "<urn:x>",
  "> <urn:p> <urn:o> . <urn:s",
  "?id",
  "$id",
  "{{customer_name}} ${x} %s",
  "' OR 1=1 --",
  "ü日本語👩‍👩‍👧",
  "e\u0301",
  "\uFEFF",
  "\uFFFE\uFFFF",
];

const pairs = (rows: Row[]): Record<string, string>[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, term]) => [name, term.value])));

const key = ({ subject, predicate, object }: Quad): string =>
  JSON.stringify([subject, predicate, object].map((term) => [term.termType, term.value]));

const content = (quads: Iterable<Quad>): string[] => [...quads].map(key).toSorted();

const triple = (subject: string, predicate: string, object: Term | string): Quad =>
  quad(
    namedNode(subject),
    namedNode(predicate),
    (typeof object === "string" ? literal(object) : object) as Quad["object"],
  );

export function ontologyStoreContract(name: string, fixture: OntologyStoreFixture): void {
  describe(`${name} as an ontology store`, () => {
    let store: OntologyStore;

    const skipped = new Map(Object.entries(fixture.skip ?? {}));
    const it = (behaviour: string, check: () => Promise<void>): void => {
      const reason = skipped.get(behaviour);
      skipped.delete(behaviour);
      const because = reason === undefined ? "" : ` (skipped: ${reason})`;
      // oxlint-disable-next-line vitest/expect-expect -- the check expects
      test(`${behaviour}${because}`, { skip: reason !== undefined }, check);
    };
    afterAll(() => expect([...skipped.keys()], "skipped cases that do not exist").toEqual([]));

    beforeEach(async () => {
      store = await fixture.create();
    });
    afterEach(() => fixture.destroy(store));

    const restart = async (): Promise<void> => {
      if (fixture.reopen) store = await fixture.reopen(store);
    };
    const update = (sparql: string, bindings?: Record<string, BindingValue>): Promise<void> =>
      store.update("data", `${PREFIXES} ${sparql}`, bindings);
    const rows = async (sparql: string, bindings?: Record<string, BindingValue>): Promise<Record<string, string>[]> =>
      pairs(await select(store, "data", `${PREFIXES} ${sparql}`, bindings));
    const lines = async (): Promise<string[]> => content(await store.getGraph("data"));

    async function customerWithFeedback(customerId: string, feedbackId: string): Promise<void> {
      const customers = new ABIGraph();
      customers.createEntity("Customer", {
        id: customerId,
        name: "Test",
        email: "test@example.com",
        segment: "standard",
      });
      await store.insert("customer_data", customers);
      const graph = new ABIGraph();
      const feedback = graph.createEntity("Feedback", { id: feedbackId, text: "The product is great!" });
      graph.createRelationship(feedback, "providedBy", graph.createEntity("Customer", { id: customerId }));
      await store.insert("feedback_data", graph);
    }

    it("finds what a workflow stored, and removes exactly that on clean-up", async () => {
      await customerWithFeedback("test-customer-1", "feedback-1");
      await customerWithFeedback("test-customer-2", "feedback-2");
      const stored = `${PREFIXES} ASK { ?feedback a abi:Feedback ; abi:id ?id }`;
      expect(await ask(store, "feedback_data", stored, { id: "feedback-1" })).toBe(true);
      const cleanUp = `
        PREFIX abi: <http://example.org/abi#>
        DELETE {
            ?customer ?p ?o .
            ?feedback ?p2 ?o2 .
        }
        WHERE {
            ?customer a abi:Customer ;
                      abi:id "test-customer-1" ;
                      ?p ?o .
            OPTIONAL {
                ?feedback a abi:Feedback ;
                          abi:providedBy ?customer ;
                          ?p2 ?o2 .
            }
        }`;
      await store.update("customer_data", cleanUp);
      await store.update("feedback_data", cleanUp);
      await restart();
      expect(await ask(store, "feedback_data", stored, { id: "feedback-1" })).toBe(false);
      expect(await ask(store, "feedback_data", stored, { id: "feedback-2" })).toBe(true);
      const customers = await select(store, "customer_data", `${PREFIXES} SELECT ?id { ?c abi:id ?id }`);
      expect(pairs(customers)).toEqual([{ id: "test-customer-2" }]);
      expect(await store.getGraph("feedback_data")).toHaveLength(6);
    });

    it("answers SELECT with rows, ASK with a boolean, CONSTRUCT and DESCRIBE with quads", async () => {
      await update(`INSERT DATA { <urn:a> abi:name "Ada"@en ; abi:score 0.5 }`);
      const [row] = await select(
        store,
        "data",
        `${PREFIXES} SELECT * { ?s abi:name ?o OPTIONAL { ?s abi:none ?missing } }`,
      );
      expect(Object.keys(row ?? {}).toSorted()).toEqual(["o", "s"]);
      expect(row?.["s"]?.equals(namedNode("urn:a"))).toBe(true);
      expect(row?.["o"]?.equals(literal("Ada", "en"))).toBe(true);
      expect(await store.query("data", "ASK { <urn:a> ?p ?o }")).toBe(true);
      expect(await store.query("data", "ASK { <urn:b> ?p ?o }")).toBe(false);
      const made = await construct(
        store,
        "data",
        "CONSTRUCT { ?s <urn:was> ?o } WHERE { ?s ?p ?o FILTER(ISNUMERIC(?o)) }",
      );
      expect(made).toHaveLength(1);
      expect(made[0]?.predicate.value).toBe("urn:was");
      expect(made[0]?.graph.termType).toBe("DefaultGraph");
      expect(await construct(store, "data", "DESCRIBE <urn:a>")).toHaveLength(2);
    });

    it("treats an unknown store as empty", async () => {
      expect(await store.query("nobody", "SELECT * { ?s ?p ?o }")).toEqual([]);
      expect(await store.query("nobody", "ASK { ?s ?p ?o }")).toBe(false);
      expect(await store.query("nobody", "CONSTRUCT WHERE { ?s ?p ?o }")).toEqual([]);
      expect(await store.getGraph("nobody")).toEqual([]);
      await store.deleteStore("nobody");
      expect(await store.listStores()).toEqual([]);
    });

    it("keeps stores separate, lists them sorted and deletes one with everything in it", async () => {
      await store.createStore("b");
      await store.createStore("a");
      await store.createStore("a");
      await store.insert("b", [triple("urn:s", "urn:p", "in b")]);
      await store.insert("c", [triple("urn:s", "urn:p", "in c")]);
      expect(await store.listStores()).toEqual(["a", "b", "c"]);
      await store.deleteStore("b");
      await restart();
      expect(await store.listStores()).toEqual(["a", "c"]);
      expect(await store.getGraph("b")).toEqual([]);
      await store.createStore("b");
      expect(await store.getGraph("b")).toEqual([]);
      expect(pairs(await select(store, "c", "SELECT ?o { ?s ?p ?o }"))).toEqual([{ o: "in c" }]);
    });

    it("can read another store with GRAPH", async () => {
      await store.insert("one", [triple("urn:s", "urn:p", "1")]);
      await store.insert("two", [triple("urn:s", "urn:q", "2")]);
      const sparql = "SELECT ?a ?b { ?s <urn:p> ?a . GRAPH ?other { ?s <urn:q> ?b } }";
      expect(pairs(await select(store, "one", sparql, { other: namedNode(storeIri("two")) }))).toEqual([
        { a: "1", b: "2" },
      ]);
    });

    it("refuses invalid store names", async () => {
      for (const invalid of ["", "a b", "a>", "../x", "ü", "a".repeat(65), undefined as never, 7 as never]) {
        await expect(store.createStore(invalid)).rejects.toMatchObject({ type: "validation_error" });
        await expect(store.query(invalid, "ASK {}")).rejects.toMatchObject({ type: "validation_error" });
      }
    });

    it("stores one quad when the same is inserted twice", async () => {
      const graph = [
        triple("urn:s", "urn:p", "x"),
        triple("urn:s", "urn:p", "x"),
        triple("urn:s", "urn:p", literal("x", "en")),
      ];
      await store.insert("data", graph);
      await store.insert("data", graph);
      await restart();
      await store.insert("data", graph);
      expect(await store.getGraph("data")).toHaveLength(2);
    });

    it("inserts a graph completely or not at all", async () => {
      await store.insert("data", [triple("urn:s", "urn:p", "before")]);
      function* breaking(): Iterable<Quad> {
        for (let index = 0; index < 25_000; index += 1) yield triple("urn:s", "urn:p", `${index}`);
        yield triple("not an IRI", "urn:p", "x");
      }
      await expect(store.insert("data", breaking())).rejects.toMatchObject({ type: "validation_error" });
      await expect(
        store.insert("data", [triple("urn:s", "urn:p", "y"), triple("urn:s", "urn:p", literal("z", "not_a-language"))]),
      ).rejects.toMatchObject({ type: "validation_error" });
      expect(await store.getGraph("data")).toHaveLength(1);
      await restart();
      expect(await store.getGraph("data")).toHaveLength(1);
    });

    it("stores any text unchanged", async () => {
      await store.insert(
        "data",
        NASTY_STRINGS.map((text, index) => triple(`urn:s${index}`, "urn:p", text)),
      );
      await restart();
      for (const [index, text] of NASTY_STRINGS.entries()) {
        expect(await rows("SELECT ?o { ?s <urn:p> ?o }", { s: namedNode(`urn:s${index}`) })).toEqual([{ o: text }]);
        expect(await rows("SELECT ?s { ?s <urn:p> ?o }", { o: text })).toEqual([{ s: `urn:s${index}` }]);
      }
    });

    it("gives each blank node a permanent name of its own", async () => {
      const nodes = [
        quad(blankNode("b"), namedNode("urn:p"), literal("1")),
        quad(blankNode("b"), namedNode("urn:next"), blankNode("c")),
        quad(blankNode("c"), namedNode("urn:p"), literal("2")),
      ];
      await store.insert("data", nodes);
      await store.insert("data", [quad(blankNode("b"), namedNode("urn:p"), literal("3"))]);
      const before = await lines();
      await restart();
      expect(await lines()).toEqual(before);
      const found = await select(store, "data", `SELECT ?b { ?b <urn:p> "1" ; <urn:next> [ <urn:p> "2" ] }`);
      expect(found).toHaveLength(1);
      const node = found[0]?.["b"] as Term;
      expect(node.termType).toBe("NamedNode");
      expect(await rows("SELECT ?o { ?b <urn:p> ?o }", { b: node })).toEqual([{ o: "1" }]);
    });

    describe("match", () => {
      const [a, b, p, q] = [namedNode("urn:a"), namedNode("urn:b"), namedNode("urn:p"), namedNode("urn:q")];
      const quads = [
        quad(a, p, literal("1")),
        quad(a, p, b),
        quad(a, q, literal("1")),
        quad(b, p, literal("1")),
        quad(b, q, literal("1", "en")),
        quad(b, q, literal("1", namedNode("http://www.w3.org/2001/XMLSchema#integer"))),
      ];
      const parts = { subject: [a, b], predicate: [p, q], object: quads.map(({ object }) => object as typeof a) };

      it("finds exactly the quads with all given parts, for any combination of parts", async () => {
        await store.insert("data", quads);
        await store.insert("other", [quad(a, p, literal("elsewhere"))]);
        await restart();
        for (const subject of [undefined, null, ...parts.subject]) {
          for (const predicate of [undefined, ...parts.predicate]) {
            for (const object of [undefined, ...parts.object]) {
              const expected = quads.filter(
                (it) =>
                  (!subject || it.subject.equals(subject)) &&
                  (!predicate || it.predicate.equals(predicate)) &&
                  (!object || it.object.equals(object)),
              );
              expect(content(await store.match("data", { subject, predicate, object }))).toEqual(content(expected));
            }
          }
        }
        const [typed] = await store.match("data", { subject: b, object: quads[5]!.object as typeof a });
        expect(typed?.equals(quads[5])).toBe(true);
      });

      it("accepts several patterns, and returns each quad once", async () => {
        await store.insert("data", quads);
        const found = await store.match("data", [{ subject: a }, { predicate: p }, { subject: namedNode("urn:none") }]);
        expect(content(found)).toEqual(content(quads.slice(0, 4)));
        const many = Array.from({ length: 250 }, (_, index) => quad(namedNode(`urn:n:${index}`), p, literal("x")));
        await store.insert("many", many);
        expect(
          await store.match(
            "many",
            many.map(({ subject }) => ({ subject: subject as typeof a })),
          ),
        ).toHaveLength(250);
        expect(await store.match("many", [])).toEqual([]);
      });

      it("finds any text as it was stored, and nothing in an unknown store", async () => {
        expect(await store.match("nobody", { subject: a })).toEqual([]);
        await store.insert(
          "data",
          NASTY_STRINGS.map((text, index) => triple(`urn:s${index}`, "urn:p", text)),
        );
        await restart();
        for (const [index, text] of NASTY_STRINGS.entries()) {
          const found = await store.match("data", { object: literal(text) });
          expect(found.map(({ subject, object }) => [subject.value, object.value])).toEqual([[`urn:s${index}`, text]]);
        }
        expect(await store.listStores()).toEqual(["data"]);
      });

      it("refuses terms that are not valid", async () => {
        for (const wrong of [
          { subject: namedNode("not an IRI") },
          { predicate: namedNode("urn:x> ?p ?o } ; DROP ALL #") },
          { object: blankNode("b") as never },
          { subject: literal("text") as never },
        ]) {
          await expect(store.match("data", wrong)).rejects.toMatchObject({ code: "invalid_term" });
          await expect(store.change("data", { remove: [wrong] })).rejects.toMatchObject({ code: "invalid_term" });
          await expect(store.change("data", { unless: wrong })).rejects.toMatchObject({ code: "invalid_term" });
        }
      });
    });

    describe("change", () => {
      const node = (name: string) => namedNode(`urn:${name}`);
      const fill = (): Promise<void> =>
        store.insert("data", [
          triple("urn:a", "urn:p", "1"),
          triple("urn:a", "urn:q", "2"),
          triple("urn:b", "urn:p", "1"),
        ]);
      const there = async (): Promise<string[]> =>
        (await store.getGraph("data"))
          .map(({ subject, predicate, object }) => `${subject.value} ${predicate.value} ${object.value}`)
          .toSorted();
      const before = ["urn:a urn:p 1", "urn:a urn:q 2", "urn:b urn:p 1"];

      it("removes what matches, then adds", async () => {
        await fill();
        await store.change("data", {
          remove: [{ subject: node("a") }, { predicate: node("p"), object: literal("none") }],
          insert: [triple("urn:a", "urn:q", "2"), triple("urn:c", "urn:p", "3")],
        });
        await restart();
        expect(await there()).toEqual(["urn:a urn:q 2", "urn:b urn:p 1", "urn:c urn:p 3"]);
        await store.change("data", { remove: [{}] });
        expect(await there()).toEqual([]);
        await store.change("new", {});
        expect(await store.listStores()).toEqual(["data", "new"]);
      });

      it("does nothing if a quad matches unless", async () => {
        await fill();
        const change = { remove: [{ subject: node("b") }], insert: [triple("urn:c", "urn:p", "?s ?p 3")] };
        await store.change("data", { unless: { subject: node("a"), predicate: node("q") }, ...change });
        expect(await there()).toEqual(before);
        await store.change("data", { unless: { object: literal("?s ?p 3") }, ...change });
        await store.change("data", { unless: { object: literal("?s ?p 3") }, insert: [triple("urn:d", "urn:p", "4")] });
        await restart();
        expect(await there()).toEqual([...before.slice(0, 2), "urn:c urn:p ?s ?p 3"]);
      });

      it("adds even if there was nothing to remove", async () => {
        await store.change("data", {
          unless: { subject: node("a") },
          remove: [{ subject: node("a"), predicate: node("p") }],
          insert: [triple("urn:a", "urn:p", "1")],
        });
        expect(await there()).toEqual(["urn:a urn:p 1"]);
      });

      it("removes from hundreds of subjects in one call", async () => {
        const numbers = Array.from({ length: 120 }, (_, index) => index);
        const described = (value: string) =>
          numbers.flatMap((n) => ["p", "q"].map((name) => triple(`urn:${n}`, `urn:${name}`, value)));
        await store.insert("data", described("old"));
        const remove = numbers.flatMap((n) =>
          ["p", "q"].map((name) => ({ subject: node(`${n}`), predicate: node(name) })),
        );
        await store.change("data", { remove, insert: described("new") });
        const found = await store.getGraph("data");
        expect(found.length).toBe(240);
        expect(found.every(({ object }) => object.value === "new")).toBe(true);
      });

      it("succeeds for exactly one of many concurrent callers", async () => {
        const first = Array.from({ length: 20 }, (_, index) =>
          store.change("data", { unless: { subject: node("a") }, insert: [triple("urn:a", "urn:p", `${index}`)] }),
        );
        await Promise.all(first);
        expect(await there()).toHaveLength(1);
      });

      it("is atomic, and a failed one does not make concurrent ones fail", async () => {
        await fill();
        const bad = store.change("data", { remove: [{}], insert: [triple("not an IRI", "urn:p", "x")] });
        const good = store.change("data", { insert: [triple("urn:c", "urn:p", "3")] });
        await expect(bad).rejects.toMatchObject({ type: "validation_error" });
        await good;
        expect(await there()).toEqual([...before, "urn:c urn:p 3"]);
      });

      it("is visible to the next query", async () => {
        await fill();
        const names = async (): Promise<string[]> =>
          (await rows("SELECT ?s ?o { ?s <urn:p> ?o } ORDER BY ?s ?o")).map(({ s, o }) => `${s} ${o}`);
        expect(await names()).toEqual(["urn:a 1", "urn:b 1"]);
        await store.change("data", { remove: [{ subject: node("a") }], insert: [triple("urn:c", "urn:p", "3")] });
        await store.change("data", { remove: [{ subject: node("c") }], insert: [triple("urn:c", "urn:p", "4")] });
        expect(await names()).toEqual(["urn:b 1", "urn:c 4"]);
        await store.update("data", "DELETE WHERE { <urn:b> ?p ?o }");
        expect((await store.match("data", {})).map(({ object }) => object.value)).toEqual(["4"]);
      });
    });

    describe("updates", () => {
      const cases: Record<string, { update: string; expected: string[] }> = {
        "INSERT DATA and DELETE DATA": {
          update: `INSERT DATA { <urn:n> abi:score 3, 4 } ; DELETE DATA { <urn:n> abi:score 3 . <urn:no> abi:no "no" }`,
          expected: ["urn:a 1", "urn:b 2", "urn:n 4"],
        },
        "DELETE WHERE": { update: "DELETE WHERE { <urn:a> abi:score ?o }", expected: ["urn:b 2"] },
        "DELETE and INSERT WHERE": {
          update: "DELETE { ?s abi:score ?o } INSERT { ?s abi:score ?n } WHERE { ?s abi:score ?o BIND(?o + 10 AS ?n) }",
          expected: ["urn:a 11", "urn:b 12"],
        },
        "DELETE and INSERT of the same": {
          update: "DELETE { ?s ?p ?o } INSERT { ?s ?p ?o } WHERE { ?s ?p ?o }",
          expected: ["urn:a 1", "urn:b 2"],
        },
        "templates with unbound and misplaced parts": {
          update:
            "INSERT { ?s abi:score ?no . ?o abi:score 5 . <urn:c> abi:score ?o } WHERE { ?s abi:score ?o OPTIONAL { ?s abi:no ?no } }",
          expected: ["urn:a 1", "urn:b 2", "urn:c 1", "urn:c 2"],
        },
        "templates with an unbound variable of a name that every object has": {
          update: "INSERT { ?s abi:score ?constructor } WHERE { ?s abi:score ?o OPTIONAL { ?s abi:no ?constructor } }",
          expected: ["urn:a 1", "urn:b 2"],
        },
        "sequences in which each sees the one before": {
          update: `INSERT DATA { <urn:c> abi:score 3 } ; PREFIX x: <urn:>
            DELETE { ?s abi:score ?o } WHERE { ?s abi:score ?o FILTER(?o > 1) } ; INSERT { x:n abi:score ?n } WHERE { SELECT (COUNT(*) AS ?n) { ?s ?p ?o } }`,
          expected: ["urn:a 1", "urn:n 1"],
        },
        "CLEAR DEFAULT": { update: "CLEAR DEFAULT", expected: [] },
        "DROP ALL, then more": { update: "DROP ALL ; INSERT DATA { <urn:z> abi:score 9 }", expected: ["urn:z 9"] },
        "numbers in another spelling": {
          update: `DELETE DATA { <urn:a> abi:score "01"^^xsd:integer } ; INSERT DATA { <urn:b> abi:score "+2"^^xsd:integer }`,
          expected: ["urn:b 2"],
        },
      };

      for (const [what, { update: sparql, expected }] of Object.entries(cases)) {
        it(`${what} take effect and survive a restart`, async () => {
          await update("INSERT DATA { <urn:a> abi:score 1 . <urn:b> abi:score 2 }");
          await store.insert("other", [triple("urn:s", "urn:p", "untouched")]);
          await update(sparql);
          const now = async (): Promise<string[]> =>
            (await rows("SELECT ?s ?o { ?s ?p ?o }")).map(({ s, o }) => `${s} ${o}`).toSorted();
          expect(await now()).toEqual(expected);
          await restart();
          expect(await now()).toEqual(expected);
          expect(await store.getGraph("other")).toHaveLength(1);
        });
      }

      it("keep the values that NOW(), UUID() and RAND() had", async () => {
        await update(
          "INSERT { <urn:a> abi:at ?now ; abi:key ?id ; abi:random ?r . ?id abi:of <urn:a> } WHERE { BIND(NOW() AS ?now) BIND(UUID() AS ?id) BIND(RAND() AS ?r) }",
        );
        const before = await lines();
        expect(before).toHaveLength(4);
        expect(await ask(store, "data", `${PREFIXES} ASK { <urn:a> abi:key ?id . ?id abi:of <urn:a> }`)).toBe(true);
        await restart();
        expect(await lines()).toEqual(before);
      });

      it("create a new node for each solution and blank node of a template", async () => {
        await update("INSERT DATA { <urn:a> abi:score 1 . <urn:b> abi:score 2 }");
        await update("INSERT { ?s abi:has _:x . _:x abi:value ?o ; abi:list (1 2) } WHERE { ?s abi:score ?o }");
        await restart();
        const found = await rows(
          "SELECT ?s ?x ?v { ?s abi:has ?x . ?x abi:value ?v ; abi:list/rdf:rest/rdf:first 2 } ORDER BY ?s",
        );
        expect(found.map(({ s, v }) => [s, v])).toEqual([
          ["urn:a", "1"],
          ["urn:b", "2"],
        ]);
        expect(new Set(found.map(({ x }) => x)).size).toBe(2);
      });

      it("change nothing when one operation of several fails", async () => {
        await update("INSERT DATA { <urn:a> abi:score 1 }");
        const before = await lines();
        for (const failing of [
          "INSERT DATA { <urn:b> abi:score 2 } ; LOAD <http://localhost/x>",
          "CLEAR ALL ; INSERT { ?s ?p ?o } WHERE { ?s ?p",
          "CLEAR ALL ; CREATE GRAPH <urn:g>",
        ]) {
          await expect(update(failing)).rejects.toMatchObject({ type: "validation_error" });
        }
        expect(await lines()).toEqual(before);
        await restart();
        expect(await lines()).toEqual(before);
      });

      it("refuse to write to another store or to the network", async () => {
        const other = storeIri("other");
        await store.insert("other", [triple("urn:s", "urn:p", "untouched")]);
        for (const sparql of [
          `INSERT DATA { GRAPH <${other}> { <urn:a> <urn:b> 1 } }`,
          `DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }`,
          `WITH <${other}> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }`,
          `DELETE { ?s ?p ?o } USING <${other}> WHERE { ?s ?p ?o }`,
          `CLEAR GRAPH <${other}>`,
          "DROP NAMED",
          `COPY DEFAULT TO <${other}>`,
          `MOVE <${other}> TO DEFAULT`,
          `ADD <${other}> TO DEFAULT`,
          "LOAD <http://localhost:1/data.ttl>",
          "LOAD SILENT <file:///etc/passwd>",
          "INSERT { ?s ?p ?o } WHERE { SERVICE SILENT <http://localhost:1/> { ?s ?p ?o } }",
        ]) {
          await expect(update(sparql)).rejects.toMatchObject({ code: "unsupported_sparql" });
        }
        expect(await store.getGraph("other")).toHaveLength(1);
        expect(await store.getGraph("data")).toEqual([]);
      });
    });

    describe("bound values", () => {
      it("are data, whatever they contain: nothing else is read or changed", async () => {
        await store.insert("data", [triple("urn:keep", "urn:p", "kept")]);
        await fc.assert(
          fc.asyncProperty(
            fc.oneof(fc.constantFrom(...NASTY_STRINGS), fc.string({ unit: "binary" }), fc.string()),
            async (text) => {
              fc.pre(fixture.unfitTexts?.test(text) !== true);
              await update("INSERT { <urn:new> <urn:p> ?text } WHERE {}", { text });
              expect(await rows("SELECT ?s ?text { ?s <urn:p> ?text }", { text })).toEqual([
                { s: "urn:new", text: text.toWellFormed() },
              ]);
              expect(await store.getGraph("data")).toHaveLength(2);
              await update("DELETE { ?s <urn:p> ?text } WHERE { ?s <urn:p> ?text }", { text });
              expect(await lines()).toEqual(content([triple("urn:keep", "urn:p", "kept")]));
            },
          ),
          { numRuns: 150 },
        );
      });

      it("are refused if they are not valid terms", async () => {
        const breakout = "urn:x> ?p ?o } ; DROP ALL #";
        for (const value of [
          namedNode(breakout),
          namedNode("relative"),
          namedNode("urn:a b"),
          namedNode("urn:\uD800"),
          literal("x", "en . } #"),
          literal("x", namedNode(breakout)),
          blankNode("b"),
          new Date(Number.NaN),
        ]) {
          await expect(rows("SELECT ?s { ?s ?p ?value }", { value })).rejects.toMatchObject({ code: "invalid_term" });
        }
      });

      it("are refused by name if the query has no such variable or sets it itself", async () => {
        await expect(rows("SELECT ?s { ?s ?p ?o }", { typo: 1 })).rejects.toThrow("typo");
        await expect(rows("SELECT ?s { ?s ?p ?o BIND(1 AS ?set) }", { set: 1 })).rejects.toThrow("set");
        await expect(rows("SELECT ?s { ?s ?p ?o VALUES ?o { 1 } }", { o: 1 })).rejects.toThrow("binding o");
        await expect(rows("SELECT (1 AS ?n) { ?s ?p ?o }", { n: 1 })).rejects.toThrow("binding n");
        await expect(rows("SELECT ?s { ?s ?p ?o }", { s: "text" })).rejects.toThrow("must be an IRI");
        await expect(rows("SELECT ?s { ?s ?p ?o }", { p: "text" })).rejects.toThrow("must be an IRI");
      });

      it("find numbers, booleans and dates as they were stored", async () => {
        const values = [
          0,
          -0,
          7,
          -3.25,
          1e-7,
          1e21,
          123_456_789_012_345_680_000,
          Infinity,
          true,
          false,
          new Date(0),
          new Date("2024-02-29T12:00:00.120Z"),
        ];
        for (const [index, value] of values.entries()) {
          const graph = new ABIGraph();
          graph.addProperty(namedNode(`urn:${index}`), "score", value);
          await store.insert("data", graph);
          expect(await rows("SELECT ?s { ?s abi:score ?value } ORDER BY ?s", { value })).toContainEqual({
            s: `urn:${index}`,
          });
        }
      });
    });

    it("says what is wrong with a query without quoting it", async () => {
      for (const wrong of [
        "SELECT secret",
        "",
        "SELECT * { ?s x:y ?secret }",
        "INSERT DATA { <urn:secret> <urn:b> 1 }",
        "SELECT * FROM <urn:secret> { ?s ?p ?o }",
      ]) {
        const error: unknown = await store.query("data", wrong).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ type: "validation_error" });
        expect((error as Error).message).not.toContain("secret");
      }
    });

    for (const number of [".5", "+.5", "-.5", ".25e1", "-.5E-1", "5.e0", "1.5", "7"]) {
      it(`reads ${number} as a number`, async () => {
        await store.update("data", `INSERT DATA { <urn:s> <urn:p> ${number} }`);
        expect(await rows(`SELECT ?s { ?s <urn:p> ?n FILTER(?n = ${number}) }`)).toEqual([{ s: "urn:s" }]);
        expect(await rows(`SELECT ?s { VALUES ?n { ${number} } ?s <urn:p> ?n }`)).toEqual([{ s: "urn:s" }]);
        await store.update("data", `DELETE { ?s <urn:p> ${number} } WHERE { ?s <urn:p> ${number} }`);
        expect(await store.getGraph("data")).toEqual([]);
      });
    }

    it("distinguishes a point that ends a triple from one that begins a number", async () => {
      await store.update("data", "INSERT DATA { <urn:s> <urn:p> 1.<urn:t> <urn:p> 2 .<urn:u> <urn:p> .5.}");
      const sums = await rows("SELECT (SUM(?n) -.5 AS ?sum) ((1+.5)*2 AS ?three) { ?s <urn:p> ?n.}");
      expect(sums.map(({ sum, three }) => [Number(sum), Number(three)])).toEqual([[3, 3]]);
    });

    it("accepts twenty thousand rows of VALUES, and returns a hundred thousand rows", async () => {
      const values = Array.from({ length: 20_000 }, (_, index) => `("${index}" <urn:${index}>)`).join(" ");
      expect(await rows(`SELECT ?key ?node { VALUES (?key ?node) { ${values} } }`)).toHaveLength(20_000);
      await store.update("data", `INSERT { ?node <urn:key> ?key } WHERE { VALUES (?key ?node) { ${values} } }`);
      expect(await rows("SELECT (COUNT(*) AS ?n) { ?s <urn:key> ?key }")).toEqual([{ n: "20000" }]);
      expect(await rows(`SELECT ?s { VALUES ?x { 1 2 3 4 5 } ?s <urn:key> ?key }`)).toHaveLength(100_000);
    });

    for (const [what, sparql] of [
      ["groups", `ASK ${"{".repeat(2000)} ?s ?p ?o ${"}".repeat(2000)}`],
      ["brackets", `ASK { FILTER${"(".repeat(2000)}1 = 1${")".repeat(2000)} }`],
      ["OPTIONALs", `ASK { ${"OPTIONAL { ?s ?p ?o ".repeat(2000)}${"}".repeat(2000)} }`],
      ["functions", `ASK { FILTER(${"STR(".repeat(2000)}1${")".repeat(2000)} = "1") }`],
      ["sums", `SELECT (${Array(20_000).fill("1").join("+")} AS ?sum) {}`],
      ["paths", `ASK { ?s ${"(".repeat(2000)}<urn:p>${")*".repeat(2000)} ?o }`],
    ] as const) {
      it(`refuses too many nested ${what}, and answers the next query`, async () => {
        await store.insert("data", [triple("urn:s", "urn:p", "o")]);
        const refused = { type: "validation_error", message: expect.stringContaining("nested too deeply") as string };
        await expect(store.query("data", sparql)).rejects.toMatchObject(refused);
        const update = `DELETE WHERE { ?s ?p ?o } ; INSERT { <urn:s> <urn:p> 1 } WHERE { FILTER EXISTS { { ${sparql.replace("ASK", "")} } } }`;
        await expect(store.update("data", update)).rejects.toMatchObject(refused);
        expect(await rows("SELECT ?s { ?s ?p ?o }")).toEqual([{ s: "urn:s" }]);
      });
    }

    it("serves many callers at once", async () => {
      const inserts = Array.from({ length: 40 }, (_, index) =>
        store.insert(
          "data",
          Array.from({ length: 10 }, (_, item) => triple(`urn:${index}`, "urn:p", `${item}`)),
        ),
      );
      const counts = Array.from({ length: 40 }, () => rows("SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s"));
      for (const count of await Promise.all(counts)) expect(count.every(({ n }) => n === "10")).toBe(true);
      await Promise.all(inserts);
      expect(await store.getGraph("data")).toHaveLength(400);
    });
  });
}
