import { randomUUID } from "node:crypto";
import type { Quad, Term } from "@rdfjs/types";
import { DataFactory } from "./n3.ts";
import { tripleToNTriples } from "./n-triples.ts";

/**
 * Returns a function that maps the label of a blank node to a new IRI, and the same label to the
 * same IRI. Blank nodes are replaced because a stored one could never be referred to again.
 */
export function skolemizer(): (label: string) => Term {
  const known = new Map<string, Term>();
  return (label) => {
    const term = known.get(label) ?? DataFactory.namedNode(`urn:uuid:${randomUUID()}`);
    known.set(label, term);
    return term;
  };
}

/** Returns the quads with IRIs instead of blank nodes. */
export function* skolemized(quads: Iterable<Quad>): Iterable<readonly [subject: Term, predicate: Term, object: Term]> {
  const nodes = skolemizer();
  const skolemize = (term: Term): Term => (term.termType === "BlankNode" ? nodes(term.value) : term);
  for (const { subject, predicate, object } of quads) yield [skolemize(subject), predicate, skolemize(object)];
}

/**
 * Returns quads as N-Triples lines, with IRIs instead of blank nodes.
 * @throws ValidationError for a term that is not valid RDF
 */
export function* skolemizedLines(quads: Iterable<Quad>): Iterable<string> {
  for (const triple of skolemized(quads)) yield tripleToNTriples(...triple);
}
