import type { NamedNode } from "@rdfjs/types";

/**
 * What a query may see of the graph, by the names of the stores: triples with one of the store's
 * `properties`, and triples with `rdf:type` and one of its `classes`. It sees nothing else,
 * whatever is added to the graph later.
 */
export type Visible = Readonly<Record<string, VisiblePart>>;

/** What can be seen of one store. */
export interface VisiblePart {
  readonly properties: readonly NamedNode[];
  readonly classes: readonly NamedNode[];
}
