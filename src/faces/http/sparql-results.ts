/** Answers of queries in the formats of the SPARQL 1.1 Protocol. */
import type { Quad, Term } from "@rdfjs/types";
import type { Row } from "../../ontology/ontology-store.ts";
import { tripleToNTriples } from "../../ontology/n-triples.ts";
import type { QueryAnswer } from "./graph-queries.ts";

export const SPARQL_JSON = "application/sparql-results+json";
export const N_TRIPLES = "application/n-triples";

const XSD_STRING = "http://www.w3.org/2001/XMLSchema#string";

const isQuads = (result: Row[] | Quad[]): result is Quad[] => result[0]?.["termType"] === "Quad";

/** What a query gave, with its media type. */
export function formatted({ result, variables }: QueryAnswer): { type: string; body: string } {
  if (typeof result === "boolean") return { type: SPARQL_JSON, body: JSON.stringify({ head: {}, boolean: result }) };
  // Without a variable it is no SELECT, whose rows have at least one.
  if (isQuads(result) || variables.length === 0) {
    const lines = (result as Quad[]).map(({ subject, predicate, object }) =>
      tripleToNTriples(subject, predicate, object),
    );
    return { type: N_TRIPLES, body: lines.map((line) => `${line}\n`).join("") };
  }
  const bindings = result.map((row) =>
    Object.fromEntries(Object.entries(row).map(([variable, term]) => [variable, termJson(term)])),
  );
  return { type: SPARQL_JSON, body: JSON.stringify({ head: { vars: variables }, results: { bindings } }) };
}

/** https://www.w3.org/TR/sparql11-results-json/#select-encode-terms */
function termJson(term: Term): object {
  if (term.termType === "NamedNode") return { type: "uri", value: term.value };
  if (term.termType !== "Literal") return { type: "bnode", value: term.value };
  const { value, language, datatype } = term;
  if (language !== "") return { type: "literal", value, "xml:lang": language };
  return { type: "literal", value, ...(datatype.value === XSD_STRING ? {} : { datatype: datatype.value }) };
}
