import { randomUUID } from "node:crypto";
import type { NamedNode, Quad, Term } from "@rdfjs/types";
import { IoError } from "../../errors.ts";
import { requireWholeNumber, type HttpAnswer } from "../../http-client.ts";
import { withoutAbsent } from "../../json.ts";
import { HTTP_RETRY } from "../../retry-policies.ts";
import { parseNTriples, tripleToNTriples } from "../n-triples.ts";
import { DataFactory, n3 } from "../n3.ts";
import type { Bindings, Change, OntologyStore, Pattern, QueryResult, Row } from "../ontology-store.ts";
import type { QueryAnswer, QueryRequest, QueryRunner } from "../query-runner.ts";
import { skolemizedLines } from "../skolem.ts";
import * as ast from "../sparql/ast.ts";
import { JSON_RESULTS, readJsonResults } from "../sparql/json-results.ts";
import { storeIri, storeName, STORES } from "../store-name.ts";
import type { Visible } from "../visible.ts";
import { abi, rdf } from "../vocabulary.ts";
import { chunks } from "./chunks.ts";
import { assertWritten, Endpoint, unreadable, type EndpointOptions } from "./endpoint.ts";
import { changeRequests, distinctQuads, matchQueries } from "./pattern-request.ts";
import { insertData, sequence, type UpdateRequest } from "./update-request.ts";

/** Options for a store on an endpoint. */
export interface SparqlEndpointStoreOptions {
  /**
   * URL for queries, http(s). It may contain the credentials, `user:password@`, which also apply to
   * the other two URLs unless they contain their own.
   */
  url: string;
  /** URL for updates; default `url`. */
  updateUrl?: string;
  /**
   * URL for the Graph Store protocol. Large inserts go there, so the endpoint doesn't have to parse
   * large updates.
   */
  graphStoreUrl?: string;
  /** Sent as `Authorization: Bearer …`, instead of user and password. */
  token?: string;
  /** How user and password are sent; default `basic`. */
  authentication?: "basic" | "digest";
  /** Time limit for one attempt at a request, in milliseconds; default 30000. */
  timeoutMs?: number;
  /** How many times a failed request is retried; default 3. */
  retries?: number;
  /** Longer answers are refused; default 256 MB. */
  maximumAnswerBytes?: number;
}

/** Limits for one query; default: those of the store. */
interface Limits {
  signal?: AbortSignal;
  maxBytes?: number;
}

const TURTLE = "text/turtle";
const N_TRIPLES = "application/n-triples";
const TRIPLES = `${N_TRIPLES}, ${TURTLE};q=0.9`;

/**
 * The graph that lists the stores. With it, an empty store can exist, and other programs' graphs
 * are left alone.
 */
const REGISTRY = DataFactory.namedNode(STORES);

/** Prefix of the graphs for inserts in progress. */
const STAGING = "http://example.org/abi/staging";

/**
 * The knowledge graph on any SPARQL 1.1 endpoint, for any number of processes: every store is the
 * named graph `storeIri(name)`.
 *
 * Each call of `insert`, `change`, `update`, `createStore` and `deleteStore` is one update request,
 * which should be atomic according to SPARQL 1.1 Update (2.2). A large insert goes piece by piece
 * into a graph of its own, and from there into the store in one request.
 *
 * Queries, inserts, and updates that only add or remove triples given in them, are retried after
 * network errors, time-outs, 408, 425, 429 and 5xx except 501. Other updates are only retried if
 * the endpoint can't have executed them.
 *
 * Blank nodes become IRIs (`urn:uuid:…`) when they are stored. The endpoint decides how numbers and
 * dates are written when they come back.
 */
export class SparqlEndpointStore implements OntologyStore {
  readonly #queries: Endpoint;
  readonly #updates: Endpoint;
  readonly #graphs: Endpoint | undefined;
  readonly #maxBytes: number;
  #closed = false;

  /**
   * Sends no request yet.
   * @throws ValidationError for options that can't work
   */
  constructor(options: SparqlEndpointStoreOptions) {
    const { url, updateUrl = url, graphStoreUrl, maximumAnswerBytes = 256_000_000 } = options;
    requireWholeNumber("maximumAnswerBytes of the SPARQL endpoint", maximumAnswerBytes, 1);
    const endpoint = (location: string): Endpoint => new Endpoint(endpointOptions(location, options));
    this.#queries = endpoint(url);
    this.#updates = endpoint(updateUrl);
    this.#graphs = graphStoreUrl === undefined ? undefined : endpoint(graphStoreUrl);
    this.#maxBytes = maximumAnswerBytes;
  }

  /** Stopping a query closes its connection. Whether the endpoint stops as well is up to it. */
  readonly queryRunner: QueryRunner = { run: (request) => this.#run(request) };

  async createStore(store: string): Promise<void> {
    await this.#update(registration(storeIri(store)));
  }

  listStores(): Promise<string[]> {
    return this.#stores();
  }

  async #stores(limits: Limits = {}): Promise<string[]> {
    const query = `SELECT ?store FROM <${REGISTRY.value}> WHERE { ?store a <${abi.Store.value}> }`;
    const rows = await this.#select(query, limits);
    return rows.flatMap((row) => storeName(bound(row, "store").value) ?? []).toSorted();
  }

  async insert(store: string, quads: Iterable<Quad>): Promise<void> {
    const graph = DataFactory.namedNode(storeIri(store));
    const pieces = chunks(skolemizedLines(quads));
    const first = pieces.next().value ?? [];
    const second = pieces.next().value;
    if (second) return this.#insertInPieces(graph, [[first, second], pieces]);
    const writes = first.length > 0 ? [insertData(graph, first)] : [];
    await this.#update(sequence([registration(graph.value), ...writes]));
  }

  /**
   * Sends one request for every ten subjects or objects. It uses SELECT for the same reason as
   * `getGraph`.
   */
  async match(store: string, patterns: Pattern | readonly Pattern[]): Promise<Quad[]> {
    const graph = DataFactory.namedNode(storeIri(store));
    const quads: Quad[] = [];
    for (const query of matchQueries(graph, [patterns].flat())) quads.push(...(await this.#triples(query)));
    return distinctQuads(quads);
  }

  async change(store: string, { unless, remove = [], insert = [] }: Change): Promise<void> {
    const graph = DataFactory.namedNode(storeIri(store));
    const lines = [...skolemizedLines(insert)];
    const requests = changeRequests(graph, { ...withoutAbsent({ unless }), remove, lines });
    await this.#update(sequence([registration(graph.value), ...requests]));
  }

  async query(store: string, sparql: string, bindings: Bindings = {}): Promise<QueryResult> {
    const graph = DataFactory.namedNode(storeIri(store));
    const { parseQuery, toText } = await import("../sparql/parse.ts");
    const { reachesOtherStores } = await import("./plan-request.ts");
    const query = parseQuery(sparql, bindings);
    const named = reachesOtherStores(query) ? await this.#reachable(graph) : [];
    return this.#answer(query.subType, toText({ ...query, datasets: ast.dataset(graph, named) }));
  }

  async #answer(form: ast.Query["subType"], text: string, limits: Limits = {}): Promise<QueryResult> {
    if (form === "construct" || form === "describe") return readTriples(await this.#ask(text, TRIPLES, limits));
    if (form === "select") return this.#select(text, limits);
    const result = await this.#results(text, limits);
    // Virtuoso answers ASK with one row or none.
    return typeof result === "boolean" ? result : isTrue(result);
  }

  async #run(request: QueryRequest): Promise<QueryAnswer> {
    const graph = DataFactory.namedNode(storeIri(request.store));
    const { prepareQuestion, timedOut, timerMs, toAnswer } = await import("../sparql/question.ts");
    const { toText } = await import("../sparql/parse.ts");
    const { reachesOtherStores } = await import("./plan-request.ts");
    const { visible, maximumRows = Infinity, maximumBytes, timeoutMs = Infinity } = request;
    const question = prepareQuestion(request, maximumRows);
    const { query } = question;
    const deadline = timeoutMs === Infinity ? undefined : AbortSignal.timeout(timerMs(timeoutMs));
    const signal = AbortSignal.any([deadline, request.signal].filter((one) => one !== undefined));
    const limits = { signal, ...withoutAbsent({ maxBytes: maximumBytes }) };
    try {
      const named = reachesOtherStores(query) ? await this.#reachable(graph, visible, limits) : [];
      const text = toText({ ...query, datasets: ast.dataset(graph, named) });
      return toAnswer(await this.#answer(query.subType, text, limits), question, maximumRows);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw deadline?.aborted ? timedOut(timeoutMs) : error;
    }
  }

  async update(store: string, sparql: string, bindings: Bindings = {}): Promise<void> {
    const graph = DataFactory.namedNode(storeIri(store));
    const { planUpdate } = await import("../sparql/update-plan.ts");
    const { planReachesOtherStores, planRequest } = await import("./plan-request.ts");
    const plan = planUpdate(sparql, bindings);
    const named = planReachesOtherStores(plan) ? await this.#reachable(graph) : [];
    await this.#update(planRequest(registration(graph.value), plan, graph, named));
  }

  /** Uses SELECT, because Virtuoso silently truncates the answers to CONSTRUCT and the Graph Store protocol. */
  async getGraph(store: string): Promise<Quad[]> {
    return this.#triples(`SELECT ?s ?p ?o FROM <${storeIri(store)}> WHERE { ?s ?p ?o }`);
  }

  async #triples(query: string): Promise<Quad[]> {
    const rows = await this.#select(query);
    return rows.map((row) => {
      const [s, p, o] = [bound(row, "s"), bound(row, "p"), bound(row, "o")];
      if (s.termType === "Literal" || p.termType !== "NamedNode") throw unreadable(new Error("not a triple"));
      return DataFactory.quad(s as Quad["subject"], p, o as Quad["object"]);
    });
  }

  async deleteStore(store: string): Promise<void> {
    const graph = storeIri(store);
    const { subject, predicate, object } = entry(graph);
    const line = tripleToNTriples(subject, predicate, object);
    const text = `DROP SILENT GRAPH <${graph}> ;\nDELETE DATA { GRAPH <${REGISTRY.value}> { ${line} } }`;
    await this.#update({ text, repeatable: false });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /**
   * The graphs that GRAPH can reach: those of all visible stores, and `graph`. If a query names no
   * such graphs, some endpoints let GRAPH reach everything.
   */
  async #reachable(graph: NamedNode, visible?: Visible, limits: Limits = {}): Promise<NamedNode[]> {
    const all = await this.#stores({ ...withoutAbsent({ signal: limits.signal }) });
    const stores = all.filter((name) => visible === undefined || Object.hasOwn(visible, name));
    return [...new Set([graph.value, ...stores.map(storeIri)])].map((value) => DataFactory.namedNode(value));
  }

  async #insertInPieces(graph: NamedNode, pieces: readonly Iterable<readonly string[]>[]): Promise<void> {
    const staging = DataFactory.namedNode(`${STAGING}/${randomUUID()}`);
    const drop = { text: `DROP SILENT GRAPH <${staging.value}>`, repeatable: true };
    try {
      for (const part of pieces) for (const lines of part) await this.#addTo(staging, lines);
      const move = { text: `ADD SILENT GRAPH <${staging.value}> TO GRAPH <${graph.value}>`, repeatable: true };
      await this.#update(sequence([registration(graph.value), move, drop]));
    } catch (error) {
      // The caller must see the first error. A graph that can't be dropped now does no harm.
      await this.#update(drop).catch(() => {});
      throw error;
    }
  }

  async #addTo(graph: NamedNode, lines: readonly string[]): Promise<void> {
    if (!this.#graphs) return this.#update(insertData(graph, lines));
    this.#requireOpen();
    assertWritten(
      await this.#graphs.send({
        parameters: { graph: graph.value },
        body: { type: TURTLE, text: lines.join("\n") },
        // If the graph already exists, Virtuoso can only answer with an HTML page.
        headers: { accept: "*/*" },
        maxBytes: this.#maxBytes,
      }),
    );
  }

  async #update({ text, repeatable }: UpdateRequest): Promise<void> {
    this.#requireOpen();
    assertWritten(await this.#updates.send({ body: form("update", text), repeatable, maxBytes: this.#maxBytes }));
  }

  async #results(text: string, limits: Limits = {}): Promise<Row[] | boolean> {
    const answer = await this.#ask(text, JSON_RESULTS, limits);
    try {
      return readJsonResults(JSON.parse(answer.text));
    } catch (cause) {
      throw unreadable(cause);
    }
  }

  async #select(text: string, limits: Limits = {}): Promise<Row[]> {
    const rows = await this.#results(text, limits);
    if (typeof rows === "boolean") throw unreadable(new Error("a boolean in answer to SELECT"));
    return rows;
  }

  #ask(text: string, accept: string, { maxBytes = this.#maxBytes, signal }: Limits): Promise<HttpAnswer> {
    this.#requireOpen();
    return this.#queries.send({
      body: form("query", text),
      headers: { accept },
      maxBytes: Math.min(maxBytes, this.#maxBytes),
      ...withoutAbsent({ signal }),
    });
  }

  #requireOpen(): void {
    if (this.#closed) throw new IoError("The knowledge graph is closed.", { code: "store_closed" });
  }
}

function endpointOptions(location: string, options: SparqlEndpointStoreOptions): EndpointOptions {
  const { url, token, authentication = "basic", timeoutMs = 30_000, retries = HTTP_RETRY.retries } = options;
  return {
    url: withCredentials(location, url),
    authentication,
    timeoutMs,
    retries,
    ...withoutAbsent({ token }),
  };
}

/**
 * Applies the credentials of the first URL to another one, unless it has its own. An invalid URL is
 * refused where it is used.
 */
function withCredentials(location: string, first: string): string {
  if (!URL.canParse(location) || !URL.canParse(first)) return location;
  const [url, { username, password }] = [new URL(location), new URL(first)];
  if (url.username === "" && url.password === "") Object.assign(url, { username, password });
  return url.href;
}

const entry = (graph: string): Quad => DataFactory.quad(DataFactory.namedNode(graph), rdf.type, abi.Store);

function registration(graph: string): UpdateRequest {
  const { subject, predicate, object } = entry(graph);
  return insertData(REGISTRY, [tripleToNTriples(subject, predicate, object)]);
}

/**
 * The form that every endpoint accepts (SPARQL 1.1 Protocol, 2.1.2 and 2.2.1). Virtuoso accepts no
 * other form for queries with Digest, and no unescaped NUL.
 */
const form = (name: "query" | "update", text: string): { type: string; text: string } => ({
  type: "application/x-www-form-urlencoded",
  text: new URLSearchParams({ [name]: text.replaceAll("\0", String.raw`\u0000`) }).toString(),
});

/** The value of a variable that our query binds in every row. */
function bound(row: Row, variable: string): Term {
  const term = row[variable];
  if (!term) throw unreadable(new Error(`a row without ?${variable}`));
  return term;
}

const isTrue = (rows: Row[]): boolean => rows.some((row) => Object.values(row)[0]?.value === "1");

function readTriples({ headers, text }: HttpAnswer): Quad[] {
  const type = (headers.get("content-type") ?? "").toLowerCase();
  const isTurtle = type.startsWith(TURTLE);
  // An empty text means no triples, but a missing answer is empty, too.
  if (text.trim() === "" && !isTurtle && !type.startsWith(N_TRIPLES)) throw unreadable(new Error("an empty answer"));
  try {
    return isTurtle ? new (n3().Parser)({ format: TURTLE }).parse(text) : parseNTriples(text);
  } catch (cause) {
    throw unreadable(cause);
  }
}
