/**
 * The port for the knowledge graph: named stores, each one RDF graph. What a program knows how to look for it reads with `match`
 * and writes with `insert` and `change`; questions are asked in SPARQL 1.1, which costs far more.
 * Terms and quads are RDF/JS (https://rdf.js.org/data-model-spec/); nothing of an implementation shows.
 */
import type { Literal, NamedNode, Quad, Term } from "@rdfjs/types";
import type { QueryRunner } from "./query-runner.ts";

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

/** Quads to look for: those that have every given part. `{}` is all of them. */
export interface Pattern {
  readonly subject?: NamedNode | null | undefined;
  readonly predicate?: NamedNode | null | undefined;
  readonly object?: NamedNode | Literal | null | undefined;
}

/** A write in three parts, each of them optional. */
export interface Change {
  /** Where a quad matches it, nothing is changed at all. */
  readonly unless?: Pattern;
  /** Everything that matches one of these is removed, */
  readonly remove?: Iterable<Pattern>;
  /** then these are added, as `insert` adds them. */
  readonly insert?: Iterable<Quad>;
  /**
   * It is made inside a step of a run, which is recorded next. A store that shares a file with the runs then leaves it to that record to
   * flush both: a power cut that takes the one takes the other. Don't set it where an effect outside follows in the same step. Elsewhere
   * this changes nothing. Default: false.
   */
  readonly inStep?: boolean;
}

/** Named RDF graphs; see the head of this file. */
export interface OntologyStore {
  /** For queries that somebody outside has written: they are stopped at limits, and see what they may. It is closed with the store. */
  readonly queryRunner: QueryRunner;

  /** Whether nobody but this process can write to it. Default: others can. */
  readonly isExclusive?: boolean;

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
   * All quads that match a pattern, or one of several; each once, in the default graph. An unknown store is empty. A look-up by subject or
   * by object costs what it finds; one by property alone reads the whole store.
   *
   * ```ts
   * await store.match("customer_data", { subject: iri(customerUri) });
   * ```
   * @throws ValidationError for a term that is no IRI or literal, IoError where the store can't be reached
   */
  match(store: string, patterns: Pattern | readonly Pattern[]): Promise<Quad[]>;

  /**
   * Looks, removes and adds as one: all or nothing, and nobody else's write comes between. Makes the store if need be; durable when it
   * resolves, but for `inStep`.
   *
   * ```ts
   * await store.change("feedback_data", { unless: { subject: ticket, predicate: abi.id }, insert: graph });
   * ```
   * @throws as `insert`
   */
  change(store: string, change: Change): Promise<void>;

  /**
   * SPARQL 1.1 Query over one store as the default graph; other stores as named graphs, by `storeIri(name)`.
   * An unknown store is empty. It takes as long as it takes: a query that somebody else has written belongs to `queryRunner`.
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
