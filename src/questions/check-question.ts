import { ValidationError } from "../errors.ts";
import { walk, type Query } from "../ontology/sparql/ast.ts";
import { parseQuery } from "../ontology/sparql/parse.ts";
import { projected } from "../ontology/sparql/scope.ts";
import { withPrefixes } from "../ontology/vocabulary.ts";
import type { GraphQuestion } from "./graph-question.ts";

/**
 * Checks that a question can work, before anyone asks it.
 * @throws ValidationError (`invalid_configuration`) that says what the author has to correct
 */
export function checkQuestion(question: GraphQuestion): void {
  const fault = (problem: string): ValidationError =>
    new ValidationError(`The question ${question.name} is not usable: ${problem}.`, { code: "invalid_configuration" });
  const query = parsed(question, fault);
  if (query.subType !== "select") throw fault("its SPARQL must be a SELECT");
  if (!question.bindings) {
    const known = variablesOf(query);
    const unused = Object.keys(question.parameters.shape).find((name) => !known.has(name));
    if (unused !== undefined) throw fault(`its SPARQL has no variable ?${unused} for the parameter of that name`);
  }
  const given = new Set(projected(query));
  const missing = Object.keys(question.row.shape).find((name) => !given.has(name));
  if (missing !== undefined) throw fault(`its SPARQL must select ?${missing}, which is in its rows`);
}

function parsed({ sparql }: GraphQuestion, fault: (problem: string) => ValidationError): Query {
  try {
    return parseQuery(withPrefixes(sparql), {}, "A question can only read.");
  } catch (error) {
    throw fault(`its SPARQL does not work. ${(error as Error).message.replace(/\.$/, "")}`);
  }
}

function variablesOf(query: Query): Set<string> {
  const names = new Set<string>();
  walk(query, (node) => {
    if (node.type === "term" && node.subType === "variable") names.add(node["value"] as string);
  });
  return names;
}
