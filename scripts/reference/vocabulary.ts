import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NamedNode, Parser, Store, type Quad_Subject } from "n3";
import { cell, code, page, table } from "./markdown.ts";

const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const RDFS = "http://www.w3.org/2000/01/rdf-schema#";
const OWL = "http://www.w3.org/2002/07/owl#";
const PREFIXES: Readonly<Record<string, string>> = {
  "http://example.org/abi#": "abi:",
  "http://www.w3.org/ns/prov#": "prov:",
  "http://www.w3.org/2001/XMLSchema#": "xsd:",
  [RDFS]: "rdfs:",
};

export function vocabularyPage(root: string): string {
  const store = new Store(new Parser().parse(readFileSync(join(root, "src/ontology/vocabulary.ttl"), "utf8")));
  const termsOf = (...types: string[]): Quad_Subject[] =>
    types
      .flatMap((type) => store.getSubjects(new NamedNode(`${RDF}type`), new NamedNode(OWL + type), null))
      .filter(({ value }) => value.startsWith("http://example.org/abi#"));
  const textOf = (term: Quad_Subject, property: string): string =>
    store
      .getObjects(term, new NamedNode(RDFS + property), null)
      .map(({ termType, value }) => (termType === "NamedNode" ? code(shorten(value)) : value))
      .join(" ");
  const nameOf = ({ value }: Quad_Subject): string => code(shorten(value));
  return page(
    "Graph vocabulary",
    "The terms of the knowledge graph, with the prefix `abi:` for `http://example.org/abi#`. The files are `vocabulary.ttl` and `shapes.ttl` " +
      "(`vocabularyUrl`, `shapesUrl`). What a piece of feedback looks like, and questions to the graph: [The knowledge graph](../knowledge-graph.md).",
    "## Classes",
    table(
      ["Class", "Is a", "Meaning"],
      termsOf("Class").map((term) => [nameOf(term), textOf(term, "subClassOf"), cell(textOf(term, "comment"))]),
    ),
    "## Properties",
    table(
      ["Property", "Of", "Value", "Meaning"],
      termsOf("DatatypeProperty", "ObjectProperty").map((term) => [
        nameOf(term),
        textOf(term, "domain"),
        textOf(term, "range"),
        cell(textOf(term, "comment")),
      ]),
    ),
  );
}

function shorten(iri: string): string {
  const [namespace, prefix] = Object.entries(PREFIXES).find(([start]) => iri.startsWith(start)) ?? ["", ""];
  return prefix + iri.slice(namespace.length);
}
