import type { NamedNode } from "@rdfjs/types";
import { DataFactory } from "./n3.ts";

/**
 * Makes an RDF/JS term of an IRI, to bind it or to link to it. The IRI is checked when it is used.
 */
export const iri = (value: string): NamedNode => DataFactory.namedNode(value);
