import type { Quad } from "@rdfjs/types";
import { withoutAbsent } from "../json.ts";
import type { Bindings, Change, OntologyStore, Pattern, QueryResult } from "../ontology/ontology-store.ts";
import type { QueryRunner } from "../ontology/query-runner.ts";
import { inSpan } from "./tracing.ts";

/**
 * Wraps a store so that its calls are spans of kind CLIENT. They name the operation and the store,
 * but never contain values or the text of a query. Without an OpenTelemetry SDK, it just calls the
 * store.
 */
export class TracedOntologyStore implements OntologyStore {
  readonly #store: OntologyStore;
  readonly #system: string;

  /** @param system the kind of store, for the attribute `db.system.name` */
  constructor(store: OntologyStore, system: "oxigraph" | "sparql") {
    this.#store = store;
    this.#system = system;
  }

  get isExclusive(): boolean {
    return this.#store.isExclusive === true;
  }

  get isWithRuns(): boolean {
    return this.#store.isWithRuns === true;
  }

  createStore(store: string): Promise<void> {
    return this.#inSpan("CREATE", store, () => this.#store.createStore(store));
  }

  listStores(): Promise<string[]> {
    return this.#inSpan("LIST", undefined, () => this.#store.listStores());
  }

  insert(store: string, quads: Iterable<Quad>): Promise<void> {
    return this.#inSpan("INSERT", store, () => this.#store.insert(store, quads));
  }

  match(store: string, patterns: Pattern | readonly Pattern[]): Promise<Quad[]> {
    return this.#inSpan("MATCH", store, () => this.#store.match(store, patterns));
  }

  change(store: string, change: Change): Promise<void> {
    return this.#inSpan("CHANGE", store, () => this.#store.change(store, change));
  }

  query(store: string, sparql: string, bindings?: Bindings): Promise<QueryResult> {
    return this.#inSpan(queryForm(sparql), store, () => this.#store.query(store, sparql, bindings));
  }

  get queryRunner(): QueryRunner {
    const { queryRunner } = this.#store;
    return {
      run: (request) => this.#inSpan(queryForm(request.sparql), request.store, () => queryRunner.run(request)),
    };
  }

  update(store: string, sparql: string, bindings?: Bindings): Promise<void> {
    return this.#inSpan("UPDATE", store, () => this.#store.update(store, sparql, bindings));
  }

  getGraph(store: string): Promise<Quad[]> {
    return this.#inSpan("GET", store, () => this.#store.getGraph(store));
  }

  deleteStore(store: string): Promise<void> {
    return this.#inSpan("DROP", store, () => this.#store.deleteStore(store));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #inSpan<Result>(operation: string, store: string | undefined, work: () => Promise<Result>): Promise<Result> {
    const attributes = {
      "db.system.name": this.#system,
      "db.operation.name": operation,
      ...withoutAbsent({ "db.collection.name": store }),
    };
    return inSpan(store === undefined ? operation : `${operation} ${store}`, { kind: "client", attributes }, work);
  }
}

/** The first keyword: good enough to name a span, although a comment or an IRI may contain one. */
const queryForm = (sparql: string): string =>
  /\b(?:SELECT|ASK|CONSTRUCT|DESCRIBE)\b/i.exec(sparql)?.[0].toUpperCase() ?? "QUERY";
