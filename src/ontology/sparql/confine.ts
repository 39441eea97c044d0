/**
 * Confines a query to visible data by changing its tree. A named property must be visible, and a
 * variable in a property's place gets a filter. Everything that could reach triples in another way
 * is refused: paths that may have length zero (they match every term in the store), negated
 * property sets, DESCRIBE, and functions outside the SPARQL standard.
 */
import type { NamedNode } from "@rdfjs/types";
import { ValidationError } from "../../errors.ts";
import { storeIri } from "../store-name.ts";
import type { Visible, VisiblePart } from "../visible.ts";
import { rdf, XSD } from "../vocabulary.ts";
import * as ast from "./ast.ts";
import { flatten } from "./triples.ts";

const notVisible = (what: string, advice: string): ValidationError =>
  new ValidationError(`${what} can't be used here. ${advice}`, { code: "not_visible" });

/**
 * @param store the store to query
 * @throws ValidationError (`not_visible`)
 */
export function confine<T extends ast.Query>(query: T, store: string, visible: Visible): T {
  if (query.subType === "describe")
    throw notVisible("DESCRIBE", "Use SELECT or CONSTRUCT with the properties you need.");
  const parts = new Map(Object.entries(visible).map(([name, part]) => [storeIri(name), part]));
  const part = parts.get(storeIri(store));
  if (!part) throw notVisible(`The store ${store}`, `Visible: ${Object.keys(visible).join(", ") || "none"}.`);
  const expanded = withoutPrefixes(query);
  ast.walk(expanded, refuseFunction);
  return ast.mapNodes(expanded, (node) => confineNode(node, part, parts));
}

/** Expands prefixed names, so that what is compared here is what the store reads. */
function withoutPrefixes<T extends ast.Query>(query: T): T {
  const prefixes = new Map<string, string>();
  for (const definition of query.context) {
    if (definition.subType === "prefix") prefixes.set(definition.key, definition.value.value);
  }
  const expanded = ast.mapNodes(query, (node) => {
    if (node.type !== "term" || node.subType !== "namedNode" || typeof node["prefix"] !== "string") return undefined;
    const { prefix, ...iri } = node as ast.Node & { prefix: string };
    return { ...iri, value: `${prefixes.get(prefix) ?? ""}${String(node["value"])}` };
  });
  return { ...expanded, context: query.context.filter(({ subType }) => subType === "base") };
}

function refuseFunction(node: ast.Node): void {
  if (node.type !== "expression" || node.subType !== "functionCall") return;
  if ((node["function"] as ast.Iri).value.startsWith(XSD)) return;
  throw notVisible("A function outside SPARQL 1.1", "Use the standard's own functions.");
}

type Parts = ReadonlyMap<string, VisiblePart>;

function confineNode(node: ast.Node, part: VisiblePart, parts: Parts): unknown {
  if (node.type === "query") return confineQuery(node as unknown as ast.Query, part, parts);
  if (node.type !== "pattern" || !Array.isArray(node["patterns"])) return undefined;
  const inside = node.subType === "graph" ? partOf((node as unknown as GraphPattern).name, parts) : part;
  const patterns = (node["patterns"] as ast.Pattern[]).map((pattern) =>
    ast.mapNodes(pattern, (inner) => confineNode(inner, inside, parts)),
  );
  const filters = patterns.flatMap((pattern) => (isBgp(pattern) ? filtersOf(pattern, inside) : []));
  return { ...node, patterns: [...patterns, ...filters] };
}

/** A template is filled in, not searched. */
function confineQuery(query: ast.Query, part: VisiblePart, parts: Parts): ast.Query {
  const template = query.subType === "construct" ? query.template : undefined;
  const confined = ast.mapParts({ ...query, template: undefined }, (node) => confineNode(node, part, parts));
  return { ...confined, template } as unknown as ast.Query;
}

type GraphPattern = Extract<ast.Pattern, { subType: "graph" }>;

const isBgp = (pattern: ast.Pattern): pattern is ast.Bgp => pattern.type === "pattern" && pattern.subType === "bgp";

/**
 * If a variable names the store, it may be any visible store, so only what is visible in all of
 * them is visible.
 */
function partOf(name: GraphPattern["name"], parts: Parts): VisiblePart {
  if (name.subType === "variable") {
    const all = [...parts.values()];
    const inAll = (terms: (part: VisiblePart) => readonly NamedNode[]): NamedNode[] =>
      terms(all[0]!).filter((term) => all.every((part) => terms(part).some((other) => other.equals(term))));
    return { properties: inAll((part) => part.properties), classes: inAll((part) => part.classes) };
  }
  const part = parts.get(name.value);
  if (part) return part;
  throw notVisible(`The graph <${name.value}>`, `Visible: ${[...parts.keys()].map((iri) => `<${iri}>`).join(", ")}.`);
}

/** @throws ValidationError (`not_visible`) for a triple that no filter can confine */
function filtersOf({ triples }: ast.Bgp, part: VisiblePart): ast.Pattern[] {
  return flatten(triples).flatMap((triple) => {
    const { predicate, object } = triple;
    if (predicate.type === "path") {
      checkPath(predicate, part);
      return [];
    }
    if (predicate.subType === "namedNode") {
      if (predicate.value !== rdf.type.value) requireVisible(predicate, part);
      return predicate.value === rdf.type.value ? typeFilters(object, part) : [];
    }
    // A blank node can't be used in a filter, so if the object is one, the property must not be
    // `rdf:type`.
    const isNameable = object.type === "term" && object.subType !== "blankNode";
    const [properties, classes] = [part.properties.map(ast.constant), part.classes.map(ast.constant)];
    const known = ast.isIn(predicate, properties);
    if (!isNameable) return [ast.filter(known)];
    const type = ast.operation("=", [predicate, ast.constant(rdf.type)]);
    return [ast.filter(ast.operation("||", [known, ast.operation("&&", [type, ast.isIn(object, classes)])]))];
  });
}

function typeFilters(object: ast.Triple["object"], { classes }: VisiblePart): ast.Pattern[] {
  if (object.type === "term" && object.subType === "variable") {
    return [ast.filter(ast.isIn(object, classes.map(ast.constant)))];
  }
  if (object.type === "term" && object.subType === "namedNode") {
    if (classes.some(({ value }) => value === object.value)) return [];
    throw notVisible(`The class <${object.value}>`, `Visible: ${listed(classes)}.`);
  }
  throw notVisible("A type without a name", "Put a variable in its place.");
}

function requireVisible({ value }: ast.Iri, { properties }: VisiblePart): void {
  if (properties.some((property) => property.value === value)) return;
  throw notVisible(`The property <${value}>`, `Visible: ${listed(properties)}.`);
}

const listed = (terms: readonly NamedNode[]): string => terms.map(({ value }) => `<${value}>`).join(", ");

type Path = Extract<ast.Triple["predicate"], { type: "path" }>;

function checkPath(path: Path, part: VisiblePart): void {
  switch (path.subType) {
    case "/":
    case "|":
    case "^":
    case "+":
      for (const item of path.items) {
        if (item.type === "path") checkPath(item, part);
        else requireVisible(item, part);
      }
      return;
    case "*":
    case "?":
      throw notVisible(`A path with ${path.subType}`, "Use + and UNION instead.");
    case "!":
      throw notVisible("A path with !", "Name the properties that you mean.");
  }
}
