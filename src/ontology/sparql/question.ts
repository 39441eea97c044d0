/** What every runner of queries does before it asks, and afterwards. */
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
  /** Whether the answer is triples. */
  readonly givesQuads: boolean;
  readonly variables: readonly string[];
}

/** Parsed, bound, confined to what is visible, and with a limit of one row more than is wanted, which shows that there are more. */
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

/** The answer without the rows that are too many. */
export function toAnswer(result: QueryResult, { variables }: PreparedQuestion, mostRows: number): QueryAnswer {
  if (typeof result === "boolean" || result.length <= mostRows) return { result, variables, truncated: false };
  return { result: result.slice(0, mostRows), variables, truncated: true };
}

/** The error for a query that was stopped at its time limit. */
export const timedOut = (timeoutMs: number): ValidationError =>
  new ValidationError(
    `The query was stopped after ${timeoutMs / 1000} s, its time limit. Make it narrower: name what you know, and ask for less at a time.`,
    { code: "query_timeout" },
  );

/** A time limit as a timer of Node.js takes it: no more than some 24 days. */
export const timerMs = (timeoutMs: number): number => Math.min(timeoutMs, 2 ** 31 - 1);
