import type { NamedNode } from "@rdfjs/types";

/**
 * What of the graph a question may see: of every store that is named, triples with one of these properties; and of `rdf:type`, those
 * with one of these classes. Nothing else is seen, whatever is added to the graph later.
 */
export type Visible = Readonly<Record<string, VisiblePart>>;

export interface VisiblePart {
  readonly properties: readonly NamedNode[];
  readonly classes: readonly NamedNode[];
}
