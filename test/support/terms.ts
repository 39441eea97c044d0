/** Short names for the functions that make RDF/JS terms. */
import type { BlankNode, Literal, NamedNode, Quad, Quad_Object, Quad_Predicate, Quad_Subject } from "@rdfjs/types";
import { DataFactory } from "n3";

export const namedNode = (value: string): NamedNode => DataFactory.namedNode(value);

export const blankNode = (label: string): BlankNode => DataFactory.blankNode(label);

export const literal = (value: string, languageOrDatatype?: string | NamedNode): Literal =>
  DataFactory.literal(value, languageOrDatatype);

export const quad = (subject: Quad_Subject, predicate: Quad_Predicate, object: Quad_Object): Quad =>
  DataFactory.quad(subject, predicate, object);
