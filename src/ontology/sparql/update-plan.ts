import { ValidationError } from "../../errors.ts";
import type { Bindings } from "../ontology-store.ts";
import * as ast from "./ast.ts";
import { withJoinsOrdered } from "./join-order.ts";
import { parseUpdate, withinStack } from "./parse.ts";
import { flatten, variablesOf } from "./triples.ts";

/** Removes everything from the store. */
interface Clear {
  readonly kind: "clear";
}

/**
 * Removes and inserts triples. `remove` and `insert` are templates: they are filled in once for
 * each row of `solutions`, with the row's values. Without `solutions` they are used once, and their
 * variables have no value.
 */
interface Change {
  readonly kind: "change";
  readonly remove: readonly ast.Triple[];
  readonly insert: readonly ast.Triple[];
  /** The query whose rows have the values of the templates' variables. */
  readonly solutions?: ast.SelectQuery;
  /** Prefixes of the templates. */
  readonly context: ast.Context;
}

export type UpdateStep = Clear | Change;

const refused = (what: string): ValidationError =>
  new ValidationError(`${what} is not supported: an update changes only the store that it is called on.`, {
    code: "unsupported_sparql",
  });

type Quads = Extract<ast.Operation, { subType: "modify" }>["insert"];

function template(quads: Quads): ast.Triple[] {
  return quads.flatMap((part) => {
    if (part.type === "graph") throw refused("GRAPH in INSERT or DELETE");
    return flatten(part.triples);
  });
}

function change(
  remove: ast.Triple[],
  insert: ast.Triple[],
  where: ast.Group | undefined,
  context: ast.Context,
): Change {
  if (!where) return { kind: "change", remove, insert, context };
  const names = [...new Set([...remove, ...insert].flatMap(variablesOf))];
  return { kind: "change", remove, insert, context, solutions: withJoinsOrdered(ast.select(names, where, context)) };
}

function step(operation: ast.Operation, context: ast.Context): UpdateStep {
  switch (operation.subType) {
    case "insertdata":
      return change([], template(operation.data), undefined, context);
    case "deletedata":
      return change(template(operation.data), [], undefined, context);
    case "deletewhere": {
      const triples = template(operation.data);
      return change(triples, [], ast.group([ast.bgp(triples)]), context);
    }
    case "modify":
      if (operation.graph) throw refused("WITH");
      return change(template(operation.delete), template(operation.insert), operation.where, context);
    case "clear":
    case "drop":
      if (operation.destination.subType === "default" || operation.destination.subType === "all")
        return { kind: "clear" };
      throw refused(`${operation.subType.toUpperCase()} of a named graph`);
    case "create":
    case "add":
    case "move":
    case "copy":
      throw refused(operation.subType.toUpperCase());
    case "load":
      throw new ValidationError(
        "LOAD is not supported, because an update can't fetch from the network. Insert the data instead.",
        {
          code: "unsupported_sparql",
        },
      );
  }
}

/**
 * Plans what a SPARQL 1.1 Update does to one store, operation by operation. CLEAR and DROP accept
 * DEFAULT or ALL, which both mean the store.
 * @throws ValidationError if the update does not parse, if it would change anything other than the
 *   store or load from the network, or if a binding is invalid
 */
export const planUpdate = (sparql: string, bindings: Bindings): UpdateStep[] =>
  withinStack(() => parseUpdate(sparql, bindings).map(({ operation, context }) => step(operation, context)));
