import type { Quad, Term } from "@rdfjs/types";
import { Parser } from "n3";
import { ValidationError } from "../errors.ts";
import { toTerm } from "./term.ts";

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r" };

const XSD_STRING = "http://www.w3.org/2001/XMLSchema#string";

/**
 * A term as N-Triples (https://www.w3.org/TR/n-triples/).
 * @throws ValidationError for a term that is no valid IRI or literal
 */
function termToNTriples(term: Term): string {
  const checked = toTerm(term, "A term of the graph");
  if (checked.termType === "NamedNode") return `<${checked.value}>`;
  const text = `"${checked.value.replaceAll(/["\\\n\r]/g, (character) => ESCAPES[character] ?? character)}"`;
  if (checked.language) return `${text}@${checked.language}`;
  return checked.datatype.value === XSD_STRING ? text : `${text}^^<${checked.datatype.value}>`;
}

const requireIri = (term: Term, place: string): Term => {
  if (term.termType === "NamedNode") return term;
  throw new ValidationError(`A ${place} in the graph is a ${term.termType} where an IRI must stand.`, {
    code: "invalid_term",
  });
};

/** One line, without its end. Blank nodes must have been replaced; the quad's graph is left out. */
export const tripleToNTriples = (subject: Term, predicate: Term, object: Term): string =>
  `${termToNTriples(requireIri(subject, "subject"))} ${termToNTriples(requireIri(predicate, "property"))} ${termToNTriples(object)} .`;

/** Quads in the default graph. Blank nodes keep their labels. */
export const parseNTriples = (text: string): Quad[] =>
  new Parser({ format: "N-Triples", blankNodePrefix: "_:" }).parse(text);
