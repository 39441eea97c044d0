import type { Literal, NamedNode, Term } from "@rdfjs/types";
import { DataFactory } from "./n3.ts";
import { ValidationError } from "../errors.ts";
import { xsd } from "./vocabulary.ts";
import type { BindingValue } from "./ontology-store.ts";

/**
 * Matches an absolute IRI: a scheme, then only characters that SPARQL's IRIREF allows, with `%`
 * only before two hexadecimal digits.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what must be kept out
const IRI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[^\u0000-\u0020<>"{}|\\^`%]|%[0-9A-Fa-f]{2})*$/;

/** Language tags as RDF uses them (BCP 47, by shape only). */
const LANGUAGE = /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/;

const DECIMAL = /^-?[0-9]+\.[0-9]+$/;

export const isIri = (value: string): boolean => IRI.test(value) && value.isWellFormed();

/**
 * Safe integers become `xsd:integer`. Numbers that JavaScript writes as digits, a point and digits
 * become `xsd:decimal`. All others become `xsd:double` (`2 ** 53`, `1e-7`, `INF`, `NaN`).
 */
function numberLiteral(value: number): Literal {
  if (Number.isSafeInteger(value)) return DataFactory.literal(String(value === 0 ? 0 : value), xsd.integer);
  if (DECIMAL.test(String(value))) return DataFactory.literal(String(value), xsd.decimal);
  return DataFactory.literal(
    Number.isFinite(value) ? String(value) : String(value).replace("Infinity", "INF"),
    xsd.double,
  );
}

function checkedTerm(term: Term, what: string): NamedNode | Literal {
  if (term.termType === "NamedNode") {
    if (!isIri(term.value)) throw new ValidationError(`${what} is not a valid absolute IRI.`, { code: "invalid_term" });
    return term;
  }
  if (term.termType !== "Literal") {
    throw new ValidationError(`${what} is a ${term.termType}; only IRIs and literals can be used.`, {
      code: "invalid_term",
    });
  }
  if (term.direction) {
    throw new ValidationError(`${what} has a base direction, which SPARQL 1.1 can't store.`, { code: "invalid_term" });
  }
  if (term.language !== "" && !LANGUAGE.test(term.language)) {
    throw new ValidationError(`${what} has an invalid language tag.`, { code: "invalid_term" });
  }
  if (!isIri(term.datatype.value)) {
    throw new ValidationError(`${what} has a datatype that is not a valid absolute IRI.`, { code: "invalid_term" });
  }
  return term.value.isWellFormed()
    ? term
    : DataFactory.literal(term.value.toWellFormed(), term.language || term.datatype);
}

/**
 * Converts a JavaScript value or RDF/JS term to a term that is safe to store and to bind. Strings
 * become `xsd:string`, numbers `xsd:integer`, `xsd:decimal` or `xsd:double`, booleans
 * `xsd:boolean`, dates `xsd:dateTime` in UTC. A lone surrogate, which UTF-8 can't encode, becomes
 * U+FFFD.
 * @param what names the value in errors: "The binding customer"
 * @throws ValidationError for an invalid date, IRI, language tag or datatype, for a literal with a
 *   base direction, and for terms that are neither IRI nor literal
 */
export function toTerm(value: BindingValue, what: string): NamedNode | Literal {
  if (typeof value === "string") return DataFactory.literal(value.toWellFormed());
  if (typeof value === "number") return numberLiteral(value);
  if (typeof value === "boolean") return DataFactory.literal(String(value), xsd.boolean);
  if (!(value instanceof Date)) return checkedTerm(value, what);
  if (Number.isNaN(value.getTime()))
    throw new ValidationError(`${what} is not a valid date.`, { code: "invalid_term" });
  return DataFactory.literal(value.toISOString(), xsd.dateTime);
}
