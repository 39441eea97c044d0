/** A SPARQL 1.1 endpoint on loopback: query, update and Graph Store protocol over Oxigraph, with authentication and faults on demand. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import * as oxigraph from "oxigraph";
import { onTestFinished } from "vitest";

/** The credentials that requests need. */
export type Access =
  | { scheme: "basic"; user: string; password: string }
  | { scheme: "bearer"; token: string }
  | { scheme: "digest"; user: string; password: string; algorithm: "MD5" | "SHA-256"; usesPerNonce?: number };

/** What goes wrong with one request: an error status; or a dropped connection or silence, before or after the work. */
export type Fault = number | "drop" | "drop-after" | "hang-before" | "hang";

interface SeenOperation {
  kind: "query" | "update" | "graph-store";
  method: string;
  /** The SPARQL, or the body. */
  text: string;
  authorization: string | undefined;
}

export interface SparqlEndpoint {
  /** `http://127.0.0.1:<port>`; under it `/sparql` and `/graphs`. */
  origin: string;
  /** Requests that were let in and executed, in order. */
  seen: SeenOperation[];
  /** The `Authorization` headers of requests that were turned away, in order. */
  turnedAway: (string | undefined)[];
  /** The next requests that are let in fail like this; null lets one succeed. */
  failNext(...faults: (Fault | null)[]): void;
  /** The next request is let in, but neither executed nor answered. */
  hangNext(): void;
  /** From now on, every request fails like this the first time it arrives; timestamps in it are ignored. */
  failFirst(fault: Fault): void;
  /** How many quads all graphs together hold. */
  size(): number;
  /** The names of all graphs that are not empty. */
  graphs(): string[];
  /** Drops every connection and accepts no more, like a stopped server. It keeps its data. */
  stop(): Promise<void>;
  /** Accepts connections again, on the same port. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const N_TRIPLES = "application/n-triples";
const JSON_RESULTS = "application/sparql-results+json";

const answer = (response: ServerResponse, status: number, type?: string, body?: string): void => {
  response.writeHead(status, type === undefined ? {} : { "content-type": type }).end(body);
};

/**
 * The endpoint is closed when the test ends. In a hook, where no test is running, pass `closeWithTest: false`, and close
 * it yourself.
 */
export async function startSparqlEndpoint(
  options: { access?: Access; closeWithTest?: boolean } = {},
): Promise<SparqlEndpoint> {
  const store = new oxigraph.Store();
  const faults: (Fault | null)[] = [];
  const guard = options.access ? guards[options.access.scheme](options.access as never) : undefined;

  let faultOfFirst: Fault | undefined;
  const known = new Set<string>();
  const faultIfNew = (body: string): Fault | undefined => {
    const request = decodeURIComponent(body).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "");
    const isNew = known.size < known.add(request).size;
    return isNew ? faultOfFirst : undefined;
  };

  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(incoming);
    const refusal = guard?.(incoming);
    if (refusal !== undefined) {
      endpoint.turnedAway.push(incoming.headers.authorization);
      response.writeHead(401, { "www-authenticate": refusal }).end();
      return;
    }
    const url = new URL(incoming.url ?? "/", endpoint.origin);
    const fault = faults.shift() ?? faultIfNew(body);
    if (fault === "hang-before") return;
    if (fault === "drop") return void response.destroy();
    if (typeof fault === "number") return answer(response, fault, "text/plain", "secret details");
    const work = operation(incoming, url, body);
    endpoint.seen.push({ ...work, method: incoming.method ?? "", authorization: incoming.headers.authorization });
    const [status, type, content] = perform(store, work.kind, work.text, incoming, url);
    if (fault === "drop-after") return void response.destroy();
    if (fault === "hang") return;
    answer(response, status, type, content);
  };

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => answer(response, 400, "text/plain", String(error)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await once(server.close(), "close");
  };
  const endpoint: SparqlEndpoint = {
    origin: `http://127.0.0.1:${port}`,
    seen: [],
    turnedAway: [],
    failNext: (...next) => void faults.push(...next),
    hangNext: () => void faults.push("hang-before"),
    failFirst: (fault) => void (faultOfFirst = fault),
    size: () => store.size,
    graphs: () => [...new Set(store.match().map((quad) => quad.graph.value))].toSorted(),
    stop,
    start: async () => void (await once(server.listen(port, "127.0.0.1"), "listening")),
    close: stop,
  };
  if (options.closeWithTest !== false) onTestFinished(() => endpoint.close());
  return endpoint;
}

function operation(incoming: IncomingMessage, url: URL, body: string): Pick<SeenOperation, "kind" | "text"> {
  if (url.pathname === "/graphs") return { kind: "graph-store", text: body };
  if (url.pathname !== "/sparql") throw new Error("no such place");
  const type = incoming.headers["content-type"] ?? "";
  if (type === "application/sparql-query") return { kind: "query", text: body };
  if (type === "application/sparql-update") return { kind: "update", text: body };
  const parameters = incoming.method === "GET" ? url.searchParams : new URLSearchParams(body);
  const update = incoming.method === "GET" ? null : parameters.get("update");
  return update === null ? { kind: "query", text: parameters.get("query") ?? "" } : { kind: "update", text: update };
}

type Content = [status: number, type?: string, body?: string];

function perform(
  store: oxigraph.Store,
  kind: SeenOperation["kind"],
  sparql: string,
  incoming: IncomingMessage,
  url: URL,
): Content {
  if (kind === "update") {
    store.update(sparql);
    return [204];
  }
  if (kind === "graph-store") return graphStore(store, sparql, incoming, url);
  const givesTriples = (incoming.headers.accept ?? "").includes(N_TRIPLES);
  const format = givesTriples ? N_TRIPLES : JSON_RESULTS;
  return [200, format, store.query(sparql, { results_format: format }) as string];
}

/** SPARQL 1.1 Graph Store HTTP Protocol with indirect identification. */
function graphStore(store: oxigraph.Store, body: string, incoming: IncomingMessage, url: URL): Content {
  const graph = oxigraph.namedNode(url.searchParams.get("graph") ?? "");
  const size = store.match(null, null, null, graph).length;
  switch (incoming.method ?? "") {
    case "GET":
      return size === 0 ? [404] : [200, N_TRIPLES, store.dump({ format: N_TRIPLES, from_graph_name: graph })];
    case "PUT":
    case "DELETE":
      store.update(`DROP SILENT GRAPH <${graph.value}>`);
      if (incoming.method === "DELETE") return [size === 0 ? 404 : 204];
      break;
    case "POST":
      break;
    default:
      return [405];
  }
  store.load(body, { format: incoming.headers["content-type"] ?? "", to_graph_name: graph });
  return [size === 0 ? 201 : 204];
}

/** Returns the challenge for an unauthorized request; undefined for an authorized one. */
type Guard = (incoming: IncomingMessage) => string | undefined;

const guards = {
  basic: ({ user, password }: Extract<Access, { scheme: "basic" }>): Guard => {
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    return ({ headers }) => (headers.authorization === expected ? undefined : 'Basic realm="test", charset="UTF-8"');
  },
  bearer:
    ({ token }: Extract<Access, { scheme: "bearer" }>): Guard =>
    ({ headers }) =>
      headers.authorization === `Bearer ${token}` ? undefined : 'Bearer realm="test"',
  digest: (access: Extract<Access, { scheme: "digest" }>): Guard => digestGuard(access),
};

/** Checks every part of RFC 7616 that a server can check: nonce, rising count, uri, response. */
function digestGuard({
  user,
  password,
  algorithm,
  usesPerNonce = Infinity,
}: Extract<Access, { scheme: "digest" }>): Guard {
  const counts = new Map<string, number>();
  const hash = (value: string): string =>
    createHash(algorithm === "MD5" ? "md5" : "sha256")
      .update(value)
      .digest("hex");
  const challenge = (stale: boolean): string => {
    const nonce = randomBytes(8).toString("base64");
    counts.set(nonce, 0);
    return `Negotiate, Digest realm="te\\"st", qop="auth, auth-int", algorithm=${algorithm}, nonce="${nonce}", opaque="op,aque=", stale=${stale}`;
  };
  return ({ headers, method, url }) => {
    const fields = Object.fromEntries(
      [...(headers.authorization ?? "").matchAll(/(\w+)=(?:"((?:\\.|[^"\\])*)"|([^\s,]+))/g)].map(
        ([, name, quoted, bare]) => [name, bare ?? quoted?.replaceAll(/\\(.)/g, "$1")],
      ),
    );
    const { nonce = "", nc = "", cnonce, uri, response, username, realm, opaque, qop } = fields;
    const last = counts.get(nonce);
    const count = Number.parseInt(nc, 16);
    if (last === undefined || count <= last || count > usesPerNonce) return challenge(last !== undefined);
    const expected = hash(
      [hash(`${user}:te"st:${password}`), nonce, nc, cnonce, "auth", hash(`${method}:${url}`)].join(":"),
    );
    const right =
      response === expected && username === user && realm === 'te"st' && opaque === "op,aque=" && qop === "auth";
    if (!right || uri !== url) return challenge(false);
    counts.set(nonce, count);
    return undefined;
  };
}
