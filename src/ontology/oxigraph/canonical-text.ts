/**
 * Computes the form in which Oxigraph returns a term, without Oxigraph, for terms whose form is
 * obvious (nearly all of them). The rules for numbers and dates are taken from Oxigraph's
 * behaviour, and the tests compare them with it.
 */
import type { Literal, NamedNode } from "@rdfjs/types";
import { quoted } from "../n-triples.ts";
import { xsd } from "../vocabulary.ts";

const CHARACTER = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})";
const AUTHORITY = "//[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?=[/?#]|$)";

/** ASCII IRIs that every parser accepts unchanged; others may be just as valid. */
const PLAIN_IRI = new RegExp(
  `^[A-Za-z][A-Za-z0-9+.-]*:(?:${AUTHORITY}|(?!//))${CHARACTER}*(?:[?](?:${CHARACTER}|[?])*)?(?:#(?:${CHARACTER}|[?])*)?$`,
);

/** Oxigraph converts other tags to lower case and checks them. */
const PLAIN_LANGUAGE = /^[a-z]{2,3}(?:-[a-z]{2})?$/;

const INTEGER = /^(?:0|-?[1-9][0-9]{0,17})$/;

/** Decimals that fit into Oxigraph's 128 bits with room to spare. */
const DECIMAL = /^-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,17}[1-9]$/;

const DATE_TIME =
  /^([1-9][0-9]{3})-(0[1-9]|1[0-2])-([0-2][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z$/;

function dateTime(value: string): string | undefined {
  const [, year, month, day, fraction = ""] = DATE_TIME.exec(value) ?? [];
  if (new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() !== Number(day)) return undefined;
  const digits = fraction.replace(/\.?0+$/, "");
  return `${value.slice(0, "yyyy-mm-ddThh:mm:ss".length)}${digits}Z`;
}

const itself =
  (pattern: RegExp) =>
  (value: string): string | undefined =>
    pattern.test(value) ? value : undefined;

const CANONICAL = new Map([
  [xsd.boolean.value, itself(/^(?:true|false)$/)],
  [xsd.integer.value, itself(INTEGER)],
  [xsd.decimal.value, itself(DECIMAL)],
  [xsd.dateTime.value, dateTime],
]);

/**
 * A term as N-Triples in Oxigraph's form; undefined if only Oxigraph can tell the form, or whether
 * the term is valid.
 */
export function canonicalText(term: NamedNode | Literal): string | undefined {
  if (term.termType === "NamedNode") return PLAIN_IRI.test(term.value) ? `<${term.value}>` : undefined;
  const { value, language, datatype } = term;
  if (term.direction) return undefined;
  if (language !== "") return PLAIN_LANGUAGE.test(language) ? `${quoted(value.toWellFormed())}@${language}` : undefined;
  if (datatype.value === xsd.string.value) return quoted(value.toWellFormed());
  const canonical = CANONICAL.get(datatype.value)?.(value);
  return canonical === undefined ? undefined : `"${canonical}"^^<${datatype.value}>`;
}
