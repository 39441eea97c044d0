/** SPARQL 1.1 Update requests: what a store is told to do as text, confined to the store's graph. */
import type { NamedNode } from "@rdfjs/types";

export interface UpdateRequest {
  readonly text: string;
  /** A second time changes nothing more: it only adds or removes triples that stand in it. */
  readonly repeatable: boolean;
}

/** One request of several: all or nothing on the endpoint. */
export const sequence = (requests: readonly UpdateRequest[]): UpdateRequest => ({
  text: requests.map(({ text }) => text).join(" ;\n"),
  repeatable: requests.every(({ repeatable }) => repeatable),
});

/** @param lines N-Triples, which are SPARQL as well */
export const insertData = (graph: NamedNode, lines: readonly string[]): UpdateRequest => ({
  text: `INSERT DATA { GRAPH <${graph.value}> {\n${lines.join("\n")}\n} }`,
  repeatable: true,
});
