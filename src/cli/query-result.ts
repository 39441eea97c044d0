import type { Quad, Term } from "@rdfjs/types";
import { Writer } from "n3";
import type { QueryResult, Row } from "../ontology/ontology-store.ts";
import { ABI, PROV, RDF, XSD } from "../ontology/vocabulary.ts";
import { dim, harmless, plural } from "./output.ts";
import { table } from "./table.ts";

const NAMESPACES = { abi: ABI, prov: PROV, rdf: RDF, xsd: XSD };

const isQuad = (value: Row | Quad | undefined): value is Quad => value?.["termType"] === "Quad";

/** A result for people: a table, yes or no, or Turtle. */
export async function resultText(result: QueryResult): Promise<string> {
  if (typeof result === "boolean") return result ? "yes" : "no";
  if (isQuad(result[0])) return harmless(await turtle(result as Quad[]));
  const rows = result as Row[];
  const variables = variablesOf(rows);
  const columns = variables.map((title) => ({ title, flexible: true }));
  const cells = rows.map((row) => variables.map((variable) => cell(row[variable])));
  return [...(rows.length > 0 ? [table(columns, cells)] : []), dim(plural(rows.length, "row"))].join("\n");
}

/**
 * A result in the form of SPARQL 1.1 Query Results JSON (https://www.w3.org/TR/sparql11-results-json/). Variables are those
 * that are bound in some row. Quads, for which that format has no place, are the list `quads` of subject, predicate, object.
 */
export function resultJson(result: QueryResult): object {
  if (typeof result === "boolean") return { head: {}, boolean: result };
  if (isQuad(result[0])) {
    return {
      quads: (result as Quad[]).map(({ subject, predicate, object }) => ({
        subject: termJson(subject),
        predicate: termJson(predicate),
        object: termJson(object),
      })),
    };
  }
  const rows = result as Row[];
  const bindings = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([variable, term]) => [variable, termJson(term)])),
  );
  return { head: { vars: variablesOf(rows) }, results: { bindings } };
}

const variablesOf = (rows: readonly Row[]): string[] => [...new Set(rows.flatMap((row) => Object.keys(row)))];

function termJson(term: Term): object {
  if (term.termType === "NamedNode") return { type: "uri", value: term.value };
  if (term.termType !== "Literal") return { type: "bnode", value: term.value };
  const { value, language, datatype } = term;
  if (language !== "") return { type: "literal", value, "xml:lang": language };
  return { type: "literal", value, ...(datatype.value === `${XSD}string` ? {} : { datatype: datatype.value }) };
}

/** IRIs with a known prefix are shortened; of the rest everything is shown. */
function cell(term: Term | undefined): string {
  if (term?.termType !== "NamedNode") return term?.value ?? "";
  const known = Object.entries(NAMESPACES).find(([, namespace]) => term.value.startsWith(namespace));
  return known ? `${known[0]}:${term.value.slice(known[1].length)}` : term.value;
}

async function turtle(quads: readonly Quad[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const writer = new Writer({ prefixes: NAMESPACES });
  writer.addQuads([...quads]);
  writer.end((error, text: string) => (error ? reject(error) : resolve(text.trimEnd())));
  return promise;
}
