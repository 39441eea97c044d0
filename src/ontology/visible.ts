import type { NamedNode } from "@rdfjs/types";

/**
 * What a query may see of the graph. For each named store, that is triples with one of these
 * properties, and triples with `rdf:type` and one of these classes. It sees nothing else, whatever
 * is added to the graph later.
 */
export type Visible = Readonly<Record<string, VisiblePart>>;

/** What can be seen of one store. */
export interface VisiblePart {
  readonly properties: readonly NamedNode[];
  readonly classes: readonly NamedNode[];
}
