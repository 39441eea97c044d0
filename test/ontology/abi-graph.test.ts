import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ABIGraph, type PropertyValue } from "../../src/ontology/abi-graph.ts";
import { entityUri } from "../../src/ontology/entity-uri.ts";
import { isIri } from "../../src/ontology/term.ts";
import { abi, prov, rdf } from "../../src/ontology/vocabulary.ts";
import { blankNode, literal, namedNode } from "../support/terms.ts";

const hostileId = fc.oneof(
  fc.string({ minLength: 1, unit: "binary" }),
  fc.string({ minLength: 1 }),
  fc
    .array(
      fc.constantFrom("\uD800", "\uDC00", "%", "%25", "\uFFFD", "/", ".", " ", "a", "é", "e\u0301", '"', ">", "{"),
      {
        minLength: 1,
      },
    )
    .map((pieces) => pieces.join("")),
);

const objects = (graph: ABIGraph, name: keyof typeof abi): string[] =>
  graph
    .getGraph()
    .getObjects(null, abi[name], null)
    .map((term) => `${term.value}^^${term.termType === "Literal" ? term.datatype.value.split("#")[1] : "IRI"}`);

describe("entityUri", () => {
  it("is a valid IRI without dot segments for any id", () => {
    fc.assert(
      fc.property(hostileId, (id) => {
        const uri = entityUri("Feedback", id);
        expect(isIri(uri)).toBe(true);
        expect(uri).toMatch(/^http:\/\/example\.org\/abi\/Feedback\/(?!\.{1,2}$)[!-.0-~]+$/);
      }),
    );
  });

  it("differs for another id or type", () => {
    fc.assert(fc.property(hostileId, hostileId, (a, b) => (entityUri("T", a) === entityUri("T", b)) === (a === b)));
    for (const [a, b] of [
      [".", "%2E"],
      ["..", "%2E%2E"],
      ["\uD800", "\uFFFD"],
      ["\uD800", "%ED%A0%80"],
      ["é", "e\u0301"],
      ["\uDC00\uD800", "\uD800\uDC00"],
    ] as const) {
      expect(entityUri("T", a)).not.toBe(entityUri("T", b));
    }
    expect(entityUri("Feedback", "1")).not.toBe(entityUri("Customer", "1"));
  });

  it("has no dot segments, because resolving the IRI would remove them", () => {
    expect(entityUri("T", ".")).toBe("http://example.org/abi/T/%2E");
    expect(entityUri("T", "..")).toBe("http://example.org/abi/T/%2E%2E");
    expect(entityUri("T", "...")).toBe("http://example.org/abi/T/...");
  });

  it("stays readable for ordinary ids", () => {
    expect(entityUri("Customer", "C-1001")).toBe("http://example.org/abi/Customer/C-1001");
  });

  it("refuses an empty id and an invalid type", () => {
    expect(() => entityUri("Customer", "")).toThrow("empty");
    for (const type of ["", "a b", "x>", "1x", "a/b", "ü", "constructor()"])
      expect(() => entityUri(type, "1")).toThrow("The name of a type or property");
  });
});

describe("ABIGraph", () => {
  it("gives the same id the same URI, and a new URI to an entity without an id", () => {
    const graph = new ABIGraph();
    const first = graph.createEntity("Customer", { id: "C-1" });
    expect(graph.createEntity("Customer", { id: "C-1" }).equals(first)).toBe(true);
    expect(first.value).toBe(entityUri("Customer", "C-1"));
    expect(graph.createEntity("Customer").equals(graph.createEntity("Customer"))).toBe(false);
    expect(graph.createEntity("Customer", { id: 7 }).value).toBe(entityUri("Customer", "7"));
  });

  it("contains every statement once, before and after the N3 store is requested", () => {
    const graph = new ABIGraph();
    const [id, same] = [namedNode("urn:a"), "urn:b"];
    const add = (): void => {
      for (const value of [same, namedNode(same), literal(same, "en"), literal(same, namedNode("urn:type"))]) {
        graph.addProperty(id, "name", value);
        graph.addProperty(id, "name", value);
      }
    };
    add();
    expect([...graph]).toHaveLength(4);
    const store = graph.getGraph();
    graph.addProperty(id, "name", "another");
    add();
    expect([...graph]).toHaveLength(5);
    expect(graph.getGraph()).toBe(store);
    expect(store.size).toBe(5);
  });

  it("stores each kind of value with its datatype, and leaves undefined out", () => {
    const graph = new ABIGraph();
    graph.createEntity("Customer", {
      id: "C-1",
      name: "Ada",
      email: undefined,
      doNotContact: true,
      lifetimeValue: 12.5,
      timestamp: new Date("2024-02-29T12:00:00.120Z"),
      segment: literal("x", "en"),
      hasResponse: namedNode("urn:t"),
    });
    expect(objects(graph, "name")).toEqual(["Ada^^string"]);
    expect(objects(graph, "email")).toEqual([]);
    expect(objects(graph, "doNotContact")).toEqual(["true^^boolean"]);
    expect(objects(graph, "lifetimeValue")).toEqual(["12.5^^decimal"]);
    expect(objects(graph, "timestamp")).toEqual(["2024-02-29T12:00:00.120Z^^dateTime"]);
    expect(objects(graph, "segment")).toEqual(["x^^langString"]);
    expect(objects(graph, "hasResponse")).toEqual(["urn:t^^IRI"]);
  });

  it("writes every number so that it reads as the same number", () => {
    const lexical = {
      integer: /^-?\d+$/,
      decimal: /^-?\d+\.\d+$/,
      double: /^(?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|-?INF|NaN)$/,
    };
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger()), (value) => {
        const graph = new ABIGraph();
        graph.addProperty(namedNode("urn:x"), "sentimentScore", value);
        const [text = "", kind = ""] = objects(graph, "sentimentScore")[0]?.split("^^") ?? [];
        expect(text).toMatch(lexical[kind as keyof typeof lexical]);
        // RDF's integers have only one zero.
        expect(Number(text.replace("INF", "Infinity"))).toBe(value === 0 ? 0 : value);
      }),
    );
  });

  it("replaces what Unicode can't encode", () => {
    const graph = new ABIGraph();
    graph.addProperty(namedNode("urn:x"), "text", "a\uD800b");
    expect(objects(graph, "text")).toEqual(["a\uFFFDb^^string"]);
  });

  it("finds entities by type and all given values", () => {
    const graph = new ABIGraph();
    const ada = graph.createEntity("Customer", { id: "1", segment: "premium", lifetimeValue: 5 });
    graph.createEntity("Customer", { id: "2", segment: "premium", lifetimeValue: 6 });
    const feedback = graph.createEntity("Feedback", { id: "1", segment: "premium" });
    graph.createRelationship(feedback, "providedBy", ada);
    expect(graph.findEntities("Customer")).toHaveLength(2);
    expect(graph.findEntities("Customer", { segment: "premium", lifetimeValue: 5 }).map(String)).toEqual(
      [ada].map(String),
    );
    expect(graph.findEntities("Feedback", { providedBy: ada })).toHaveLength(1);
    expect(graph.findEntities("Customer", { lifetimeValue: "5" })).toEqual([]);
    expect(graph.findEntities("Ticket")).toEqual([]);
  });

  it("accepts terms of other vocabularies as properties", () => {
    const graph = new ABIGraph();
    const run = graph.createEntity("WorkflowRun", { id: "r" });
    graph.addProperty(run, rdf.type, prov.Activity);
    graph.createRelationship(graph.createEntity("Feedback", { id: "f" }), prov.wasGeneratedBy, run);
    expect([...graph].filter(({ predicate }) => predicate.equals(prov.wasGeneratedBy))).toHaveLength(1);
    expect(graph.getGraph().size).toBe([...graph].length);
  });

  it("refuses what can't be stored and names the property", () => {
    const graph = new ABIGraph();
    const add =
      (value: PropertyValue, name = "sentimentScore") =>
      () =>
        graph.addProperty(namedNode("urn:x"), name, value);
    expect(add(new Date(Number.NaN))).toThrow("abi#sentimentScore");
    expect(add(namedNode("no iri"))).toThrow("abi#sentimentScore");
    expect(add(blankNode("b"))).toThrow("abi#sentimentScore");
    expect(add(1, "two words")).toThrow("The name of a type or property");
    expect(() => graph.addProperty(namedNode("x> <y"), "sentimentScore", 1)).toThrow("IRI");
    expect(() => graph.createEntity("Customer", { id: true })).toThrow("string or a number");
    expect(graph.getGraph().size).toBe(0);
  });
});
