import type { z } from "zod";
import type { Bindings } from "../ontology/ontology-store.ts";

/**
 * A question to the knowledge graph that has a name: a SELECT that its author has written, with parameters that callers fill in and rows
 * of a known form. Agents and programs ask it without knowing SPARQL.
 */
export interface GraphQuestion<Parameters extends z.ZodObject = z.ZodObject, Row extends z.ZodObject = z.ZodObject> {
  /** snake_case; the name of the tool. */
  readonly name: string;
  /** For models and people: what is answered, and what each row is. */
  readonly description: string;
  /** The store that is asked; others are reached with GRAPH. */
  readonly store: string;
  readonly parameters: Parameters;
  /** Parameters that make sense, for the documentation. */
  readonly example?: z.input<Parameters>;
  /**
   * Begin with what narrows the search most, and give an order: rows beyond the limit are left out. The prefixes `abi:`, `rdf:`, `xsd:`
   * and `prov:` are known.
   */
  readonly sparql: string;
  /**
   * Values for variables. Default: each parameter for the variable of its name; one that is left out leaves the variable open. Values are
   * bound as terms, whatever they hold.
   */
  bindings?(parameters: z.output<Parameters>): Bindings;
  /**
   * A row, by variable: numbers and booleans as such, everything else (IRIs, dates, texts) as text. What may be unbound is optional.
   */
  readonly row: Row;
  /** Fields of the row that say who somebody is, or what somebody wrote: left out unless the program allows them. */
  readonly personal?: readonly (keyof z.output<Row> & string)[];
}

/** A question for a list of questions: checked against its own schemas, then widened. */
export const graphQuestion = <Parameters extends z.ZodObject, Row extends z.ZodObject>(
  name: string,
  question: Omit<GraphQuestion<Parameters, Row>, "name">,
): GraphQuestion => ({ name, ...question });
