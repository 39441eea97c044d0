import { setImmediate } from "node:timers/promises";
import type { Row, Bindings, QueryResult } from "../ontology-store.ts";
import type { Query } from "../sparql/ast.ts";
import { parseQuery } from "../sparql/parse.ts";
import { planUpdate, type UpdateStep } from "../sparql/update-plan.ts";
import { askIndex } from "./ask-index.ts";
import { deltaOf, type Delta } from "./delta.ts";
import { applyChanges, type GraphChange } from "./graph-change.ts";
import { GraphIndex } from "./graph-index.ts";

/** Of one answer; more would fill the memory of WebAssembly, and then that of the process. */
export const MAX_ROWS = 1_000_000;

/** Changes that wait for the next question; with more of them nobody should have to wait for all. */
const MAX_WAITING = 5000;

/** A place in the history of changes to which it can be brought back. */
export interface Mark {
  readonly load: number;
  readonly position: number;
}

/** Where the graphs are read from. */
export interface GraphSource {
  /** IRIs of all graphs. */
  graphs(): string[];
  /** The triples of one as N-Triples, in pieces. */
  text(graph: string): Iterable<string>;
}

/**
 * Answers SPARQL from a copy of the graphs in memory. It is read when it is first needed; from then on it is told of every change, and
 * takes them all in at the next question. A copy that can't be trusted any more is dropped, and read again at the next question.
 */
export class Questions {
  readonly #source: GraphSource;
  #index: GraphIndex | undefined;
  #isLoaded = false;
  /** How often the copy has been read, or dropped. */
  #loads = 0;
  #loading: Promise<void> | undefined;
  /** Of these the first `#applied` are in the copy. */
  #changes: GraphChange[] = [];
  #applied = 0;
  #waiting = 0;

  constructor(source: GraphSource) {
    this.#source = source;
  }

  /** Whether there is a copy, or one is being read: then it must be told of changes. */
  get isTold(): boolean {
    return this.#isLoaded || this.#loading !== undefined;
  }

  /** Reads the copy in pieces, between which the process goes on with other things. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    await this.#loading;
  }

  async #load(): Promise<void> {
    for (const _ of this.#pieces()) await setImmediate();
  }

  /** Adds the graphs to a fresh index piece by piece, and is done when that is the copy. */
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

  /** What a step of an update changes. Data is looked at only where the step searches. */
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
    if (!this.isTold) return;
    this.#changes.push(change);
    this.#waiting += change.removed.length + change.inserted.length;
  }

  mark(): Mark {
    return { load: this.#loads, position: this.#changes.length };
  }

  /** What was noted since then has not happened. */
  undo({ load, position }: Mark): void {
    if (!this.isTold && !this.#index) return;
    // What was read meanwhile was read in the middle of what has not happened.
    if (load !== this.#loads) return this.discard();
    const undone = this.#changes.splice(Math.max(position, this.#applied));
    const applied = this.#changes.slice(position);
    if (applied.some(({ isCleared }) => isCleared)) return this.discard();
    for (const { removed, inserted } of undone) this.#waiting -= removed.length + inserted.length;
    for (const { graph, removed, inserted } of applied.toReversed())
      this.note({ graph, removed: inserted, inserted: removed });
  }

  /** What was noted has happened for good. Where many changes are waiting, they are taken in without a question. */
  settle(): void {
    this.#changes.splice(0, this.#applied);
    this.#applied = 0;
    if (!this.#isLoaded || this.#waiting <= MAX_WAITING) return;
    try {
      this.#apply(this.#current());
    } catch {
      // It is read again at the next question, which hears what is wrong.
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

  /** Oxigraph, with the graphs in it or without. */
  #engine(): GraphIndex {
    return (this.#index ??= new GraphIndex());
  }

  /** The copy as it should be now. */
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

  /** Drops the index where it has died of the work. */
  #guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      if (this.#index?.broken) this.discard();
      throw error;
    }
  }
}
