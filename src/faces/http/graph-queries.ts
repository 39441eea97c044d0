/** Questions to the knowledge graph, as the SPARQL routes ask them. */
import type { QueryResult } from "../../ontology/ontology-store.ts";

/** Answers questions that somebody outside has written: it only reads, and stops at its limits. */
export interface QueryRunner {
  /**
   * @throws ValidationError for what is no query, reaches out of the graph, takes too long (`query_timeout`) or answers too much;
   * IoError where the graph can't be reached; the signal's reason
   */
  run(request: {
    store: string;
    sparql: string;
    timeoutMs?: number;
    maximumRows?: number;
    maximumBytes?: number;
    signal?: AbortSignal;
  }): Promise<QueryAnswer>;
}

/** What a query has given. */
export interface QueryAnswer {
  readonly result: QueryResult;
  /** Names of the variables of a SELECT, in their order. */
  readonly variables: readonly string[];
  /** Whether rows were left out. */
  readonly truncated: boolean;
}

/** How the graph may be asked. */
export interface GraphQueries {
  readonly runner: QueryRunner;
  /** The store that is asked where the request names none. */
  readonly store: string;
  readonly timeoutMs: number;
  readonly maximumRows: number;
  readonly maximumBytes: number;
}
