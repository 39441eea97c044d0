import { z } from "zod";
import type { NamedNode } from "@rdfjs/types";
import { withoutAbsent } from "../json.ts";
import type { Row } from "../ontology/ontology-store.ts";
import { areQuads } from "../ontology/queries.ts";
import type { QueryAnswer, QueryRunner } from "../ontology/query-runner.ts";
import type { Visible } from "../ontology/visible.ts";
import { storeIri } from "../ontology/store-name.ts";
import { ABI, abi, PROV, prov, withPrefixes } from "../ontology/vocabulary.ts";
import { direct, type DirectOperation } from "../framework/operation.ts";
import { DEFAULT_LIMITS, truncationNote, queryText, Truncation, type QuestionLimits } from "./limits.ts";
import { valueOf } from "./question-operation.ts";

export interface FreeQueryOptions extends QuestionLimits {
  queryRunner: QueryRunner;
  /** The store to query. */
  store: string;
  /** What queries may see; undefined: everything, about all customers. */
  visible: Visible | undefined;
}

const MAX_QUERY_LENGTH = 10_000;
/** About ten thousand words, which is as much as a model should read. */
const MAXIMUM_BYTES = 100_000;

const Cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The operation with which agents run their own queries, read-only and within limits. */
export function freeQueryOperation(options: FreeQueryOptions): DirectOperation {
  const { queryRunner, store, visible } = options;
  const { maximumRows, timeoutMs } = { ...DEFAULT_LIMITS, ...options };
  return direct("query_knowledge_graph", {
    description:
      "Ask the knowledge graph a question of your own in SPARQL 1.1 (SELECT, ASK or CONSTRUCT; nothing can be changed). " +
      `The prefixes abi:, rdf:, xsd: and prov: are declared. ${visible ? described(visible[store]) : EVERYTHING}`,
    input: z.strictObject({
      query: queryText(MAX_QUERY_LENGTH).describe("The SPARQL query. Ask for few rows: use LIMIT, COUNT and GROUP BY."),
    }),
    output: z.object({
      answer: z.boolean().optional().describe("The answer to an ASK."),
      columns: z.array(z.string()).optional().describe("The names of the columns."),
      rows: z.array(z.array(Cell)).optional().describe("Rows of a SELECT, or triples. A cell without a value is null."),
      ...Truncation.shape,
    }),
    example: { input: { query: "SELECT ?type (COUNT(*) AS ?things) { ?thing a ?type } GROUP BY ?type LIMIT 10" } },
    run: async ({ query }, { signal }) => {
      const answer = await queryRunner.run({
        store,
        sparql: withPrefixes(query),
        ...withoutAbsent({ visible }),
        maximumRows,
        maximumBytes: MAXIMUM_BYTES,
        timeoutMs,
        ...withoutAbsent({ signal }),
      });
      return { ...tableOf(answer), ...truncationNote(answer.truncated, maximumRows) };
    },
  });
}

function tableOf({ result, variables }: QueryAnswer) {
  if (typeof result === "boolean") return { answer: result };
  if (areQuads(result)) {
    const rows = result.map(({ subject, predicate, object }) => [subject, predicate, object].map(valueOf));
    return { columns: ["subject", "predicate", "object"], rows };
  }
  const cellsOf = (row: Row) => variables.map((name) => (row[name] ? valueOf(row[name]) : null));
  return { columns: [...variables], rows: result.map(cellsOf) };
}

const shortened = (terms: readonly NamedNode[]): string =>
  terms.map(({ value }) => value.replace(ABI, "abi:").replace(PROV, "prov:")).join(", ");

/** The terms that a model may use. */
const described = (part: Visible[string] | undefined): string =>
  part
    ? `Classes: ${shortened(part.classes)}. Properties: ${shortened(part.properties)}. Nothing else is visible.`
    : "Nothing is visible.";

const EVERYTHING =
  `Classes and properties: ${shortened([...Object.values(abi), ...Object.values(prov)])}. ` +
  `Other stores are named graphs, such as <${storeIri("customer_data")}>.`;
