import type { z } from "zod";
import type { Bindings } from "../ontology/ontology-store.ts";

/**
 * A named question to the knowledge graph: a prepared SELECT, with parameters that callers fill in
 * and rows of a known shape. Agents and programs can ask it without knowing SPARQL.
 */
export interface GraphQuestion<Parameters extends z.ZodObject = z.ZodObject, Row extends z.ZodObject = z.ZodObject> {
  /** In snake_case. It is also the name of the tool. */
  readonly name: string;
  /** For models and people: what it answers, and what each row is. */
  readonly description: string;
  /** The store to query; other stores are reached with GRAPH. */
  readonly store: string;
  readonly parameters: Parameters;
  /** Example parameters, for documentation. */
  readonly example?: z.input<Parameters>;
  /**
   * Use ORDER BY, because rows beyond the limit are left out. The prefixes `abi:`, `rdf:`, `xsd:`
   * and `prov:` are declared.
   */
  readonly sparql: string;
  /**
   * Values for variables. Default: each parameter is bound to the variable with its name; a missing
   * parameter leaves its variable unbound. Values are bound as terms, whatever they contain.
   */
  bindings?(parameters: z.output<Parameters>): Bindings;
  /**
   * The schema of a row, by variable. Numbers and booleans keep their type; everything else (IRIs,
   * dates, texts) is text. Make a field optional if its variable may be unbound.
   */
  readonly row: Row;
  /**
   * Fields of the row that say who someone is, or what someone wrote. They are left out unless the
   * program allows them.
   */
  readonly personal?: readonly (keyof z.output<Row> & string)[];
}

/**
 * Defines a question for a list of questions. The compiler checks it against its own schemas and
 * then widens its type.
 */
export const graphQuestion = <Parameters extends z.ZodObject, Row extends z.ZodObject>(
  name: string,
  question: Omit<GraphQuestion<Parameters, Row>, "name">,
): GraphQuestion => ({ name, ...question });
