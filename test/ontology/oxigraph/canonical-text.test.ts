import type { Literal, NamedNode } from "@rdfjs/types";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTerm, termToNTriples } from "../../../src/ontology/n-triples.ts";
import { canonicalText } from "../../../src/ontology/oxigraph/canonical-text.ts";
import { GraphIndex } from "../../../src/ontology/oxigraph/graph-index.ts";
import { toTerm } from "../../../src/ontology/term.ts";
import { XSD } from "../../../src/ontology/vocabulary.ts";
import { literal, namedNode } from "../../support/terms.ts";

const digits = fc.string({ unit: fc.constantFrom(..."0123456789".split("")), maxLength: 22 });
const number = fc
  .tuple(
    fc.constantFrom("", "-", "+"),
    digits,
    fc.constantFrom("", ".", ".0", ".50"),
    digits,
    fc.constantFrom("", "e1"),
  )
  .map((parts) => parts.join(""));
const two = fc.integer({ min: 0, max: 70 }).map((part) => String(part).padStart(2, "0"));
const moment = fc
  .tuple(
    fc.integer({ min: 0, max: 12_000 }),
    two,
    two,
    two,
    two,
    two,
    fc.constantFrom("", ".", ".0", ".120", ".123456789"),
  )
  .chain(([year, month, day, hour, minute, second, fraction]) =>
    fc
      .constantFrom("Z", "+00:00", "-05:30", "")
      .map((zone) => `${String(year).padStart(4, "0")}-${month}-${day}T${hour}:${minute}:${second}${fraction}${zone}`),
  );
const value = fc.oneof(
  number,
  moment,
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    "true",
    "false",
    "1",
    "0",
    "TRUE",
    "INF",
    "NaN",
    "-0",
    "2024-02-29T12:00:00Z",
    "2023-04-31T12:00:00Z",
  ),
  fc.string({ unit: "binary" }),
);
const datatype = fc
  .constantFrom("boolean", "integer", "decimal", "double", "dateTime", "string", "date", "int", "anyURI")
  .map((name) => namedNode(XSD + name));
const language = fc.constantFrom("en", "EN", "en-us", "en-US", "deu", "zh-Hant", "x-own", "i-klingon", "en-a-b");
const path = fc.string({ unit: fc.constantFrom(..."abcZ019-._~!$&'()*+,;=:@/?#%[]äあ".split("")) });
const address = fc.oneof(
  fc.tuple(fc.constantFrom("http://", "https://", "urn:", "urn:x:", "ftp://a"), path).map((parts) => parts.join("")),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
);
const term: fc.Arbitrary<NamedNode | Literal> = fc.oneof(
  fc.tuple(value, datatype).map(([text, type]) => literal(text, type)),
  fc.tuple(fc.string({ unit: "binary" }), language).map(([text, tag]) => literal(text, tag)),
  fc
    .oneof(fc.double(), fc.integer(), fc.boolean(), fc.date({ noInvalidDate: true }), fc.string())
    .map((plain) => toTerm(plain, "A value")),
  address.map(namedNode),
);

test("the canonical form is the same, whether Oxigraph computes it or we do", () => {
  const index = new GraphIndex();
  let computed = 0;
  fc.assert(
    fc.property(term, (some) => {
      const text = canonicalText(some);
      if (text === undefined) return;
      computed += 1;
      expect(index.canonical([termToNTriples(some)])).toEqual([text]);
      expect(termToNTriples(parseTerm(text))).toBe(text);
    }),
    { numRuns: 5000 },
  );
  index.close();
  expect(computed).toBeGreaterThan(1000);
});

test.each([
  ["http://example.org/abi/Feedback/F-1%20b", "<http://example.org/abi/Feedback/F-1%20b>"],
  [new Date("2026-11-22T09:00:00.000Z"), `"2026-11-22T09:00:00Z"^^<${XSD}dateTime>`],
  [new Date("2024-02-29T09:00:00.120Z"), `"2024-02-29T09:00:00.12Z"^^<${XSD}dateTime>`],
  [12, `"12"^^<${XSD}integer>`],
  [0.8234, `"0.8234"^^<${XSD}decimal>`],
  [true, `"true"^^<${XSD}boolean>`],
  ["C-1", `"C-1"`],
])("%s gets its canonical form without Oxigraph", (plain, text) => {
  const isAddress = typeof plain === "string" && plain.includes("://");
  expect(canonicalText(isAddress ? namedNode(plain) : toTerm(plain, "A value"))).toBe(text);
});
