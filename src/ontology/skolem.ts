import { randomUUID } from "node:crypto";
import type { Quad, Term } from "@rdfjs/types";
import { DataFactory } from "./n3.ts";
import { tripleToNTriples } from "./n-triples.ts";

/** Gives every blank node an IRI of its own, the same one for the same node: stored blank nodes could never be named again. */
export function skolemizer(): (label: string) => Term {
  const known = new Map<string, Term>();
  return (label) => {
    const term = known.get(label) ?? DataFactory.namedNode(`urn:uuid:${randomUUID()}`);
    known.set(label, term);
    return term;
  };
}

/** The quads with IRIs in place of their blank nodes, subject, property and object of each. */
export function* skolemized(quads: Iterable<Quad>): Iterable<readonly [subject: Term, predicate: Term, object: Term]> {
  const nodes = skolemizer();
  const skolemize = (term: Term): Term => (term.termType === "BlankNode" ? nodes(term.value) : term);
  for (const { subject, predicate, object } of quads) yield [skolemize(subject), predicate, skolemize(object)];
}

/**
 * Quads as N-Triples lines, with IRIs for their blank nodes.
 * @throws ValidationError for a term that is not valid RDF
 */
export function* skolemizedLines(quads: Iterable<Quad>): Iterable<string> {
  for (const triple of skolemized(quads)) yield tripleToNTriples(...triple);
}
