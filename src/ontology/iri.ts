import type { NamedNode } from "@rdfjs/types";
import { DataFactory } from "./n3.ts";

/** Turns an IRI into an RDF/JS term, to bind it or to link to it. It is checked when it is used. */
export const iri = (value: string): NamedNode => DataFactory.namedNode(value);
