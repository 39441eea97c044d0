/** What every query runner does before and after executing a query. */
import { ValidationError } from "../../errors.ts";
import type { QueryResult } from "../ontology-store.ts";
import type { QueryAnswer, QueryRequest } from "../query-runner.ts";
import type * as ast from "./ast.ts";
import { confine } from "./confine.ts";
import { limited } from "./limit.ts";
import { parseQuery, withinStack } from "./parse.ts";
import { projected } from "./scope.ts";

const ONLY_READS = "Nothing can be changed here: ask with SELECT, ASK, CONSTRUCT or DESCRIBE.";

export interface PreparedQuestion {
  readonly query: ast.Query;
  /** Whether the answer consists of triples. */
  readonly givesQuads: boolean;
  readonly variables: readonly string[];
}

/**
 * Parses the query, binds its values, confines it to visible data, and limits it to one row more
 * than wanted, which shows whether there are more.
 */
export function prepareQuestion(request: QueryRequest, mostRows: number): PreparedQuestion {
  const { store, sparql, bindings = {}, visible } = request;
  const parsed = parseQuery(sparql, bindings, ONLY_READS);
  const query = visible === undefined ? parsed : withinStack(() => confine(parsed, store, visible));
  return {
    query: limited(query, mostRows + 1),
    givesQuads: query.subType === "construct" || query.subType === "describe",
    variables: query.subType === "select" ? [...new Set(projected(query))] : [],
  };
}

/** The answer without the rows over the limit. */
export function toAnswer(result: QueryResult, { variables }: PreparedQuestion, mostRows: number): QueryAnswer {
  if (typeof result === "boolean" || result.length <= mostRows) return { result, variables, truncated: false };
  return { result: result.slice(0, mostRows), variables, truncated: true };
}

/** The error for a query that was stopped at its time limit. */
export const timedOut = (timeoutMs: number): ValidationError =>
  new ValidationError(
    `The query was stopped after ${timeoutMs / 1000} s, its time limit. Make it narrower: give the values that you know, and ask for less at a time.`,
    { code: "query_timeout" },
  );

/** A time limit as a Node.js timer accepts it: at most some 24 days. */
export const timerMs = (timeoutMs: number): number => Math.min(timeoutMs, 2 ** 31 - 1);
