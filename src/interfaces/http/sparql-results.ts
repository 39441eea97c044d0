/** Query results in the formats of the SPARQL 1.1 Protocol. */
import { tripleToNTriples } from "../../ontology/n-triples.ts";
import { areQuads } from "../../ontology/queries.ts";
import type { QueryAnswer } from "../../ontology/query-runner.ts";
import { JSON_RESULTS, writeJsonResults } from "../../ontology/sparql/json-results.ts";

export const N_TRIPLES = "application/n-triples";

/** A query's answer, with its media type. */
export function formatted(answer: QueryAnswer): { type: string; body: string } {
  const { result, variables } = answer;
  // An empty result without variables is that of a CONSTRUCT or DESCRIBE that found no triples.
  const isGraph = typeof result !== "boolean" && (areQuads(result) || variables.length === 0);
  if (!isGraph) return { type: JSON_RESULTS, body: JSON.stringify(writeJsonResults(answer)) };
  const lines = areQuads(result)
    ? result.map(({ subject, predicate, object }) => `${tripleToNTriples(subject, predicate, object)}\n`)
    : [];
  return { type: N_TRIPLES, body: lines.join("") };
}
