/** Patterns and changes as SPARQL, in the few forms that endpoints are known to execute well. */
import type { NamedNode, Quad, Term } from "@rdfjs/types";
import { requireIri, termToNTriples } from "../n-triples.ts";
import type { Pattern } from "../ontology-store.ts";
import { insertData, type UpdateRequest } from "./update-request.ts";

/**
 * The maximum number of groups in a UNION, except in a change with `unless`. Hundreds are slow,
 * because SPARQL parsers take more than linear time for long UNIONs.
 */
const MAX_GROUPS = 10;

/** Patterns as groups of a UNION. Those that differ only in their property share a group. */
function groups(patterns: Iterable<Pattern>): string[] {
  const byEnds = new Map<string, { ends: Texts; predicates: Set<string> }>();
  for (const pattern of patterns) {
    const ends = texts(pattern);
    const { subject, predicate, object } = ends;
    const key = JSON.stringify([subject, object, predicate === undefined]);
    const known = byEnds.get(key) ?? { ends, predicates: new Set() };
    byEnds.set(key, known);
    if (predicate !== undefined) known.predicates.add(predicate);
  }
  return [...byEnds.values()].map(({ ends, predicates }) => group(ends, [...predicates]));
}

type Texts = Readonly<Record<keyof Pattern, string | undefined>>;

const texts = ({ subject, predicate, object }: Pattern): Texts => ({
  subject: text(subject && requireIri(subject, "subject")),
  predicate: text(predicate && requireIri(predicate, "property")),
  object: text(object),
});

const text = (term: Term | null | undefined): string | undefined =>
  term ? termToNTriples(term, "A term of the pattern") : undefined;

function group({ subject, object }: Texts, predicates: readonly string[]): string {
  const values = predicates.length > 0 ? `VALUES ?p { ${predicates.join(" ")} } ` : "";
  const bound = `${subject === undefined ? "" : ` BIND(${subject} AS ?s)`}${object === undefined ? "" : ` BIND(${object} AS ?o)`}`;
  return `{ ${values}${subject ?? "?s"} ?p ${object ?? "?o"}${bound} }`;
}

function triple(pattern: Pattern): string {
  const { subject, predicate, object } = texts(pattern);
  return `${subject ?? "?a"} ${predicate ?? "?b"} ${object ?? "?c"}`;
}

const union = (parts: readonly string[]): string => parts.join(" UNION ");

function* pieces(parts: readonly string[]): Iterable<readonly string[]> {
  for (let from = 0; from < parts.length; from += MAX_GROUPS) yield parts.slice(from, from + MAX_GROUPS);
}

/**
 * Queries for `?s ?p ?o` that find everything that matches one of the patterns, some of it more
 * than once.
 */
export const matchQueries = (graph: NamedNode, patterns: Iterable<Pattern>): string[] =>
  [...pieces(groups(patterns))].map((piece) => `SELECT ?s ?p ?o FROM <${graph.value}> WHERE { ${union(piece)} }`);

/**
 * Requests that remove and insert, for `sequence` to join.
 * @param lines N-Triples
 */
export function changeRequests(
  graph: NamedNode,
  { unless, remove, lines }: { unless?: Pattern; remove: Iterable<Pattern>; lines: readonly string[] },
): UpdateRequest[] {
  const parts = groups(remove);
  if (unless) return [conditional(graph, triple(unless), parts, lines)];
  const removals = [...pieces(parts)].map((piece) => ({
    text: `WITH <${graph.value}> DELETE { ?s ?p ?o } WHERE { ${union(piece)} }`,
    repeatable: false,
  }));
  return [...removals, ...(lines.length > 0 ? [insertData(graph, lines)] : [])];
}

/**
 * One operation, because a second one would see the effects of the first. The quads that must not
 * exist are counted: Virtuoso 7 inserts constants whatever a FILTER NOT EXISTS says, and a count
 * also yields the one solution that the insertion needs.
 */
function conditional(
  graph: NamedNode,
  unless: string,
  remove: readonly string[],
  lines: readonly string[],
): UpdateRequest {
  const removal = remove.length > 0 ? "DELETE { ?s ?p ?o } " : "";
  const found = remove.length > 0 ? ` OPTIONAL { ${union(remove)} }` : "";
  const condition = `{ SELECT (COUNT(*) AS ?found) WHERE { ${unless} } } FILTER(?found = 0)`;
  return {
    text: `WITH <${graph.value}> ${removal}INSERT {\n${lines.join("\n")}\n} WHERE { ${condition}${found} }`,
    repeatable: false,
  };
}

/** Each quad once. Several queries, or groups of one query, may find the same triple. */
export const distinctQuads = (quads: readonly Quad[]): Quad[] => [
  ...new Map(quads.map((quad) => [JSON.stringify(quad), quad])).values(),
];
