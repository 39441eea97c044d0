import type { NamedNode } from "@rdfjs/types";
import { DataFactory } from "./n3.ts";

/** An IRI as an RDF/JS term, to bind or to link to. It is checked where it is used. */
export const iri = (value: string): NamedNode => DataFactory.namedNode(value);
