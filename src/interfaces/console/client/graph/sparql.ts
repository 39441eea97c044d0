import { jsonIn, respond, whole } from "../api.ts";

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

/**
 * Queries the store `feedback_data`. The service declares the prefixes abi, prov, rdf and xsd.
 * @throws as `respond` and `whole`
 */
export async function ask(query: string, signal?: AbortSignal): Promise<Answer> {
  const response = await respond(`/sparql?default-graph-uri=${encodeURIComponent(STORE)}`, {
    body: query,
    headers: { "content-type": "application/sparql-query" },
    signal,
  });
  const isTruncated = response.headers.get("x-truncated") === "true";
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) {
    return { variables: [], rows: [], triples: await whole(response.text(), signal), isTruncated };
  }
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
