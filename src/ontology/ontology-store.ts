/**
 * The port for the knowledge graph: named stores, each one RDF graph, asked and changed with SPARQL 1.1.
 * Terms and quads are RDF/JS (https://rdf.js.org/data-model-spec/); nothing of an implementation shows.
 */
import type { Quad, Term } from "@rdfjs/types";

/** One solution of a SELECT: variable name (without `?`) to term. Unbound variables are absent. */
export type Row = Readonly<Record<string, Term>>;

/** SELECT: rows. ASK: a boolean. CONSTRUCT and DESCRIBE: quads in the default graph. */
export type QueryResult = Row[] | boolean | Quad[];

/** A value to bind: an RDF/JS term, or a JavaScript value that becomes a literal (string, number, boolean, Date). */
export type BindingValue = Term | string | number | boolean | Date;

/**
 * Values for variables of a query, by name without `?`. They replace the variable as terms, at every depth; no text is ever put
 * together. A bound variable that is selected comes out with its value. Lone surrogates become U+FFFD.
 */
export type Bindings = Readonly<Record<string, BindingValue>>;

/** Named RDF graphs that are asked and changed with SPARQL 1.1; see the head of this file. */
export interface OntologyStore {
  /** Makes an empty store; nothing happens where it exists. Names: letters, digits, `_`, `-`, at most 64. */
  createStore(store: string): Promise<void>;

  /** Names of all stores, sorted. */
  listStores(): Promise<string[]>;

  /**
   * Adds quads (their graph is ignored), all or none; makes the store if need be. Quads that are there already change nothing.
   * Blank nodes become IRIs that last, new ones at each call.
   * @throws ValidationError for a term that is not valid RDF, and where the store is full
   * @throws IoError where the store can't be reached or written
   */
  insert(store: string, quads: Iterable<Quad>): Promise<void>;

  /**
   * SPARQL 1.1 Query over one store as the default graph; other stores as named graphs, by `storeIri(name)`.
   * An unknown store is empty.
   * @throws ValidationError for a query that does not parse or uses FROM or SERVICE; for a binding that is no valid term, has
   *   no variable in the query, or one that the query sets itself; for one that is nested too deeply or too much for the store,
   *   result included (`query_too_large`), which leaves the store as it was and in order
   * @throws IoError where the store can't be reached
   */
  query(store: string, sparql: string, bindings?: Bindings): Promise<QueryResult>;

  /**
   * SPARQL 1.1 Update on one store, all or nothing; durable when it resolves. It writes to this store only: CLEAR and DROP of
   * DEFAULT or ALL empty it; GRAPH in templates, WITH, USING, CREATE, COPY, MOVE, ADD and LOAD are refused.
   * @throws ValidationError, IoError as `query`
   */
  update(store: string, sparql: string, bindings?: Bindings): Promise<void>;

  /** All quads of a store. Costs memory for the whole of it. */
  getGraph(store: string): Promise<Quad[]>;

  /** Drops a store with all it holds; nothing happens where it does not exist. */
  deleteStore(store: string): Promise<void>;

  close(): Promise<void>;
}
