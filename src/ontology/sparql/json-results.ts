/**
 * Reads and writes the SPARQL 1.1 Query Results JSON Format
 * (https://www.w3.org/TR/sparql11-results-json/), with RDF/JS terms.
 */
import type { Term } from "@rdfjs/types";
import { DataFactory } from "../n3.ts";
import type { Row } from "../ontology-store.ts";
import { areQuads } from "../queries.ts";
import type { QueryAnswer } from "../query-runner.ts";
import { xsd } from "../vocabulary.ts";

export const JSON_RESULTS = "application/sparql-results+json";

interface JsonTerm {
  /** `typed-literal` is from before the format was a standard; Virtuoso still uses it. */
  type: "uri" | "bnode" | "literal" | "typed-literal";
  value: string;
  "xml:lang"?: string;
  datatype?: string;
}

interface JsonResults {
  boolean?: boolean;
  results?: { bindings: Record<string, JsonTerm>[] };
}

function readTerm({ type, value, datatype, "xml:lang": language }: JsonTerm): Term {
  if (typeof value !== "string") throw new TypeError("a term without a value");
  switch (type) {
    case "uri":
      return DataFactory.namedNode(value);
    case "bnode":
      return DataFactory.blankNode(value);
    case "literal":
    case "typed-literal":
      return DataFactory.literal(value, language ?? (datatype ? DataFactory.namedNode(datatype) : undefined));
    default:
      throw new TypeError("a term of an unknown type");
  }
}

/** Without a prototype, because a variable may be named `constructor` and be unbound. */
function readRow(binding: Record<string, JsonTerm>): Row {
  const row = Object.create(null) as Record<string, Term>;
  for (const [name, term] of Object.entries(binding)) row[name] = readTerm(term);
  return row;
}

/**
 * The rows of a SELECT or the answer of an ASK.
 * @throws TypeError if `json` is in another format
 */
export function readJsonResults(json: unknown): Row[] | boolean {
  const { boolean, results } = json as JsonResults;
  if (typeof boolean === "boolean") return boolean;
  if (!results) throw new TypeError("neither rows nor a boolean");
  return results.bindings.map(readRow);
}

/**
 * Writes an answer in SPARQL's format. The format doesn't cover triples, so they are in `quads`,
 * each as subject, predicate and object. `truncated` is present if rows or triples were left out.
 */
export function writeJsonResults({ result, variables, truncated }: QueryAnswer): JsonAnswer {
  const cut = truncated ? { truncated } : {};
  if (typeof result === "boolean") return { head: {}, boolean: result };
  if (areQuads(result)) {
    const quads = result.map(({ subject, predicate, object }) => ({
      subject: writeTerm(subject),
      predicate: writeTerm(predicate),
      object: writeTerm(object),
    }));
    return { quads, ...cut };
  }
  const bindings = result.map((row) =>
    Object.fromEntries(Object.entries(row).map(([variable, term]) => [variable, writeTerm(term)])),
  );
  return { head: { vars: [...variables] }, results: { bindings }, ...cut };
}

export interface JsonAnswer {
  head?: { vars?: string[] };
  boolean?: boolean;
  results?: { bindings: Record<string, JsonTerm>[] };
  quads?: Record<"subject" | "predicate" | "object", JsonTerm>[];
  truncated?: boolean;
}

function writeTerm(term: Term): JsonTerm {
  if (term.termType === "NamedNode") return { type: "uri", value: term.value };
  if (term.termType !== "Literal") return { type: "bnode", value: term.value };
  const { value, language, datatype } = term;
  if (language !== "") return { type: "literal", value, "xml:lang": language };
  return { type: "literal", value, ...(datatype.equals(xsd.string) ? {} : { datatype: datatype.value }) };
}
