import { jsonIn, respond } from "../api.ts";

export interface Term {
  type: "uri" | "literal" | "bnode";
  value: string;
  datatype?: string;
}

export type Row = Readonly<Record<string, Term>>;

export interface Answer {
  variables: readonly string[];
  rows: readonly Row[];
  /** The answer to ASK. */
  boolean?: boolean;
  /** The answer to CONSTRUCT and DESCRIBE, as N-Triples. */
  triples?: string;
  isTruncated: boolean;
}

const STORE = "http://example.org/abi/stores/feedback_data";

const PREFIXES = `PREFIX abi: <http://example.org/abi#>
PREFIX prov: <http://www.w3.org/ns/prov#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
`;

const declaresPrefixes = (query: string): boolean => /^\s*(?:#.*\n\s*)*PREFIX\b/i.test(query);

/**
 * Queries the store `feedback_data`. Adds the usual prefixes if the query declares none.
 * @throws ApiError
 */
export async function ask(query: string, signal?: AbortSignal): Promise<Answer> {
  const response = await respond(`/sparql?default-graph-uri=${encodeURIComponent(STORE)}`, {
    body: declaresPrefixes(query) ? query : PREFIXES + query,
    headers: { "content-type": "application/sparql-query" },
    signal,
  });
  const isTruncated = response.headers.get("x-truncated") === "true";
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) return { variables: [], rows: [], triples: await response.text(), isTruncated };
  const { head, results, boolean } = await jsonIn<{
    head: { vars?: readonly string[] };
    results?: { bindings: readonly Row[] };
    boolean?: boolean;
  }>(response, signal);
  return {
    variables: head.vars ?? [],
    rows: results?.bindings ?? [],
    isTruncated,
    ...(boolean !== undefined && { boolean }),
  };
}

/** The rows of an answer, with each value as a string. */
export const select = async (query: string, signal?: AbortSignal): Promise<Record<string, string>[]> =>
  (await ask(query, signal)).rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, { value }]) => [name, value])),
  );
