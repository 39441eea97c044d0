import { parseNTriples } from "../n-triples.ts";
import type { QueryResult } from "../ontology-store.ts";
import type { Query } from "../sparql/ast.ts";
import { readJsonResults } from "../sparql/json-results.ts";
import { limited } from "../sparql/limit.ts";
import { toText } from "../sparql/parse.ts";
import { tooLarge, type GraphIndex } from "./graph-index.ts";

/**
 * Queries an index.
 * @param graph the graph to query
 * @param graphs all graphs that GRAPH can reach
 * @param most maximum number of rows or triples; an answer with more is refused
 */
export function askIndex(
  index: GraphIndex,
  query: Query,
  graph: string,
  graphs: readonly string[],
  most = Infinity,
): QueryResult {
  const givesQuads = query.subType === "construct" || query.subType === "describe";
  const result = readAnswer(index.answer(toText(limited(query, most + 1)), { graph, graphs, givesQuads }), givesQuads);
  if (typeof result !== "boolean" && result.length > most) throw tooLarge();
  return result;
}

/** Parses an index's answer into terms. */
export const readAnswer = (answer: string, givesQuads: boolean): QueryResult =>
  givesQuads ? parseNTriples(answer) : readJsonResults(JSON.parse(answer));
