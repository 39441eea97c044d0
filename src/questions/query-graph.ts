import { z } from "zod";
import { withoutAbsent } from "../json.ts";
import type { QueryRunner } from "../ontology/query-runner.ts";
import { writeJsonResults } from "../ontology/sparql/json-results.ts";
import { withPrefixes } from "../ontology/vocabulary.ts";
import { direct, type DirectOperation } from "../framework/operation.ts";
import { OPERATOR_LIMITS, queryText } from "./limits.ts";

const MAX_QUERY_LENGTH = 100_000;
const MAX_TIMEOUT_S = 600;
const MAX_ROWS = 100_000;

const JsonTermSchema = z.object({
  type: z.enum(["uri", "bnode", "literal", "typed-literal"]),
  value: z.string(),
  "xml:lang": z.string().optional(),
  datatype: z.string().optional(),
});

/**
 * The operation with which operators run any query over the whole graph. It returns SPARQL 1.1
 * Query Results JSON.
 * @param store the store to query if the caller names none
 */
export function queryGraphOperation({
  queryRunner,
  store,
}: {
  queryRunner: QueryRunner;
  store: string;
}): DirectOperation {
  const wholeNumber = (most: number) => z.coerce.number().int().min(1).max(most);
  return direct("query_graph", {
    description: "Query the knowledge graph with SPARQL 1.1: SELECT, ASK, CONSTRUCT or DESCRIBE. Changes nothing.",
    audience: "operator",
    scope: "admin",
    input: z.strictObject({
      query: queryText(MAX_QUERY_LENGTH).describe("The query. The prefixes abi:, rdf:, xsd: and prov: are declared."),
      store: z.string().default(store).describe("The store to query; other stores are named graphs."),
      timeout_s: wholeNumber(MAX_TIMEOUT_S)
        .default(OPERATOR_LIMITS.timeoutMs / 1000)
        .describe("Seconds after which the query is stopped."),
      limit: wholeNumber(MAX_ROWS)
        .default(OPERATOR_LIMITS.maximumRows)
        .describe("How many rows or triples to return at most."),
    }),
    output: z.object({
      head: z.object({ vars: z.array(z.string()).optional() }).optional(),
      boolean: z.boolean().optional(),
      results: z.object({ bindings: z.array(z.record(z.string(), JsonTermSchema)) }).optional(),
      quads: z
        .array(z.object({ subject: JsonTermSchema, predicate: JsonTermSchema, object: JsonTermSchema }))
        .optional()
        .describe("Triples of CONSTRUCT and DESCRIBE, for which SPARQL's JSON format has no place."),
      truncated: z.boolean().optional().describe("Present if rows or triples were left out."),
    }),
    run: async ({ query, store: asked, timeout_s, limit }, { signal }) =>
      writeJsonResults(
        await queryRunner.run({
          store: asked,
          sparql: withPrefixes(query),
          timeoutMs: timeout_s * 1000,
          maximumRows: limit,
          maximumBytes: OPERATOR_LIMITS.maximumBytes,
          ...withoutAbsent({ signal }),
        }),
      ),
  });
}
