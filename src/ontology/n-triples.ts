import type { Literal, NamedNode, Quad, Term } from "@rdfjs/types";
import { ValidationError } from "../errors.ts";
import { DataFactory, n3 } from "./n3.ts";
import { toTerm } from "./term.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\0": "\\u0000",
};
// oxlint-disable-next-line no-control-regex -- NUL is one of the characters to escape
const TO_ESCAPE = /["\\\n\r\0]/;
// oxlint-disable-next-line no-control-regex -- as above
const ALL_TO_ESCAPE = /["\\\n\r\0]/g;

const XSD_STRING = "http://www.w3.org/2001/XMLSchema#string";

/** A well-formed text in quotation marks, with as few escapes as possible. */
export const quoted = (text: string): string =>
  TO_ESCAPE.test(text)
    ? `"${text.replaceAll(ALL_TO_ESCAPE, (character) => ESCAPES[character] ?? character)}"`
    : `"${text}"`;

/**
 * A term as N-Triples (https://www.w3.org/TR/n-triples/).
 * @param what names the term in errors
 * @throws ValidationError for a term that is not a valid IRI or literal
 */
export function termToNTriples(term: Term, what = "A term of the graph"): string {
  const checked = toTerm(term, what);
  if (checked.termType === "NamedNode") return `<${checked.value}>`;
  const text = quoted(checked.value);
  if (checked.language) return `${text}@${checked.language}`;
  return checked.datatype.value === XSD_STRING ? text : `${text}^^<${checked.datatype.value}>`;
}

const UNESCAPED = new Map(Object.entries(ESCAPES).map(([character, escape]) => [escape, character]));

/**
 * Reads a term that `termToNTriples` has written.
 * @throws SyntaxError for a text that begins and ends like neither an IRI nor a literal
 */
export function parseTerm(text: string): NamedNode | Literal {
  if (text.startsWith("<") && text.endsWith(">")) return DataFactory.namedNode(text.slice(1, -1));
  const end = text.lastIndexOf('"');
  if (!text.startsWith('"') || end === 0) throw new SyntaxError("not a term");
  const escaped = text.slice(1, end);
  const value = escaped.includes("\\")
    ? escaped.replaceAll(/\\(?:u0000|.)/g, (escape) => UNESCAPED.get(escape) ?? escape)
    : escaped;
  if (text.startsWith("^^<", end + 1)) {
    return DataFactory.literal(value, DataFactory.namedNode(text.slice(end + 4, -1)));
  }
  return DataFactory.literal(value, text.startsWith("@", end + 1) ? text.slice(end + 2) : undefined);
}

/** @throws ValidationError for a term that is not an IRI */
export const requireIri = (term: Term, place: string): Term => {
  if (term.termType === "NamedNode") return term;
  throw new ValidationError(`A ${place} in the graph is a ${term.termType} where an IRI is required.`, {
    code: "invalid_term",
  });
};

/**
 * One N-Triples line without its line end.
 * @throws ValidationError for terms that are not valid, and for blank nodes
 */
export const tripleToNTriples = (subject: Term, predicate: Term, object: Term): string =>
  `${termToNTriples(requireIri(subject, "subject"))} ${termToNTriples(requireIri(predicate, "property"))} ${termToNTriples(object)} .`;

/** Quads in the default graph. Blank nodes keep their labels. */
export function parseNTriples(text: string): Quad[] {
  const { Parser } = n3();
  return new Parser({ format: "N-Triples", blankNodePrefix: "_:" }).parse(text);
}
