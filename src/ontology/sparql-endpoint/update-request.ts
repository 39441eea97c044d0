/** Builds SPARQL 1.1 Update requests. */
import type { NamedNode } from "@rdfjs/types";

export interface UpdateRequest {
  readonly text: string;
  /** Whether it can be repeated without harm, for example because it only adds given triples. */
  readonly repeatable: boolean;
}

/**
 * Joins several requests into one, which endpoints should execute as a whole or not at all (SPARQL
 * 1.1 Update, 2.2).
 */
export const sequence = (requests: readonly UpdateRequest[]): UpdateRequest => ({
  text: requests.map(({ text }) => text).join(" ;\n"),
  repeatable: requests.every(({ repeatable }) => repeatable),
});

/** @param lines N-Triples, which are SPARQL as well */
export const insertData = (graph: NamedNode, lines: readonly string[]): UpdateRequest => ({
  text: `INSERT DATA { GRAPH <${graph.value}> {\n${lines.join("\n")}\n} }`,
  repeatable: true,
});
