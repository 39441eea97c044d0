/** The parts of a parsed query that we use. Their types are derived from the parser's. */
import type { Literal, NamedNode } from "@rdfjs/types";
import type { Parser } from "@traqula/parser-sparql-1-1";
import { xsd } from "../vocabulary.ts";

type Parsed = ReturnType<Parser["parse"]>;

export type Query = Extract<Parsed, { type: "query" }>;
export type Update = Extract<Parsed, { type: "update" }>;
export type SelectQuery = Extract<Query, { subType: "select" }>;
export type Operation = NonNullable<Update["updates"][number]["operation"]>;
export type Modify = Extract<Operation, { subType: "modify" }>;
export type DatasetClauses = Query["datasets"];
export type Context = Query["context"];
export type Group = SelectQuery["where"];
export type Pattern = Group["patterns"][number];
export type Bgp = Extract<Pattern, { subType: "bgp" }>;
export type Bind = Extract<Pattern, { subType: "bind" }>;
export type Values = Extract<Pattern, { subType: "values" }>;
export type Triple = Extract<Bgp["triples"][number], { type: "triple" }>;
type Collection = Extract<Bgp["triples"][number], { type: "tripleCollection" }>;
export type Expression = Bind["expression"];
export type Variable = Bind["variable"];
export type Iri = Extract<Expression, { type: "term"; subType: "namedNode" }>;
export type LiteralTerm = Extract<Expression, { type: "term"; subType: "literal" }>;
export type Term = Exclude<Triple["subject"], Collection>;

type Location = Bgp["loc"];

/** Nodes that we create have no position in the parsed text. */
const loc: Location = { sourceLocationType: "autoGenerate" };

export const variable = (value: string): Variable => ({ type: "term", subType: "variable", value, loc });

const iri = (value: string): Iri => ({ type: "term", subType: "namedNode", value, loc });

/** An RDF/JS term as a node. It must have been checked before: the generator checks nothing. */
export function constant(term: NamedNode | Literal): Iri | LiteralTerm {
  if (term.termType === "NamedNode") return iri(term.value);
  const literal = { type: "term", subType: "literal", value: term.value, loc } as const;
  // For older endpoints, `"x"` and `"x"^^xsd:string` are different terms; we store and query only
  // the short form.
  if (term.datatype.equals(xsd.string)) return { ...literal, langOrIri: undefined };
  return { ...literal, langOrIri: term.language || iri(term.datatype.value) };
}

export const bind = (expression: Expression, name: string): Bind => ({
  type: "pattern",
  subType: "bind",
  expression,
  variable: variable(name),
  loc,
});

export const bgp = (triples: Triple[]): Bgp => ({ type: "pattern", subType: "bgp", triples, loc });

export const group = (patterns: Pattern[]): Group => ({ type: "pattern", subType: "group", patterns, loc });

export const values = (names: string[], rows: Values["values"]): Values => ({
  type: "pattern",
  subType: "values",
  variables: names.map(variable),
  values: rows,
  loc,
});

/** `LIMIT limit OFFSET offset`. */
export const limitOffset = (
  limit: number,
  offset: number | undefined,
): NonNullable<SelectQuery["solutionModifiers"]["limitOffset"]> => ({
  type: "solutionModifier",
  subType: "limitOffset",
  limit,
  offset,
  loc,
});

/** `SELECT ?names WHERE { … }`; without names, all variables. */
export const select = (names: string[], where: Group, context: Context): SelectQuery => ({
  type: "query",
  subType: "select",
  variables: names.length > 0 ? names.map(variable) : [{ type: "wildcard", loc }],
  where,
  context,
  solutionModifiers: {},
  datasets: { type: "datasetClauses", clauses: [], loc },
  loc,
});

/** `FROM` (in updates `USING`) for one graph, and `NAMED` for the others. */
export const dataset = (graph: NamedNode, named: readonly NamedNode[]): DatasetClauses => ({
  type: "datasetClauses",
  clauses: [
    { clauseType: "default", value: iri(graph.value) },
    ...named.map(({ value }) => ({ clauseType: "named" as const, value: iri(value) })),
  ],
  loc,
});

/** `INSERT DATA` or `DELETE DATA` in one graph. */
export const data = (subType: "insertdata" | "deletedata", graph: NamedNode, triples: Triple[]): Operation => ({
  type: "updateOperation",
  subType,
  data: [{ type: "graph", graph: iri(graph.value), triples: bgp(triples), loc }],
  loc,
});

/**
 * `WITH graph DELETE { … } INSERT { … } WHERE { … }`, which searches in `from` if it has clauses.
 */
export const modify = (
  graph: NamedNode,
  change: { remove: Triple[]; insert: Triple[]; where: Group; from: DatasetClauses | undefined },
): Modify => ({
  type: "updateOperation",
  subType: "modify",
  graph: iri(graph.value),
  delete: change.remove.length > 0 ? [bgp(change.remove)] : [],
  insert: change.insert.length > 0 ? [bgp(change.insert)] : [],
  from: change.from ?? { type: "datasetClauses", clauses: [], loc },
  where: change.where,
  loc,
});

/** A call of one of SPARQL's functions or operators. */
export const operation = (operator: string, args: Expression[]): Expression => ({
  type: "expression",
  subType: "operation",
  operator,
  args,
  loc,
});

/** `value IN (constants)` */
export const isIn = (value: Expression, constants: Expression[]): Expression => operation("in", [value, ...constants]);

export const filter = (expression: Expression): Pattern => ({ type: "pattern", subType: "filter", expression, loc });

/** An update with one operation, or with prefixes only. */
export const update = (context: Context, operation?: Operation): Update => ({
  type: "update",
  updates: [operation ? { operation, context } : { context }],
  loc,
});

/** Any object of the tree, for walks that handle a few kinds of node and skip the rest. */
export interface Node {
  readonly type?: string;
  readonly subType?: string;
  readonly [key: string]: unknown;
}

export const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

/**
 * Calls `visit` with every node of the tree, parents first. A node's position in the text is not
 * visited.
 */
export function walk(value: unknown, visit: (node: Node) => void): void {
  if (!isNode(value)) return;
  visit(value);
  for (const key of Object.keys(value)) if (key !== "loc") walk(value[key], visit);
}

/**
 * Returns the tree with nodes replaced, parents first. A node is replaced by what `change` returns
 * for it; if that is undefined, the node's parts are handled instead. The tree itself is not
 * changed, and the result shares its unchanged parts.
 */
export function mapNodes<T>(value: T, change: (node: Node) => unknown): T {
  if (!isNode(value)) return value;
  const changed = change(value);
  if (changed !== undefined) return changed as T;
  return mapParts(value, change);
}

/** Does the same for the parts of a node, but not for the node itself. */
export function mapParts<T extends Node>(node: T, change: (node: Node) => unknown): T {
  if (Array.isArray(node)) {
    const items = node.map((item) => mapNodes(item, change));
    return items.some((item, index) => item !== node[index]) ? (items as unknown as T) : node;
  }
  const changes: [string, unknown][] = [];
  for (const key of Object.keys(node)) {
    const part = key === "loc" ? node[key] : mapNodes(node[key], change);
    if (part !== node[key]) changes.push([key, part]);
  }
  return changes.length === 0 ? node : { ...node, ...Object.fromEntries(changes) };
}
