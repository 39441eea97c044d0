/**
 * Turns the plan of a SPARQL update into one request that changes only one graph, and detects
 * queries and plans that read other stores.
 */
import { randomUUID } from "node:crypto";
import type { NamedNode } from "@rdfjs/types";
import { DataFactory } from "../n3.ts";
import { ValidationError } from "../../errors.ts";
import * as ast from "../sparql/ast.ts";
import { toText } from "../sparql/parse.ts";
import { flatten, variablesOf } from "../sparql/triples.ts";
import type { UpdateStep } from "../sparql/update-plan.ts";
import { sequence, type UpdateRequest } from "./update-request.ts";

type Change = Extract<UpdateStep, { kind: "change" }>;

/** Whether a query or pattern contains GRAPH, which can read other stores. */
export function reachesOtherStores(tree: unknown): boolean {
  let found = false;
  ast.walk(tree, (node) => {
    if (node.type === "pattern" && node.subType === "graph") found = true;
  });
  return found;
}

/** Whether a plan reads other stores. */
export const planReachesOtherStores = (plan: readonly UpdateStep[]): boolean =>
  plan.some((step) => step.kind === "change" && reachesOtherStores(step.solutions?.where));

/**
 * Turns a plan into one request. The plan changes only `graph`.
 * @param first a request that is executed before the plan, as part of the same request
 * @param named all graphs that GRAPH in a WHERE clause can read
 * @throws ValidationError for BNODE with an argument
 */
export function planRequest(
  first: UpdateRequest,
  plan: readonly UpdateStep[],
  graph: NamedNode,
  named: readonly NamedNode[],
): UpdateRequest {
  const shared = sharedContext(plan);
  const operations = plan.flatMap((step) => {
    if (step.kind === "clear") return [{ text: `DROP SILENT GRAPH <${graph.value}>`, repeatable: false }];
    const context = shared ? [] : step.context;
    const { where } = step.solutions ?? {};
    const isSearch = where && where.patterns.length > 0;
    return isSearch ? [search({ ...step, context }, where, graph, named)] : ground({ ...step, context }, graph);
  });
  const { text, repeatable } = sequence([first, ...operations]);
  return { text: shared && shared.length > 0 ? `${toText(ast.update(shared))}\n${text}` : text, repeatable };
}

/**
 * The prefixes of all steps, for the head of the request: every endpoint reads them there, but
 * Oxigraph 0.5 accepts none between operations. Undefined if their order matters, because a prefix
 * changes or a base comes later.
 */
function sharedContext(plan: readonly UpdateStep[]): ast.Context | undefined {
  const contexts = plan.flatMap((step) => (step.kind === "change" ? [step.context] : []));
  const all = contexts.at(-1) ?? [];
  const known = new Map<string, string>();
  for (const [index, definition] of all.entries()) {
    if (definition.subType === "base") {
      if (index >= (contexts[0]?.length ?? 0)) return undefined;
      continue;
    }
    const { key, value } = definition;
    if ((known.get(key) ?? value.value) !== value.value) return undefined;
    known.set(key, value.value);
  }
  return all;
}

/** For a step that searches nothing: DELETE DATA and INSERT DATA. */
function ground({ remove, insert, context }: Change, graph: NamedNode): UpdateRequest[] {
  const named = new Map<string, ast.Triple["subject"]>();
  const skolemize = (node: ast.Node): unknown => {
    if (node.subType !== "blankNode") return undefined;
    const label = node["label"] as string;
    const term = named.get(label) ?? ast.constant(DataFactory.namedNode(`urn:uuid:${randomUUID()}`));
    named.set(label, term);
    return term;
  };
  // Without WHERE patterns, variables have no value, and triples with variables are left out.
  const data = (subType: "insertdata" | "deletedata", triples: readonly ast.Triple[]): UpdateRequest[] => {
    const bound = triples.filter((triple) => variablesOf(triple).length === 0);
    if (bound.length === 0) return [];
    const operation = ast.data(subType, graph, ast.mapNodes(bound, skolemize));
    return [{ text: toText(ast.update(context, operation)), repeatable: true }];
  };
  return [...data("deletedata", remove), ...data("insertdata", insert)];
}

/** For a step that searches: one operation with DELETE, INSERT and WHERE. */
function search(
  { remove, insert, context }: Change,
  where: ast.Group,
  graph: NamedNode,
  named: readonly NamedNode[],
): UpdateRequest {
  const nodes = new Map<string, string>();
  const prefix = unusedPrefix([remove, insert, where]);
  // A blank node could not be referred to later. So it is replaced by a variable, which gets a new
  // IRI in each solution.
  const skolemize = (node: ast.Node): unknown => {
    if (node.subType !== "blankNode") return undefined;
    const label = node["label"] as string;
    const name = nodes.get(label) ?? `${prefix}${nodes.size}`;
    nodes.set(label, name);
    return ast.variable(name);
  };
  const inserted = flatten(ast.mapNodes([...insert], skolemize));
  const patterns = ast.mapNodes(where.patterns, withoutBlankNodes);
  const fresh = [...nodes.values()].map((name) => ast.bind(ast.operation("uuid", []), name));
  const from = reachesOtherStores(where) ? ast.dataset(graph, named) : undefined;
  const operation = ast.modify(graph, {
    remove: [...remove],
    insert: inserted,
    where: ast.group([...patterns, ...fresh]),
    from,
  });
  return { text: toText(ast.update(context, operation)), repeatable: false };
}

/**
 * A blank node from BNODE() would have to become an IRI when it is stored. So BNODE() is replaced
 * by UUID(), which makes an IRI right away.
 */
function withoutBlankNodes(node: ast.Node): unknown {
  if (node.type !== "expression" || node.subType !== "operation" || node["operator"] !== "bnode") return undefined;
  if ((node["args"] as unknown[]).length === 0) return ast.operation("uuid", []);
  throw new ValidationError("BNODE with an argument is not supported in updates of a SPARQL endpoint. Use IRI().", {
    code: "unsupported_sparql",
  });
}

function unusedPrefix(tree: unknown): string {
  const names = new Set<string>();
  ast.walk(tree, (node) => {
    if (node.subType === "variable") names.add(node["value"] as string);
  });
  let prefix = "node";
  while ([...names].some((name) => name.startsWith(prefix))) prefix += "_";
  return prefix;
}
