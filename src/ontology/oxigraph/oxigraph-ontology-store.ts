import { existsSync, realpathSync } from "node:fs";
import type { Quad } from "@rdfjs/types";
import { IoError, isAbiError, toAbiError, ValidationError } from "../../errors.ts";
import { lockFile, type FileLock } from "../../file-lock.ts";
import { makePrivateParent } from "../../private-files.ts";
import { parseNTriples } from "../n-triples.ts";
import type { Bindings, OntologyStore, QueryResult, Row } from "../ontology-store.ts";
import { skolemizedLines } from "../skolem.ts";
import { parseQuery } from "../sparql/parse.ts";
import { sqliteFault } from "../../sqlite.ts";
import { planUpdate, type UpdateStep } from "../sparql/update-plan.ts";
import { storeIri } from "../store-name.ts";
import { deltaOf, type Delta } from "./delta.ts";
import { GraphIndex } from "./graph-index.ts";
import { QuadFile } from "./quad-file.ts";

export interface OxigraphOntologyStoreOptions {
  /** Path of the SQLite file, made where it is missing; `":memory:"` keeps nothing. Beside it lies `<path>.lock`. */
  path: string;
  /** Most quads over all stores; default 12 million. At 13 million the memory of WebAssembly (4 GB) is full. */
  maximumQuads?: number;
}

const MAXIMUM_QUADS = 12_000_000;

/** Of one answer; more would fill the memory of WebAssembly, and then that of the process. */
const MOST_ROWS = 1_000_000;

/** Lines handed to Oxigraph at a time. */
const BATCH = 10_000;

/**
 * The embedded knowledge graph for one process: SQLite holds the truth, Oxigraph in memory answers SPARQL 1.1.
 *
 * Writes are on disk when their promise resolves; `kill -9` loses none and leaves none half done. Memory: about 370 bytes a quad;
 * opening reads everything, about 4 seconds a million quads. Calls are synchronous inside: a slow query holds up the process.
 *
 * A query that is too much for Oxigraph's stack or memory is refused, and the file is read again before the next answer. An answer
 * has at most a million rows.
 *
 * Blank nodes become IRIs (`urn:uuid:…`) when they are stored. Numbers and dates come back in their canonical form
 * (`"01"^^xsd:integer` as `"1"`).
 */
export class OxigraphOntologyStore implements OntologyStore {
  readonly #file: QuadFile;
  readonly #maximumQuads: number;
  readonly #release: () => void;
  /** Missing where it no longer says what the file says; it is then read anew at the next use. */
  #index: GraphIndex | undefined;
  #quads = 0;
  #closed = false;

  private constructor(file: QuadFile, maximumQuads: number, release: () => void) {
    this.#file = file;
    this.#maximumQuads = maximumQuads;
    this.#release = release;
  }

  /**
   * @throws IoError where another process has the file open (`in_use`) or it can't be opened
   * @throws ValidationError where the file is damaged or no knowledge graph (`store_unreadable`), or is too large
   */
  static async open({
    path,
    maximumQuads = MAXIMUM_QUADS,
  }: OxigraphOntologyStoreOptions): Promise<OxigraphOntologyStore> {
    let lock: FileLock | undefined;
    let file: QuadFile | undefined;
    try {
      const place = path === ":memory:" ? path : existingPath(path);
      lock = lockFile(place);
      file = new QuadFile(place);
      const release = (): void => lock?.release();
      const store = new OxigraphOntologyStore(file, maximumQuads, release);
      store.#current();
      return store;
    } catch (error) {
      file?.close();
      lock?.release();
      throw openingError(error, path);
    }
  }

  async createStore(store: string): Promise<void> {
    storeIri(store);
    this.#write(() => this.#file.ensureStore(store));
  }

  async listStores(): Promise<string[]> {
    return this.#read(() => this.#file.storeNames());
  }

  async insert(store: string, quads: Iterable<Quad>): Promise<void> {
    const graph = storeIri(store);
    this.#write((done) => {
      const id = this.#file.ensureStore(store);
      for (const lines of batches(skolemizedLines(quads))) {
        this.#apply({ remove: [], insert: lines }, id, graph, done);
      }
    });
  }

  async query(store: string, sparql: string, bindings: Bindings = {}): Promise<QueryResult> {
    const graph = storeIri(store);
    return this.#read((index) => index.query(parseQuery(sparql, bindings), graph, this.#graphs(), MOST_ROWS));
  }

  async update(store: string, sparql: string, bindings: Bindings = {}): Promise<void> {
    const graph = storeIri(store);
    const plan = planUpdate(sparql, bindings);
    this.#write((done) => {
      const id = this.#file.ensureStore(store);
      for (const step of plan) this.#apply(this.#delta(step, id, graph), id, graph, done);
    });
  }

  async getGraph(store: string): Promise<Quad[]> {
    const graph = storeIri(store);
    return this.#read((index) => parseNTriples(index.dump(graph)));
  }

  async deleteStore(store: string): Promise<void> {
    const graph = storeIri(store);
    this.#write((done) => {
      const id = this.#file.findStore(store);
      if (id === undefined) return;
      this.#apply({ remove: [...this.#file.triples(id)], insert: [] }, id, graph, done);
      this.#file.dropStore(id);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#discardIndex();
      this.#file.close();
    } finally {
      this.#release();
    }
  }

  #graphs(): string[] {
    return this.#file.storeNames().map(storeIri);
  }

  /** The index, read from the file where there is none. */
  #current(): GraphIndex {
    if (this.#closed) throw new IoError("The knowledge graph is closed.", { code: "store_closed" });
    this.#index ??= this.#readIndex();
    return this.#index;
  }

  #readIndex(): GraphIndex {
    const index = new GraphIndex();
    try {
      this.#quads = 0;
      for (const store of this.#file.storeNames()) {
        const id = this.#file.ensureStore(store);
        for (const lines of batches(this.#file.triples(id))) {
          this.#quads += lines.length;
          this.#refuseTooMany();
          index.add(storeIri(store), lines);
        }
      }
      return index;
    } catch (error) {
      index.close();
      throw error;
    }
  }

  #discardIndex(): void {
    this.#index?.close();
    this.#index = undefined;
  }

  #delta(step: UpdateStep, id: number, graph: string): Delta {
    if (step.kind === "clear") return { remove: [...this.#file.triples(id)], insert: [] };
    const index = this.#current();
    const { remove, insert } = deltaOf(step, (query) => index.query(query, graph, this.#graphs()) as Row[]);
    return { remove: index.canonical(remove), insert };
  }

  /** Changes file and index, and notes in `done` what was really changed. */
  #apply({ remove, insert }: Delta, id: number, graph: string, done: Done[]): void {
    const index = this.#current();
    const removed = remove.filter((line) => this.#file.remove(id, line));
    const inserted = index.canonical(insert).filter((line) => this.#file.insert(id, line));
    done.push({ graph, removed, inserted });
    this.#quads += inserted.length - removed.length;
    this.#refuseTooMany();
    index.remove(graph, removed);
    index.add(graph, inserted);
  }

  #refuseTooMany(): void {
    if (this.#quads <= this.#maximumQuads) return;
    throw new ValidationError(
      `The embedded knowledge graph holds at most ${this.#maximumQuads} quads. ` +
        "Use a SPARQL endpoint as the store for more (ONTOLOGY_URL).",
      { code: "store_full" },
    );
  }

  #read<T>(work: (index: GraphIndex) => T): T {
    const index = this.#current();
    try {
      return work(index);
    } catch (error) {
      if (index.broken) this.#discardIndex();
      throw callError(error);
    }
  }

  /** All or nothing, in the file and in the index. */
  #write(work: (done: Done[]) => void): void {
    const index = this.#current();
    const done: Done[] = [];
    try {
      this.#file.transaction(() => work(done));
    } catch (error) {
      this.#undo(index, done);
      throw callError(error);
    }
  }

  /** The file is as it was before. Where the index can't follow, it is read anew from there. */
  #undo(index: GraphIndex, done: readonly Done[]): void {
    if (index.broken) return this.#discardIndex();
    try {
      for (const { graph, removed, inserted } of done.toReversed()) {
        this.#quads += removed.length - inserted.length;
        index.remove(graph, inserted);
        index.add(graph, removed);
      }
    } catch {
      this.#discardIndex();
    }
  }
}

/** What one operation changed. */
interface Done {
  readonly graph: string;
  readonly removed: readonly string[];
  readonly inserted: readonly string[];
}

function* batches(all: Iterable<string>): Iterable<string[]> {
  let lines: string[] = [];
  for (const line of all) {
    lines.push(line);
    if (lines.length < BATCH) continue;
    yield lines;
    lines = [];
  }
  if (lines.length > 0) yield lines;
}

/** Two names of one file must lead to one lock. */
function existingPath(path: string): string {
  makePrivateParent(path);
  return existsSync(path) ? realpathSync(path) : path;
}

const isSqliteError = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";

function callError(error: unknown): Error {
  if (!isSqliteError(error)) return toAbiError(error);
  return new IoError("The knowledge graph's file can't be read or written now. Look for a full or failing disk.", {
    cause: error,
  });
}

function openingError(error: unknown, path: string): Error {
  if (isAbiError(error) && error.code !== "invalid_sparql") return error;
  if (isAbiError(error) || sqliteFault(error) === "damaged") {
    return new ValidationError(
      `The file ${path} is damaged or is not a knowledge graph. Put a backup in its place, or choose another file.`,
      { code: "store_unreadable", cause: error },
    );
  }
  return new IoError(
    `The knowledge graph in ${path} can't be opened. Check that it is a file, and that it and its folder can be written.`,
    {
      cause: error,
    },
  );
}
