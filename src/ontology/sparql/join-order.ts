/**
 * Orders the triples of each basic graph pattern so that the most selective come first, because
 * Oxigraph joins them in the order given. The order has no meaning in SPARQL, so results stay the
 * same.
 */
import { rdf } from "../vocabulary.ts";
import * as ast from "./ast.ts";
import { inScope } from "./scope.ts";
import { flatten, variablesOf } from "./triples.ts";

const isRdfType = (predicate: ast.Triple["predicate"]): boolean => {
  if (predicate.type !== "term" || predicate.subType !== "namedNode") return false;
  return "prefix" in predicate
    ? predicate.prefix === "rdf" && predicate.value === "type"
    : predicate.value === rdf.type.value;
};

/** A copy of the query, or a part of it, with its triples in a good order. */
export const withJoinsOrdered = <T>(tree: T): T => ast.mapNodes(tree, (node) => reorder(node, new Set()));

function reorder(node: ast.Node, known: ReadonlySet<string>): unknown {
  if (node.type === "query") {
    // A sub-SELECT knows no variable from outside.
    return ast.mapParts(node, (inner) => (inner.type === "query" ? undefined : reorder(inner, new Set())));
  }
  if (node.type === "pattern" && node.subType === "values") return node;
  // A basic graph pattern outside a group is a template: it is filled in, not searched.
  if (node.type !== "pattern" || !Array.isArray(node["patterns"])) return undefined;
  return { ...node, patterns: reorderGroup(node["patterns"] as ast.Pattern[], node.subType === "union", known) };
}

function reorderGroup(patterns: ast.Pattern[], areAlternatives: boolean, outside: ReadonlySet<string>): ast.Pattern[] {
  const known = new Set(outside);
  return patterns.map((pattern) => {
    const ordered =
      pattern.type === "pattern" && pattern.subType === "bgp"
        ? ast.bgp(orderTriples(flatten(pattern.triples), known))
        : ast.mapNodes(pattern, (node) => reorder(node, known));
    if (!areAlternatives) for (const name of inScope([pattern])) known.add(name);
    return ordered;
  });
}

function orderTriples(triples: ast.Triple[], outside: ReadonlySet<string>): ast.Triple[] {
  const rest = [...triples];
  const known = new Set(outside);
  const ordered: ast.Triple[] = [];
  while (rest.length > 0) {
    const scores = rest.map((triple) => selectivity(triple, known));
    const highest = scores.reduce((left, right) => Math.max(left, right), -Infinity);
    const [best] = rest.splice(scores.indexOf(highest), 1);
    if (!best) break;
    ordered.push(best);
    for (const name of names(best)) known.add(name);
  }
  return ordered;
}

/** Blank nodes of a pattern are variables that can't be selected by name. */
const names = ({ subject, predicate, object }: ast.Triple): string[] =>
  [subject, predicate, object].flatMap((end) =>
    end.type === "term" && end.subType === "blankNode" ? [`_:${end.label}`] : variablesOf(end),
  );

/**
 * Higher is more selective: a known subject, then a known object, then a known class (which many
 * share), then a known property. As a subject or object, a variable that is already bound counts as
 * known too, but less than a constant in its place.
 */
function selectivity({ subject, predicate, object }: ast.Triple, known: ReadonlySet<string>): number {
  const weight = (end: ast.Triple["object"] | ast.Triple["predicate"], constant: number, joined: number): number => {
    if (end.type !== "term") return 0;
    if (end.subType === "variable") return known.has(end.value) ? joined : 0;
    if (end.subType === "blankNode") return known.has(`_:${end.label}`) ? joined : 0;
    return constant;
  };
  const ends = weight(subject, 80, 60) + (isRdfType(predicate) ? weight(object, 3, 2) : weight(object, 40, 30));
  if (predicate.type === "path") return ends > 0 ? ends - 5 : -5;
  return ends + weight(predicate, 1, 0);
}
