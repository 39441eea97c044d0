import type { Quad, Term } from "@rdfjs/types";
import { Writer } from "n3";
import { areQuads } from "../src/ontology/queries.ts";
import type { QueryAnswer } from "../src/ontology/query-runner.ts";
import { ABI, PROV, RDF, XSD } from "../src/ontology/vocabulary.ts";
import { dim, escapedText, plural } from "./terminal/output.ts";
import { table } from "./terminal/table.ts";

const NAMESPACES = { abi: ABI, prov: PROV, rdf: RDF, xsd: XSD };

/** An answer for people: a table, yes or no, or Turtle. */
export async function answerText({ result, variables }: QueryAnswer): Promise<string> {
  if (typeof result === "boolean") return result ? "yes" : "no";
  if (areQuads(result)) return escapedText(await turtle(result));
  const rows = result;
  const columns = variables.map((title) => ({ title, flexible: true }));
  const cells = rows.map((row) => variables.map((variable) => cell(row[variable])));
  return [...(rows.length > 0 ? [table(columns, cells)] : []), dim(plural(rows.length, "row"))].join("\n");
}

/** IRIs with a known prefix are shortened; all others are shown in full. */
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
