/**
 * The port for queries from outside the program, such as those of a model. Such a query may never
 * end, ask for everything, or look for data that its author should not see. So it can only read, is
 * stopped at its limits, and sees only the data that is visible to it. For the program's own
 * queries, use `query` of the store.
 */
import type { Bindings, QueryResult } from "./ontology-store.ts";
import type { Visible } from "./visible.ts";

/** A SPARQL query with its limits. */
export interface QueryRequest {
  /** The store to query; other stores are reached with GRAPH. */
  readonly store: string;
  /** SELECT, ASK, CONSTRUCT or DESCRIBE of SPARQL 1.1. */
  readonly sparql: string;
  readonly bindings?: Bindings;
  /** What the query may see; default: everything. */
  readonly visible?: Visible;
  /**
   * Time limit in milliseconds, not counting the time to wait for other queries or to load the
   * graph; default: none.
   */
  readonly timeoutMs?: number;
  /**
   * The maximum number of rows or triples; the rest is left out. Default: the limit of the store's
   * `query`, which refuses a larger answer.
   */
  readonly maximumRows?: number;
  /**
   * The maximum size of the answer in bytes, as SPARQL JSON results or N-Triples; a longer answer
   * is refused. Default: the limit of the store's `query`.
   */
  readonly maximumBytes?: number;
  /** Stops the query. */
  readonly signal?: AbortSignal;
}

/** The answer to a query. */
export interface QueryAnswer {
  readonly result: QueryResult;
  /** Names of the variables of a SELECT, in order, bound or not. */
  readonly variables: readonly string[];
  /** Whether rows or triples were left out. */
  readonly truncated: boolean;
}

/** The port: answers read-only queries that may be long or come from outside the program. */
export interface QueryRunner {
  /**
   * Runs a query without blocking this process. It can be stopped at any time.
   * @throws ValidationError as `OntologyStore.query`; if the query asks for hidden data
   *   (`not_visible`), reaches its time limit (`query_timeout`), or has too long an answer
   *   (`answer_too_long`)
   * @throws IoError if the store can't be reached, or too many queries are already waiting
   *   (`too_many_queries`)
   * @throws the signal's reason
   */
  run(request: QueryRequest): Promise<QueryAnswer>;
}
