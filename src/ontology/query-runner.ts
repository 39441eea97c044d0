/**
 * The port for questions that somebody outside has written: they may never end, ask for everything, or look for what is not for them.
 * So they only read, are stopped at a limit, and see no more than they may. What a program asks itself it asks with `query`.
 */
import type { Bindings, QueryResult } from "./ontology-store.ts";
import type { Visible } from "./visible.ts";

/** A SPARQL query with its limits. */
export interface QueryRequest {
  /** The store that is asked; others are reached with GRAPH. */
  readonly store: string;
  /** SELECT, ASK, CONSTRUCT or DESCRIBE of SPARQL 1.1. */
  readonly sparql: string;
  readonly bindings?: Bindings;
  /** What the query may see; default: everything. */
  readonly visible?: Visible;
  /** Milliseconds that the query may take, without waiting for others and for the graph to be read; default: any time. */
  readonly timeoutMs?: number;
  /** Most rows or triples of the answer; further ones are left out. Default: what `query` of the store gives. */
  readonly maximumRows?: number;
  /** Most bytes of the answer as SPARQL JSON results or N-Triples; a longer one is refused. Default: what `query` of the store gives. */
  readonly maximumBytes?: number;
  /** Stops the query. */
  readonly signal?: AbortSignal;
}

/** What a query gives. */
export interface QueryAnswer {
  readonly result: QueryResult;
  /** Names of the variables of a SELECT, in their order, bound or not. */
  readonly variables: readonly string[];
  /** Whether rows or triples were left out. */
  readonly truncated: boolean;
}

/** Port: answers read-only queries that may be long or come from outside. */
export interface QueryRunner {
  /**
   * The query runs where it does not hold up this process, and can be stopped at any time.
   * @throws ValidationError as `OntologyStore.query`; for what is not visible (`not_visible`), at the time limit (`query_timeout`),
   *   for an answer that is too long (`answer_too_long`)
   * @throws IoError where the store can't be reached, or too many questions wait already (`too_many_queries`)
   * @throws the signal's reason
   */
  run(request: QueryRequest): Promise<QueryAnswer>;
}
