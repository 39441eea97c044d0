/**
 * Replaces variables with values in the parsed query, term by term, so no value is ever parsed as
 * SPARQL. A variable that has such a value is called bound here. The effect is as if the query
 * asked only for solutions in which the variable has that value, at every depth: in OPTIONAL,
 * UNION, MINUS, EXISTS and sub-SELECTs too. If a bound variable is selected, the result contains
 * its value.
 */
import { ValidationError } from "../../errors.ts";
import type { Bindings } from "../ontology-store.ts";
import { toTerm } from "../term.ts";
import * as ast from "./ast.ts";
import { inScope } from "./scope.ts";

type Constant = ast.Iri | ast.LiteralTerm;

interface Binder {
  readonly values: ReadonlyMap<string, Constant>;
  readonly used: Set<string>;
  /** Returns a variable name that the query does not use. */
  readonly fresh: () => string;
}

/**
 * @param tree a parsed query or update; it is not changed
 * @param fresh returns variable names that the query does not use
 * @throws ValidationError if a value is not a valid term, if a name is not a variable of the query,
 *   if the query sets that variable itself (with AS, BIND or VALUES), or if a literal is given
 *   where only an IRI is allowed
 */
export function bindValues<T extends ast.Query | ast.Update>(tree: T, bindings: Bindings, fresh: () => string): T {
  const entries = Object.entries(bindings);
  if (entries.length === 0) return tree;
  const values = new Map(
    entries.map(([name, value]) => [name, ast.constant(toTerm(value, `The binding ${printable(name)}`))]),
  );
  const binder: Binder = { values, used: new Set(), fresh };
  const bound = ast.mapNodes(tree, (node) => rewrite(node, binder, true));
  for (const name of values.keys()) {
    if (!binder.used.has(name)) throw invalid(name, "is not a variable of this query");
  }
  return bound;
}

const printable = (name: string): string => (/^\w{1,100}$/.test(name) ? name : "with an invalid name");

const invalid = (name: string, reason: string): ValidationError =>
  new ValidationError(`The binding ${printable(name)} ${reason}.`, { code: "invalid_binding" });

/** The new form of a node; undefined if only its parts change. */
function rewrite(node: ast.Node, binder: Binder, top = false): unknown {
  const deeper = (inner: ast.Node): unknown => rewrite(inner, binder);
  switch (node.type) {
    case "term":
      return node.subType === "variable" ? replacement(node["value"] as string, binder) : undefined;
    case "triple":
      checkTriple(node as unknown as ast.Triple, binder);
      return undefined;
    case "query":
      return rewriteQuery(node as unknown as ast.Query, binder, top);
    case "pattern":
      return rewritePattern(node as unknown as ast.Pattern, binder);
    case "expression":
      return isBoundTest(node, binder) ? TRUE : undefined;
    case "solutionModifier":
      if (node.subType !== "group") return undefined;
      return {
        ...node,
        groupings: (node["groupings"] as Grouping[]).map((item) => rewriteGrouping(item, binder, deeper)),
      };
    case undefined:
    default:
      return undefined;
  }
}

const TRUE = ast.constant(toTerm(true, "true"));

function replacement(name: string, { values, used }: Binder): Constant | undefined {
  const value = values.get(name);
  if (value) used.add(name);
  return value;
}

function refuseAssignment(name: string, { values }: Binder): void {
  if (values.has(name)) throw invalid(name, "can't be given, because the query sets this variable itself");
}

function requireIri(position: unknown, { values }: Binder, where: string): void {
  if (!ast.isNode(position) || position.subType !== "variable") return;
  const name = position["value"] as string;
  if (values.get(name)?.subType === "literal") throw invalid(name, `must be an IRI, because it stands for ${where}`);
}

function checkTriple({ subject, predicate }: ast.Triple, binder: Binder): void {
  requireIri(subject, binder, "a subject");
  requireIri(predicate, binder, "a property");
}

/**
 * Whether this is `BOUND(?name)` of a bound variable. The whole test is then replaced by `true`,
 * because BOUND accepts only a variable, not its value.
 */
function isBoundTest(node: ast.Node, { values, used }: Binder): boolean {
  if (node.subType !== "operation" || String(node["operator"]).toLowerCase() !== "bound") return false;
  const [argument] = node["args"] as ast.Variable[];
  if (!argument || !values.has(argument.value)) return false;
  used.add(argument.value);
  return true;
}

type Grouping = NonNullable<ast.SelectQuery["solutionModifiers"]["group"]>["groupings"][number];

/**
 * `GROUP BY ?name` of a bound variable becomes `GROUP BY (value AS ?fresh)`. It can't be left out,
 * though all rows have the same value: if nothing matches, a query with GROUP BY returns no row,
 * but a query with COUNT or another aggregate and no GROUP BY returns one row.
 */
function rewriteGrouping(grouping: Grouping, binder: Binder, deeper: (node: ast.Node) => unknown): unknown {
  if (!("type" in grouping)) refuseAssignment(grouping.variable.value, binder);
  else if (grouping.type === "term" && grouping.subType === "variable") {
    const value = replacement(grouping.value, binder);
    return value ? { ...ast.bind(value, binder.fresh()), type: undefined, value } : grouping;
  }
  return ast.mapNodes(grouping, deeper);
}

function rewritePattern(pattern: ast.Pattern, binder: Binder): unknown {
  if (pattern.type === "query") return rewriteQuery(pattern, binder, false);
  switch (pattern.subType) {
    case "bind":
      refuseAssignment(pattern.variable.value, binder);
      return undefined;
    case "values":
      for (const { value } of pattern.variables) refuseAssignment(value, binder);
      return pattern; // everything else in it is data
    case "graph":
      requireIri(pattern.name, binder, "a graph");
      return {
        ...pattern,
        name: ast.mapNodes(pattern.name, (node) => rewrite(node, binder)),
        patterns: rewriteGroup(pattern.patterns, binder),
      };
    case "group":
    case "optional":
    case "minus":
      return { ...pattern, patterns: rewriteGroup(pattern.patterns, binder) };
    case "bgp":
    case "filter":
    case "union":
    case "service":
      return undefined;
  }
}

/**
 * MINUS removes a solution only if the solution shares a variable with the pattern in MINUS. A
 * bound variable is replaced on both sides. If they then share no other variable, MINUS would
 * remove nothing. Therefore both sides get a new variable with the same value.
 */
function rewriteGroup(patterns: ast.Pattern[], binder: Binder): ast.Pattern[] {
  return patterns.flatMap((pattern, index): ast.Pattern[] => {
    const rewritten = ast.mapNodes(pattern, (node) => rewrite(node, binder));
    if (pattern.subType !== "minus" || rewritten.subType !== "minus") return [rewritten];
    const left = new Set(inScope(patterns.slice(0, index)));
    const shared = inScope(pattern.patterns).some((name) => left.has(name) && binder.values.has(name));
    if (!shared) return [rewritten];
    const same = ast.bind(TRUE, binder.fresh());
    return [same, { ...rewritten, patterns: [...rewritten.patterns, same] }];
  });
}

function rewriteQuery(query: ast.Query, binder: Binder, top: boolean): ast.Query {
  const deeper = (node: ast.Node): unknown => rewrite(node, binder);
  if (query.subType === "describe") for (const item of query.variables) requireIri(item, binder, "what is described");
  if (query.subType !== "select") return ast.mapParts(query as unknown as ast.Node, deeper) as unknown as ast.Query;
  const rewritten = ast.mapParts({ ...query, variables: [] }, deeper);
  return { ...rewritten, variables: projection(query, binder, top) };
}

/**
 * The outermost SELECT returns a bound variable as `(value AS ?name)`. A sub-SELECT leaves the
 * variable out: the query around it already has the value in the variable's place, and
 * `(value AS ?name)` is not allowed where a sub-SELECT returns `?name`. A sub-SELECT that would
 * then return nothing returns a new variable instead.
 */
function projection(query: ast.SelectQuery, binder: Binder, top: boolean): ast.SelectQuery["variables"] {
  const items = query.variables.flatMap((item): (ast.Variable | ast.Bind)[] =>
    item.type === "wildcard" ? inScope(query.where.patterns).map(ast.variable) : [item],
  );
  const selected = items.flatMap((item): (ast.Variable | ast.Bind)[] => {
    if (item.type === "pattern") {
      refuseAssignment(item.variable.value, binder);
      return [ast.mapNodes(item, (node) => rewrite(node, binder))];
    }
    const value = replacement(item.value, binder);
    if (!value) return [item];
    return top ? [ast.bind(value, item.value)] : [];
  });
  if (selected.length > 0) return selected;
  return items.length > 0 ? [ast.bind(TRUE, binder.fresh())] : query.variables;
}
