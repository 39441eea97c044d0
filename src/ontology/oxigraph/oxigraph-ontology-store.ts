import type { NamedNode, Quad, Term } from "@rdfjs/types";
import { DataFactory } from "../n3.ts";
import { IoError, ValidationError } from "../../errors.ts";
import { parseTerm, requireIri } from "../n-triples.ts";
import type { Bindings, Change, OntologyStore, Pattern, QueryResult } from "../ontology-store.ts";
import type { QueryRunner } from "../query-runner.ts";
import type { UpdateStep } from "../sparql/update-plan.ts";
import { skolemized } from "../skolem.ts";
import type { TransactionOptions } from "../../files/sqlite-file.ts";
import { storeIri, storeName } from "../store-name.ts";
import { Canonicalization } from "./canonicalization.ts";
import type { CopyQueryRunner } from "./copy-query-runner.ts";
import type { GraphChange } from "./graph-change.ts";
import { lineOf, QuadFile, type Triple, type TriplePattern } from "./quad-file.ts";
import type { Questions } from "./questions.ts";
import { callError, openingError } from "./store-errors.ts";
import { WriteQueue } from "./write-queue.ts";

export interface OxigraphOntologyStoreOptions {
  /**
   * Path of the SQLite file, which is created if it is missing; `":memory:"` stores nothing on
   * disk. There is also a lock file, `<path>.lock`. An engine with the same path shares the file.
   */
  path: string;
  /**
   * The maximum number of quads in all stores together; default 12 million. Not many more fit into
   * WebAssembly's memory (4 GB).
   */
  maximumQuads?: number;
}

const MAXIMUM_QUADS = 12_000_000;

/**
 * The embedded knowledge graph for one process. A SQLite file answers `match` and takes every
 * write. Oxigraph in memory answers SPARQL; it is loaded from the file at the first query.
 *
 * Writes are on disk when their promise resolves, except with `inStep`; `kill -9` loses none and
 * leaves none half done. The writes of one turn of the event loop share one transaction and one
 * flush; if one fails, the others don't. Opening takes the same time however much the file
 * contains.
 *
 * The first SPARQL query, or update that searches, loads everything: some 6 microseconds and 370
 * bytes of memory a quad. After that, Oxigraph applies the changes since the last query before it
 * answers the next. Calls are synchronous inside, so a slow query blocks the process. A query that
 * exceeds Oxigraph's stack or memory is refused, and the file is read again before the next answer.
 * An answer has at most a million rows.
 *
 * Blank nodes become IRIs (`urn:uuid:…`) when they are stored. Numbers and dates come back in their
 * canonical form (`"01"^^xsd:integer` as `"1"`).
 */
export class OxigraphOntologyStore implements OntologyStore {
  readonly isExclusive = true;
  readonly #path: string;
  readonly #file: QuadFile;
  readonly #maximumQuads: number;
  readonly #queue: WriteQueue;
  /**
   * Missing until the first SPARQL query or update, or the first term that only Oxigraph can
   * validate.
   */
  #questions: Questions | undefined;
  /** Missing until it is first used. */
  #runner: CopyQueryRunner | undefined;
  /** What the current transaction has changed. Copies get it once the transaction is committed. */
  #uncommitted: GraphChange[] = [];
  #closed = false;

  get isWithRuns(): boolean {
    return this.#file.isWithRuns;
  }

  private constructor(path: string, file: QuadFile, maximumQuads: number) {
    this.#path = path;
    this.#file = file;
    this.#maximumQuads = maximumQuads;
    this.#queue = new WriteQueue(
      (work) => this.#commit(work),
      () => this.#file.flush(),
    );
  }

  /**
   * @throws IoError if another process has the file open (`in_use`), or it can't be opened
   * @throws ValidationError if the file is not a knowledge graph (`store_unreadable`), was written
   *   by another version of this package (`store_too_old`, `store_too_new`), or contains more than
   *   `maximumQuads` (`store_full`)
   */
  static async open({
    path,
    maximumQuads = MAXIMUM_QUADS,
  }: OxigraphOntologyStoreOptions): Promise<OxigraphOntologyStore> {
    let file: QuadFile | undefined;
    try {
      file = QuadFile.own(path);
      const store = new OxigraphOntologyStore(path, file, maximumQuads);
      store.#refuseTooMany();
      return store;
    } catch (error) {
      file?.close();
      throw openingError(error, path);
    }
  }

  /**
   * Its queries run in a worker thread, on a copy of the graph that takes as much memory again.
   */
  readonly queryRunner: QueryRunner = {
    run: (request) =>
      this.#readAsync(async () => {
        this.#requireOpen();
        const { CopyQueryRunner } = await import("./copy-query-runner.ts");
        this.#requireOpen();
        this.#runner ??= new CopyQueryRunner({
          storeNames: () => this.#file.storeNames(),
          content: () => (this.#file.place === ":memory:" ? this.#texts() : this.#file.place),
        });
        return this.#runner.run(request);
      }).catch((error: unknown) => {
        request.signal?.throwIfAborted();
        throw error;
      }),
  };

  async createStore(store: string): Promise<void> {
    storeIri(store);
    await this.#write(() => this.#file.ensureStore(store));
  }

  async listStores(): Promise<string[]> {
    return this.#guarded(() => this.#file.storeNames());
  }

  async insert(store: string, quads: Iterable<Quad>): Promise<void> {
    return this.change(store, { insert: quads });
  }

  async change(store: string, { unless, remove = [], insert = [], inStep = false }: Change): Promise<void> {
    storeIri(store);
    this.#requireOpen();
    const terms = new Canonicalization();
    const obstacle = unless && patternOf(unless, terms);
    const removed = Array.from(remove, (pattern) => patternOf(pattern, terms));
    const inserted = triplesOf(insert, terms);
    await this.#canonicalize(terms);
    const work = (): void => {
      const id = this.#file.ensureStore(store);
      if (obstacle && this.#file.has(id, terms.resolve(obstacle))) return;
      this.#apply(store, id, removed.map(terms.resolve), inserted.map(terms.resolve));
    };
    // In a shared file, recording the step's result flushes this write too.
    await this.#write(work, { isFlushed: !(inStep && this.#file.isWithRuns) });
  }

  async match(store: string, patterns: Pattern | readonly Pattern[]): Promise<Quad[]> {
    storeIri(store);
    this.#requireOpen();
    const terms = new Canonicalization();
    const wanted = [patterns].flat().map((pattern) => patternOf(pattern, terms));
    await this.#canonicalize(terms);
    return this.#guarded(() => {
      const id = this.#file.findStore(store);
      return id === undefined ? [] : this.#file.match(id, wanted.map(terms.resolve)).map(toQuad);
    });
  }

  async query(store: string, sparql: string, bindings: Bindings = {}): Promise<QueryResult> {
    const graph = storeIri(store);
    const questions = await this.#sparql();
    return this.#readAsync(async () => {
      const query = questions.prepare(sparql, bindings);
      await questions.load();
      this.#requireOpen();
      return questions.query(query, graph);
    });
  }

  async update(store: string, sparql: string, bindings: Bindings = {}): Promise<void> {
    const graph = storeIri(store);
    const questions = await this.#sparql();
    const plan = questions.plan(sparql, bindings);
    if (plan.some((step) => step.kind === "change" && step.solutions)) await this.#readAsync(() => questions.load());
    await this.#write(() => {
      const id = this.#file.ensureStore(store);
      for (const step of plan) this.#step(step, store, id, graph, questions);
    });
  }

  async getGraph(store: string): Promise<Quad[]> {
    return this.match(store, {});
  }

  async deleteStore(store: string): Promise<void> {
    storeIri(store);
    await this.#write(() => {
      const id = this.#file.findStore(store);
      if (id === undefined) return;
      this.#clear(store, id);
      this.#file.dropStore(id);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const drained = this.#queue.drain();
    this.#closed = true;
    await drained;
    try {
      await this.#runner?.close(closed());
      this.#questions?.discard();
    } finally {
      this.#file.close();
    }
  }

  #step(step: UpdateStep, store: string, id: number, graph: string, questions: Questions): void {
    if (step.kind === "clear") return this.#clear(store, id);
    const { remove, insert } = questions.delta(step, graph);
    const terms = new Canonicalization();
    const [removed, inserted] = [triplesOf(remove, terms), triplesOf(insert, terms)];
    terms.canonicalize((others) => questions.canonical(others));
    this.#apply(store, id, removed.map(terms.resolve), inserted.map(terms.resolve));
  }

  #clear(store: string, id: number): void {
    this.#file.clear(id);
    const change = { graph: storeIri(store), isCleared: true, removed: [], inserted: [] };
    this.#questions?.note(change);
    if (this.#runner) this.#uncommitted.push(change);
  }

  #apply(store: string, id: number, remove: readonly TriplePattern[], insert: readonly Triple[]): void {
    const isInsertedWanted = this.#questions?.needsChanges === true;
    const { removed, inserted } = this.#file.change(id, remove, insert, { isInsertedWanted });
    this.#refuseTooMany();
    if (!isInsertedWanted && !this.#runner) return;
    const change = { graph: storeIri(store), removed: removed.map(lineOf) };
    this.#questions?.note({ ...change, inserted: inserted.map(lineOf) });
    // Sending a copy a change that it already has does no harm.
    if (this.#runner) this.#uncommitted.push({ ...change, inserted: insert.map(lineOf) });
  }

  #refuseTooMany(): void {
    if (this.#file.size() <= this.#maximumQuads) return;
    throw new ValidationError(
      `The embedded knowledge graph holds at most ${this.#maximumQuads} quads. ` +
        "Use a SPARQL endpoint as the store for more (ONTOLOGY_URL).",
      { code: "store_full" },
    );
  }

  async #canonicalize(terms: Canonicalization): Promise<void> {
    if (!terms.needsOxigraph) return;
    const questions = await this.#sparql();
    terms.canonicalize((others) => questions.canonical(others));
  }

  /** Parsers and Oxigraph are large, so they are only loaded for SPARQL and for unusual terms. */
  async #sparql(): Promise<Questions> {
    this.#requireOpen();
    const { Questions } = await import("./questions.ts");
    this.#requireOpen();
    return (this.#questions ??= new Questions({
      graphs: () => this.#file.storeNames().map(storeIri),
      text: (graph) => this.#file.text(storeName(graph) ?? ""),
    }));
  }

  /** All triples, by the graph's IRI. */
  #texts(): Map<string, string[]> {
    return new Map(this.#file.storeNames().map((name) => [storeIri(name), [...this.#file.text(name)]]));
  }

  #requireOpen(): void {
    if (this.#closed) throw closed();
  }

  #guarded<T>(work: () => T): T {
    this.#requireOpen();
    try {
      return work();
    } catch (error) {
      throw callError(this.#path, error);
    }
  }

  async #readAsync<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw callError(this.#path, error);
    }
  }

  async #write(work: () => unknown, options: TransactionOptions = {}): Promise<void> {
    this.#requireOpen();
    try {
      await this.#queue.add(work, options);
    } catch (error) {
      throw callError(this.#path, error);
    }
  }

  /**
   * All or nothing: if the file doesn't keep a change, it is undone in Oxigraph too, and copies
   * never see it.
   */
  #commit(work: () => void): void {
    const mark = this.#questions?.mark();
    this.#uncommitted = [];
    try {
      this.#file.transaction(work);
    } catch (error) {
      if (mark) this.#questions?.undo(mark);
      throw error;
    }
    this.#follow();
  }

  /** Passes committed changes to Oxigraph and to copies. */
  #follow(): void {
    this.#questions?.settle();
    if (this.#uncommitted.length > 0) this.#runner?.follow(this.#uncommitted);
  }
}

function patternOf({ subject, predicate, object }: Pattern, terms: Canonicalization): TriplePattern {
  const text = (term: Term | null | undefined): string | undefined =>
    term ? terms.text(term, "A term of the pattern") : undefined;
  if (subject) requireIri(subject, "subject");
  if (predicate) requireIri(predicate, "property");
  return { subject: text(subject), predicate: text(predicate), object: text(object) };
}

const triplesOf = (quads: Iterable<Quad>, terms: Canonicalization): Triple[] =>
  Array.from(skolemized(quads), ([subject, predicate, object]) => ({
    subject: terms.text(requireIri(subject, "subject")),
    predicate: terms.text(requireIri(predicate, "property")),
    object: terms.text(object),
  }));

const toQuad = ({ subject, predicate, object }: Triple): Quad =>
  DataFactory.quad(parseTerm(subject) as NamedNode, parseTerm(predicate) as NamedNode, parseTerm(object));

const closed = (): IoError => new IoError("The knowledge graph is closed.", { code: "store_closed" });
