import { setImmediate } from "node:timers/promises";
import type { Row, Bindings, QueryResult } from "../ontology-store.ts";
import type { Query } from "../sparql/ast.ts";
import { parseQuery } from "../sparql/parse.ts";
import { planUpdate, type UpdateStep } from "../sparql/update-plan.ts";
import { askIndex } from "./ask-index.ts";
import { deltaOf, type Delta } from "./delta.ts";
import { applyChanges, type GraphChange } from "./graph-change.ts";
import { GraphIndex } from "./graph-index.ts";

/**
 * Maximum number of rows or triples in one answer. More would fill WebAssembly's memory, and then
 * that of the process.
 */
export const MAX_ROWS = 1_000_000;

/**
 * How many changed triples may wait for the next query, which has to apply them before it answers.
 */
const MAX_WAITING = 5000;

/** A position in the history of changes, for undoing everything after it. */
export interface Mark {
  readonly load: number;
  readonly position: number;
}

/** Where the graphs are read from. */
export interface GraphSource {
  /** The IRIs of all graphs. */
  graphs(): string[];
  /** The triples of one graph as N-Triples, in pieces. */
  text(graph: string): Iterable<string>;
}

/**
 * Answers SPARQL from a copy of the graphs in memory. The copy is read when it is first needed.
 * From then on, every change is recorded, and all of them are applied before the next query. A copy
 * that can no longer be trusted is dropped and read again at the next query.
 */
export class Questions {
  readonly #source: GraphSource;
  #index: GraphIndex | undefined;
  #isLoaded = false;
  /** How many times the copy has been read or dropped. */
  #loads = 0;
  #loading: Promise<void> | undefined;
  /** The recorded changes, of which the first `#applied` are already in the copy. */
  #changes: GraphChange[] = [];
  #applied = 0;
  /** How many triples the unapplied changes contain. */
  #waiting = 0;

  constructor(source: GraphSource) {
    this.#source = source;
  }

  /** Whether a copy exists or is being read, and therefore needs every change. */
  get needsChanges(): boolean {
    return this.#isLoaded || this.#loading !== undefined;
  }

  /** Reads the copy in pieces; the process can do other work in between. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    await this.#loading;
  }

  async #load(): Promise<void> {
    for (const _ of this.#pieces()) await setImmediate();
  }

  /** Adds the graphs to a new index piece by piece, unless the index is dropped meanwhile. */
  *#pieces(): Generator<void> {
    this.discard();
    const index = this.#engine();
    try {
      for (const graph of this.#source.graphs()) {
        for (const text of this.#source.text(graph)) {
          index.add(graph, text);
          yield;
          if (this.#index !== index) return;
        }
      }
      this.#isLoaded = true;
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  prepare(sparql: string, bindings: Bindings): Query {
    return parseQuery(sparql, bindings);
  }

  plan(sparql: string, bindings: Bindings): UpdateStep[] {
    return planUpdate(sparql, bindings);
  }

  query(query: Query, graph: string): QueryResult {
    return this.#guarded(() => askIndex(this.#current(), query, graph, this.#source.graphs(), MAX_ROWS));
  }

  /** What a step of an update changes. It reads data only if the step searches. */
  delta(step: Extract<UpdateStep, { kind: "change" }>, graph: string): Delta {
    return this.#guarded(() =>
      deltaOf(
        step,
        (query) => askIndex(this.#current(), query, graph, this.#source.graphs()) as Row[],
        (query) => askIndex(this.#engine(), query, graph, []) as Row[],
      ),
    );
  }

  /** See `GraphIndex.canonical`. */
  canonical(terms: readonly string[]): string[] {
    return this.#guarded(() => this.#engine().canonical(terms));
  }

  note(change: GraphChange): void {
    if (!this.needsChanges) return;
    this.#changes.push(change);
    this.#waiting += change.removed.length + change.inserted.length;
  }

  mark(): Mark {
    return { load: this.#loads, position: this.#changes.length };
  }

  /** Undoes all changes recorded since the mark. */
  undo({ load, position }: Mark): void {
    if (!this.needsChanges && !this.#index) return;
    // The copy was read in the middle of a transaction that is now undone.
    if (load !== this.#loads) return this.discard();
    const undone = this.#changes.splice(Math.max(position, this.#applied));
    const applied = this.#changes.slice(position);
    if (applied.some(({ isCleared }) => isCleared)) return this.discard();
    for (const { removed, inserted } of undone) this.#waiting -= removed.length + inserted.length;
    for (const { graph, removed, inserted } of applied.toReversed())
      this.note({ graph, removed: inserted, inserted: removed });
  }

  /**
   * Makes all changes recorded so far final. If many triples are waiting, the changes are applied
   * now instead of at the next query.
   */
  settle(): void {
    this.#changes.splice(0, this.#applied);
    this.#applied = 0;
    if (!this.#isLoaded || this.#waiting <= MAX_WAITING) return;
    try {
      this.#apply(this.#current());
    } catch {
      // The copy is read again at the next query, which reports the error.
      this.discard();
    }
  }

  discard(): void {
    const index = this.#index;
    this.#index = undefined;
    this.#isLoaded = false;
    this.#loads += 1;
    this.#changes = [];
    this.#applied = 0;
    this.#waiting = 0;
    index?.close();
  }

  /** Oxigraph, with or without the graphs. */
  #engine(): GraphIndex {
    return (this.#index ??= new GraphIndex());
  }

  /** The copy with all changes applied. */
  #current(): GraphIndex {
    if (!this.#isLoaded) for (const _ of this.#pieces()) continue;
    const index = this.#engine();
    this.#apply(index);
    return index;
  }

  #apply(index: GraphIndex): void {
    applyChanges(index, this.#changes.slice(this.#applied));
    this.#applied = this.#changes.length;
    this.#waiting = 0;
  }

  /** Drops the index if the work broke it. */
  #guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (this.#index?.broken) this.discard();
      throw error;
    }
  }
}
