import { describe, expect, it } from "vitest";
import { planRequest } from "../../../src/ontology/sparql-endpoint/plan-request.ts";
import { insertData } from "../../../src/ontology/sparql-endpoint/update-request.ts";
import { planUpdate } from "../../../src/ontology/sparql/update-plan.ts";
import { namedNode } from "../../support/terms.ts";

const FIRST = "INSERT DATA { GRAPH <urn:registry>";

/** The request's words, separated by one space. */
function request(sparql: string): { text: string; repeatable: boolean } {
  const graph = namedNode("urn:g");
  const first = insertData(namedNode("urn:registry"), ["<urn:g> <urn:p> <urn:o> ."]);
  const { text, repeatable } = planRequest(first, planUpdate(sparql, {}), graph, [graph]);
  return { text: text.replaceAll(/\s+/g, " "), repeatable };
}

describe("the request for an update", () => {
  it("has prefixes only at its head, where every endpoint reads them", () => {
    const { text } = request(
      "PREFIX a: <urn:a:> INSERT DATA { a:s a:p 1 } ; PREFIX a: <urn:a:> PREFIX b: <urn:b:> INSERT DATA { a:s b:p 1 }",
    );
    expect(text.lastIndexOf("PREFIX")).toBeLessThan(text.indexOf(FIRST));
  });

  it.each([
    ["a prefix", "PREFIX a: <urn:a:>", "PREFIX a: <urn:b:>", "PREFIX a: <urn:b:>"],
    ["a base", "BASE <http://a/>", "BASE <http://b/>", "BASE <http://b/>"],
  ])("keeps %s that changes between operations in its place", (_, before, after, changed) => {
    const { text } = request(
      `${before} INSERT DATA { <urn:s> <urn:p> 1 } ; ${after} INSERT DATA { <urn:s> <urn:p> 2 }`,
    );
    expect(text.startsWith(FIRST)).toBe(true);
    expect(text.indexOf(changed)).toBeGreaterThan(text.indexOf("INSERT DATA", FIRST.length));
  });

  it.each([
    ["INSERT DATA { <urn:s> <urn:p> 1 } ; DELETE DATA { <urn:s> <urn:p> 2 }", true],
    ["INSERT { <urn:s> <urn:p> 1 } WHERE {}", true],
    ["INSERT { ?s <urn:p> 1 } WHERE { ?s <urn:q> 1 }", false],
    ["DELETE WHERE { ?s <urn:q> 1 }", false],
    ["INSERT DATA { <urn:s> <urn:p> 1 } ; CLEAR DEFAULT", false],
  ])("of %s is repeatable: %s", (sparql, repeatable) => {
    expect(request(sparql).repeatable).toBe(repeatable);
  });

  it("reads only the store's graph, and others only with GRAPH", () => {
    expect(request("DELETE WHERE { ?s ?p ?o }").text).toContain("WITH <urn:g> DELETE { ?s ?p ?o . } WHERE");
    expect(request("DELETE { ?s ?p ?o } WHERE { ?s ?p ?o OPTIONAL { GRAPH ?h { ?s ?p ?o } } }").text).toContain(
      "USING <urn:g> USING NAMED <urn:g> WHERE",
    );
  });
});
