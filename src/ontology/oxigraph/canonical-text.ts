/**
 * The form in which Oxigraph gives a term out, computed without Oxigraph: for terms of which that is plain, which is nearly all. What
 * it does to numbers and dates is taken from its behaviour, and compared with it in the tests.
 */
import type { Literal, NamedNode } from "@rdfjs/types";
import { quoted } from "../n-triples.ts";
import { xsd } from "../vocabulary.ts";

const CHARACTER = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})";
const AUTHORITY = "//[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?=[/?#]|$)";

/** IRIs of ASCII that every parser takes as they are; others may be just as valid. */
const PLAIN_IRI = new RegExp(
  `^[A-Za-z][A-Za-z0-9+.-]*:(?:${AUTHORITY}|(?!//))${CHARACTER}*(?:[?](?:${CHARACTER}|[?])*)?(?:#(?:${CHARACTER}|[?])*)?$`,
);

/** Other tags are brought to lower case and checked by Oxigraph. */
const PLAIN_LANGUAGE = /^[a-z]{2,3}(?:-[a-z]{2})?$/;

const INTEGER = /^(?:0|-?[1-9][0-9]{0,17})$/;

/** In the range that fits into its 128 bits with room to spare. */
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

/** A term as N-Triples in Oxigraph's form; undefined where only Oxigraph can say what that is, or whether the term is valid. */
export function canonicalText(term: NamedNode | Literal): string | undefined {
  if (term.termType === "NamedNode") return PLAIN_IRI.test(term.value) ? `<${term.value}>` : undefined;
  const { value, language, datatype } = term;
  if (term.direction) return undefined;
  if (language !== "") return PLAIN_LANGUAGE.test(language) ? `${quoted(value.toWellFormed())}@${language}` : undefined;
  if (datatype.value === xsd.string.value) return quoted(value.toWellFormed());
  const canonical = CANONICAL.get(datatype.value)?.(value);
  return canonical === undefined ? undefined : `"${canonical}"^^<${datatype.value}>`;
}
