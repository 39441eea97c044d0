import { readFileSync } from "node:fs";
import type { DatasetCore, Quad } from "@rdfjs/types";
import { Parser, Store } from "n3";
import SHACLValidator from "rdf-validate-shacl";
import { shapesUrl } from "../../src/ontology/vocabulary.ts";

const dataset = (quads: Iterable<Quad>): DatasetCore => new Store([...quads]);

/** Local names of the properties that violate the package's shapes; "node" if an entity as a whole does. */
export async function shaclViolations(quads: Iterable<Quad>): Promise<string[]> {
  const shapes = dataset(new Parser().parse(readFileSync(shapesUrl, "utf8")));
  const { results } = await new SHACLValidator(shapes).validate(dataset(quads));
  return results.map(({ path }) => (path as { value?: string } | null)?.value?.split("#")[1] ?? "node").toSorted();
}
