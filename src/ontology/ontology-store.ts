/**
 * The port for the knowledge graph: named stores, each one an RDF graph. Programs read with `match`
 * and write with `insert` and `change`. For everything else there is SPARQL 1.1 (`query`,
 * `update`), which costs far more. Terms and quads are those of RDF/JS
 * (https://rdf.js.org/data-model-spec/), so callers see nothing of the implementation.
 */
import type { Literal, NamedNode, Quad, Term } from "@rdfjs/types";
import type { QueryRunner } from "./query-runner.ts";

/** One solution of a SELECT: variable name (without `?`) to term. Unbound variables are absent. */
export type Row = Readonly<Record<string, Term>>;

/** SELECT: rows. ASK: a boolean. CONSTRUCT and DESCRIBE: quads in the default graph. */
export type QueryResult = Row[] | boolean | Quad[];

/**
 * A value to bind: an IRI or literal as an RDF/JS term, or a JavaScript value (string, number,
 * boolean, Date) that becomes a literal.
 */
export type BindingValue = Term | string | number | boolean | Date;

/**
 * Values for the variables of a query, by name without `?`. They replace the variables as terms, at
 * every depth; no query text is ever concatenated. If a bound variable is selected, the result has
 * its value. Lone surrogates become U+FFFD.
 */
export type Bindings = Readonly<Record<string, BindingValue>>;

/** A pattern that matches quads with all the given parts. `{}` matches every quad. */
export interface Pattern {
  readonly subject?: NamedNode | null | undefined;
  readonly predicate?: NamedNode | null | undefined;
  readonly object?: NamedNode | Literal | null | undefined;
}

/** A write with three optional parts. */
export interface Change {
  /** If a quad matches this, nothing is changed. */
  readonly unless?: Pattern;
  /** Everything that matches one of these is removed. */
  readonly remove?: Iterable<Pattern>;
  /** Then these are added, as by `insert`. */
  readonly insert?: Iterable<Quad>;
  /**
   * True if the write is made inside a step whose result is recorded next. If the store shares a
   * file with the runs, recording the result flushes the write too, so a power cut loses both or
   * neither. Don't set it if an external effect follows in the same step. A store that shares no
   * file with the runs ignores it. Default: false.
   */
  readonly inStep?: boolean;
}

/** Named RDF graphs; see the head of this file. */
export interface OntologyStore {
  /**
   * For queries from outside the program. It only reads, and each query can have limits and see
   * only a part of the data. It is closed with the store.
   */
  readonly queryRunner: QueryRunner;

  /** Whether only this process can write to it. Default: false. */
  readonly isExclusive?: boolean;

  /**
   * Whether it is in the same file as the runs of this process, so that what a step writes reaches
   * the disk together with the results of that and earlier steps, or not at all. Default: false.
   */
  readonly isWithRuns?: boolean;

  /**
   * Creates an empty store, unless it exists. Names have 1 to 64 letters, digits, `_` or `-`.
   */
  createStore(store: string): Promise<void>;

  /** Names of all stores, sorted. */
  listStores(): Promise<string[]>;

  /**
   * Adds quads (their graph is ignored), all or none, and creates the store if needed. Quads that
   * are already there change nothing. Blank nodes become permanent IRIs, new ones at each call.
   * @throws ValidationError for a term that is not valid RDF, and if the store is full
   * @throws IoError if the store can't be reached or written
   */
  insert(store: string, quads: Iterable<Quad>): Promise<void>;

  /**
   * Returns all quads that match a pattern, or one of several patterns, each once and in the
   * default graph. An unknown store is empty. The cost of a look-up by subject or object depends on
   * how much it finds; a look-up by property alone reads the whole store.
   *
   * ```ts
   * await store.match("customer_data", { subject: iri(customerUri) });
   * ```
   * @throws ValidationError for a term that is not an IRI or literal
   * @throws IoError if the store can't be reached
   */
  match(store: string, patterns: Pattern | readonly Pattern[]): Promise<Quad[]>;

  /**
   * Checks, removes and adds in one write: all or nothing, with no other write in between. Creates
   * the store if needed. Durable when it resolves, except with `inStep`.
   *
   * ```ts
   * const unless = { subject: ticket, predicate: abi.id };
   * await store.change("feedback_data", { unless, insert: graph });
   * ```
   * @throws as `insert`
   */
  change(store: string, change: Change): Promise<void>;

  /**
   * Runs a SPARQL 1.1 query. The store is the default graph; other stores are named graphs, by
   * `storeIri(name)`. An unknown store is empty. You can't stop the query or limit its time, so use
   * `queryRunner` for queries from outside the program.
   * @throws ValidationError for a query that does not parse, or uses FROM or SERVICE
   * @throws ValidationError for a binding that is not a valid term or not a variable of the query,
   *   and for a binding of a variable that the query sets itself
   * @throws ValidationError (`query_too_large`) for a query that is nested too deeply, takes too
   *   much memory or returns too many rows; the store is unchanged and still works
   * @throws IoError if the store can't be reached
   */
  query(store: string, sparql: string, bindings?: Bindings): Promise<QueryResult>;

  /**
   * Runs a SPARQL 1.1 Update on one store, all or nothing, and creates the store if needed. Durable
   * when it resolves. It can't write to other stores: CLEAR and DROP take only DEFAULT or ALL,
   * which both mean this store. GRAPH in templates, WITH, USING, CREATE, COPY, MOVE, ADD and LOAD
   * are refused.
   * @throws ValidationError, IoError as `query`
   */
  update(store: string, sparql: string, bindings?: Bindings): Promise<void>;

  /** Returns all quads of a store, and needs memory for all of them. */
  getGraph(store: string): Promise<Quad[]>;

  /** Deletes a store and everything in it, if it exists. */
  deleteStore(store: string): Promise<void>;

  close(): Promise<void>;
}
