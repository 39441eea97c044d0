import type { Quad } from "@rdfjs/types";
import { ValidationError } from "../errors.ts";
import type { Bindings, OntologyStore, QueryResult, Row } from "./ontology-store.ts";

type Question = [store: OntologyStore, name: string, sparql: string, bindings?: Bindings];

const wrongForm = (form: string): ValidationError =>
  new ValidationError(`This query is not ${form}.`, { code: "wrong_query_form" });

/** Whether a result is triples instead of rows. An empty result counts as rows. */
export const areQuads = (result: Row[] | Quad[]): result is Quad[] => result[0]?.["termType"] === "Quad";

const answer = (...[store, name, sparql, bindings]: Question): Promise<QueryResult> =>
  store.query(name, sparql, bindings);

/**
 * Runs a SELECT and returns its rows.
 * @throws ValidationError for an ASK, and for a CONSTRUCT or DESCRIBE that returns any quads
 */
export async function select(...question: Question): Promise<Row[]> {
  const result = await answer(...question);
  if (typeof result === "boolean" || areQuads(result)) throw wrongForm("a SELECT");
  return result;
}

/**
 * Runs an ASK and returns its answer.
 * @throws ValidationError for a different form of query
 */
export async function ask(...question: Question): Promise<boolean> {
  const result = await answer(...question);
  if (typeof result !== "boolean") throw wrongForm("an ASK");
  return result;
}

/**
 * Runs a CONSTRUCT or DESCRIBE and returns its quads.
 * @throws ValidationError for an ASK, and for a SELECT that returns any rows
 */
export async function construct(...question: Question): Promise<Quad[]> {
  const result = await answer(...question);
  if (typeof result === "boolean" || (result.length > 0 && !areQuads(result))) throw wrongForm("a CONSTRUCT");
  return result as Quad[];
}
