import type * as Oxigraph from "oxigraph";
import { UnexpectedError, ValidationError } from "../../errors.ts";
import { parseNTriples } from "../n-triples.ts";
import type { QueryResult } from "../ontology-store.ts";
import { JSON_RESULTS, readJsonResults } from "../sparql/json-results.ts";
import { toText } from "../sparql/parse.ts";
import type { Query } from "../sparql/ast.ts";

const N_TRIPLES = "application/n-triples";

/** Memory of WebAssembly is not collected in time: what is short-lived is freed by hand. Its types leave the method out. */
type Store = Oxigraph.Store & { free(): void };

/** What Oxigraph says about a query or data is the caller's to correct; what stops WebAssembly is not. */
function translate(cause: unknown, message: string): Error {
  if (cause instanceof Error && cause.name === "RuntimeError") return new UnexpectedError(cause);
  return new ValidationError(message, { code: "invalid_sparql", cause });
}

/** All stores as named graphs of one Oxigraph store in memory. Triples go in and out as N-Triples lines. */
export class GraphIndex {
  readonly #oxigraph: typeof Oxigraph;
  readonly #store: Store;

  constructor(oxigraph: typeof Oxigraph) {
    this.#oxigraph = oxigraph;
    this.#store = new oxigraph.Store() as Store;
  }

  /**
   * The lines as this index writes them, each once: numbers and dates in their canonical form, escapes as few as can be.
   * @throws ValidationError where one of them is no triple
   */
  canonical(lines: readonly string[]): string[] {
    if (lines.length === 0) return [];
    const scratch = new this.#oxigraph.Store() as Store;
    try {
      scratch.load(lines.join("\n"), { format: N_TRIPLES });
      const text = scratch.dump({ format: N_TRIPLES, from_graph_name: this.#oxigraph.defaultGraph() });
      return text.split("\n").slice(0, -1);
    } catch (cause) {
      throw translate(cause, "The graph has an IRI, language tag or literal that is not valid RDF.");
    } finally {
      scratch.free();
    }
  }

  /** @throws ValidationError where one of the lines is no triple; some may have been added by then */
  add(graph: string, lines: readonly string[]): void {
    if (lines.length === 0) return;
    try {
      this.#store.load(lines.join("\n"), { format: N_TRIPLES, to_graph_name: this.#oxigraph.namedNode(graph) });
    } catch (cause) {
      throw translate(cause, "What was read is no graph.");
    }
  }

  remove(graph: string, lines: readonly string[]): void {
    if (lines.length > 0) this.#store.update(`DELETE DATA { GRAPH <${graph}> { ${lines.join("\n")} } }`);
  }

  /** All triples of a graph, one a line. */
  dump(graph: string): string {
    return this.#store.dump({ format: N_TRIPLES, from_graph_name: this.#oxigraph.namedNode(graph) });
  }

  /** @param graphs all that GRAPH can reach */
  query(query: Query, graph: string, graphs: readonly string[]): QueryResult {
    const givesQuads = query.subType === "construct" || query.subType === "describe";
    const text = this.#run(toText(query), graph, graphs, givesQuads ? N_TRIPLES : JSON_RESULTS);
    if (givesQuads) return parseNTriples(text);
    return readJsonResults(JSON.parse(text));
  }

  #run(text: string, graph: string, graphs: readonly string[], format: string): string {
    try {
      return this.#store.query(text, {
        results_format: format,
        default_graph: this.#oxigraph.namedNode(graph),
        named_graphs: graphs.map((name) => this.#oxigraph.namedNode(name)),
      }) as string;
    } catch (cause) {
      throw translate(cause, "The SPARQL query can't be answered. Check its syntax and the functions it uses.");
    }
  }

  close(): void {
    this.#store.free();
  }
}
