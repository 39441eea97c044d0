import { createRequire } from "node:module";
import { DataFactory } from "../n3.ts";
import type * as Oxigraph from "oxigraph";
import { ValidationError } from "../../errors.ts";
import { parseNTriples, termToNTriples } from "../n-triples.ts";
import { JSON_RESULTS } from "../sparql/json-results.ts";

const N_TRIPLES = "application/n-triples";

/** The part of the index to query, and the form of the answer. */
export interface AnswerOptions {
  readonly graph: string;
  readonly graphs: readonly string[];
  readonly givesQuads: boolean;
}

/**
 * WebAssembly's memory is not garbage-collected in time, so short-lived objects are freed
 * explicitly. Oxigraph's types don't declare the method.
 */
type Store = Oxigraph.Store & { free(): void };

/**
 * Oxigraph in its own WebAssembly instance: once an instance has trapped, it can't even create a
 * new store, and its memory never shrinks.
 */
function newInstance(): typeof Oxigraph {
  const require = createRequire(import.meta.url);
  const path = require.resolve("oxigraph");
  const shared = require.cache[path];
  delete require.cache[path];
  try {
    return require(path) as typeof Oxigraph;
  } finally {
    delete require.cache[path];
    if (shared) require.cache[path] = shared;
  }
}

/**
 * Oxigraph's own errors, about a query or data, are plain ones without a code. All others come from
 * WebAssembly.
 */
const isTrap = (error: unknown): boolean =>
  !(error instanceof Error) || !["Error", "SyntaxError"].includes(error.name) || "code" in error;

/**
 * One Oxigraph store in memory, with a named graph for each of our stores. Takes N-Triples.
 *
 * If a call exceeds WebAssembly's stack or memory, the index is `broken` from then on and can only
 * be closed.
 */
export class GraphIndex {
  readonly #oxigraph: typeof Oxigraph;
  readonly #store: Store;
  #broken = false;

  constructor() {
    this.#oxigraph = newInstance();
    this.#store = new this.#oxigraph.Store() as Store;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Terms as N-Triples in the form in which this index returns them: numbers and dates are
   * canonical.
   * @throws ValidationError if one of them is not a valid term
   */
  canonical(terms: readonly string[]): string[] {
    const lines = terms.map((term, index) => `<urn:term:${index}> <urn:is> ${term} .`);
    const text = this.#call("The graph has an IRI, language tag or literal that is not valid RDF.", () => {
      const scratch = new this.#oxigraph.Store() as Store;
      try {
        scratch.load(lines.join("\n"), { format: N_TRIPLES });
        return scratch.dump({ format: N_TRIPLES, from_graph_name: DataFactory.defaultGraph() as never });
      } finally {
        free(scratch);
      }
    });
    const forms = new Map(parseNTriples(text).map(({ subject, object }) => [subject.value, termToNTriples(object)]));
    return terms.map((term, index) => forms.get(`urn:term:${index}`) ?? term);
  }

  /** Adds triples, given as N-Triples, that were validated before. */
  add(graph: string, text: string): void {
    const options = { format: N_TRIPLES, to_graph_name: graphName(graph), lenient: true, no_transaction: true };
    this.#call("The data is not a valid graph.", () => this.#store.load(text, options));
  }

  remove(graph: string, text: string): void {
    this.#call("The data is not a valid graph.", () =>
      this.#store.update(`DELETE DATA { GRAPH <${graph}> { ${text} } }`),
    );
  }

  clear(graph: string): void {
    this.#call("The data is not a valid graph.", () => this.#store.update(`DROP SILENT GRAPH <${graph}>`));
  }

  /**
   * The answer to a query, as SPARQL JSON results or as N-Triples.
   * @param graph the graph to query
   * @param graphs all graphs that GRAPH can reach
   */
  answer(text: string, { graph, graphs, givesQuads }: AnswerOptions): string {
    const options = {
      results_format: givesQuads ? N_TRIPLES : JSON_RESULTS,
      default_graph: graphName(graph),
      named_graphs: graphs.map(graphName),
    };
    const answer = this.#call(
      "The SPARQL query can't be answered. Check its syntax and the functions it uses.",
      () => this.#store.query(text, options) as string,
    );
    if (answer.length > MAX_ANSWER_LENGTH) throw tooLarge();
    return answer;
  }

  #call<Result>(message: string, work: () => Result): Result {
    try {
      return work();
    } catch (cause) {
      if (!isTrap(cause)) throw new ValidationError(message, { code: "invalid_sparql", cause });
      this.#broken = true;
      throw tooLarge(cause);
    }
  }

  close(): void {
    free(this.#store);
  }
}

/** In characters. A longer answer could exhaust JavaScript's memory. */
const MAX_ANSWER_LENGTH = 256_000_000;

export const tooLarge = (cause?: unknown): ValidationError =>
  new ValidationError(
    "A filter, list or result is too large, or the nesting too deep, for the embedded knowledge graph. Nothing was changed. " +
      "Ask for less at a time (LIMIT, a narrower pattern), put long lists of values into VALUES, or use a SPARQL endpoint (ONTOLOGY_URL).",
    { code: "query_too_large", cause },
  );

/**
 * A plain RDF/JS term instead of one of the instance's objects. The garbage collector would free
 * such an object, which crashes the process if the instance has trapped.
 */
const graphName = (iri: string): Oxigraph.NamedNode => DataFactory.namedNode(iri) as never;

/**
 * Frees a store. A trapped instance refuses to; the store's memory is then released with the
 * instance. Either way, the garbage collector leaves the store alone from then on.
 */
function free(store: Store): void {
  try {
    store.free();
  } catch {}
}
