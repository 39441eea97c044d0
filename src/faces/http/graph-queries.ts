import type { QueryRunner } from "../../ontology/query-runner.ts";

/** How the graph may be asked. */
export interface GraphQueries {
  readonly runner: QueryRunner;
  /** The store that is asked where the request names none. */
  readonly store: string;
  readonly timeoutMs: number;
  readonly maximumRows: number;
  readonly maximumBytes: number;
}
