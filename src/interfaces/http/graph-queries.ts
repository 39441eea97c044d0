import type { QueryRunner } from "../../ontology/query-runner.ts";

/** How the graph may be queried. */
export interface GraphQueries {
  readonly runner: QueryRunner;
  /** The store to query if the request names none. */
  readonly store: string;
  readonly timeoutMs: number;
  readonly maximumRows: number;
  readonly maximumBytes: number;
}
