import type { Quad, Term } from "@rdfjs/types";
import { DataFactory } from "../n3.ts";
import type { Row } from "../ontology-store.ts";
import { skolemizer } from "../skolem.ts";
import * as ast from "../sparql/ast.ts";
import type { UpdateStep } from "../sparql/update-plan.ts";

type Change = Extract<UpdateStep, { kind: "change" }>;
type Solve = (query: ast.SelectQuery) => Row[];

export interface Delta {
  readonly remove: Quad[];
  readonly insert: Quad[];
}

/**
 * What a step changes. The data is searched only once, so a solution has the same UUID() and RAND()
 * in all templates.
 * @param solve runs a query on the data
 * @param solveAlone runs a query that needs no data
 */
export function deltaOf(change: Change, solve: Solve, solveAlone: Solve): Delta {
  const constants = resolveConstants(change, solveAlone);
  const delta: Delta = { remove: [], insert: [] };
  const nodesOfSolutions = skolemizer();
  for (const row of change.solutions ? solve(change.solutions) : [{}]) {
    // A blank node of the template becomes a new IRI for each solution. A blank node in a solution,
    // made by BNODE(), becomes the same IRI wherever it occurs.
    const nodesOfTemplate = skolemizer();
    const fill = (term: ast.Triple["subject"] | ast.Triple["predicate"]): Term | undefined => {
      if (term.type !== "term") return undefined;
      if (term.subType === "blankNode") return nodesOfTemplate(term.label);
      if (term.subType !== "variable") return constants.get(keyOf(term));
      const value = row[term.value];
      return value?.termType === "BlankNode" ? nodesOfSolutions(value.value) : value;
    };
    for (const triple of change.remove) push(delta.remove, triple, fill);
    for (const triple of change.insert) push(delta.insert, triple, fill);
  }
  return delta;
}

type Fill = (term: ast.Triple["subject"] | ast.Triple["predicate"]) => Term | undefined;

/**
 * Adds the triple, unless a part of it is unbound, or a literal where none is allowed (SPARQL 1.1
 * Update, 3.1.3).
 */
function push(quads: Quad[], { subject, predicate, object }: ast.Triple, fill: Fill): void {
  const [s, p, o] = [fill(subject), fill(predicate), fill(object)];
  if (s?.termType === "NamedNode" && p?.termType === "NamedNode" && o)
    quads.push(DataFactory.quad(s, p, o as Quad["object"]));
}

/** How many constants one query resolves at most. */
const MAX_CONSTANTS = 10_000;

type ConstantTerm = ast.Iri | ast.LiteralTerm;

const keyOf = (term: ConstantTerm): string =>
  JSON.stringify(term, (key, value: unknown) => (key === "loc" ? undefined : value));

/**
 * The templates' constants as full terms. The query engine resolves them, because it handles
 * prefixes and relative IRIs.
 */
function resolveConstants({ remove, insert, context }: Change, solve: Solve): Map<string, Term> {
  const terms = new Map<string, ConstantTerm>();
  for (const { subject, predicate, object } of [...remove, ...insert]) {
    for (const term of [subject, predicate, object]) {
      if (term.type === "term" && (term.subType === "namedNode" || term.subType === "literal"))
        terms.set(keyOf(term), term);
    }
  }
  const entries = [...terms];
  const resolved = new Map<string, Term>();
  for (let from = 0; from < entries.length; from += MAX_CONSTANTS) {
    const some = entries.slice(from, from + MAX_CONSTANTS);
    const rows = some.map(([, term], index) => ({ key: ast.constant(DataFactory.literal(String(index))), term }));
    const where = ast.group([ast.values(["key", "term"], rows)]);
    for (const { key, term } of solve(ast.select(["key", "term"], where, context))) {
      const known = some[Number(key?.value)];
      if (known && term) resolved.set(known[0], term);
    }
  }
  return resolved;
}
