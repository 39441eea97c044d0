import { describe, expect, it } from "vitest";
import { ABIGraph } from "../../../src/ontology/abi-graph.ts";
import { select } from "../../../src/ontology/queries.ts";
import {
  SparqlEndpointStore,
  type SparqlEndpointStoreOptions,
} from "../../../src/ontology/sparql-endpoint/sparql-endpoint-store.ts";
import { storeIri, STORES } from "../../../src/ontology/store-name.ts";
import { serve } from "../../support/http.ts";
import { startSparqlEndpoint, type Access, type SparqlEndpoint } from "../../support/sparql-endpoint.ts";
import { literal, namedNode, quad } from "../../support/terms.ts";

const PASSWORD = "p:w@/ü";

const open = (
  { origin }: Pick<SparqlEndpoint, "origin">,
  { user, ...options }: Partial<SparqlEndpointStoreOptions> & { user?: string } = {},
): SparqlEndpointStore => {
  const url = new URL("/sparql", origin);
  if (user !== undefined) Object.assign(url, { username: user, password: encodeURIComponent(PASSWORD) });
  return new SparqlEndpointStore({ url: url.href, timeoutMs: 60_000, retries: 1, ...options });
};

const fact = (text: string) => [quad(namedNode("urn:s"), namedNode("urn:p"), literal(text))];
const many = (count: number) => Array.from({ length: count }, (_, index) => fact(`${index}`)).flat();

const LITERAL = { type: "literal", value: "x" };

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail("it went well"),
    (error: Error) => error,
  );

describe("authentication", () => {
  const user = "jo";
  const digest = { scheme: "digest", user, password: PASSWORD } as const;

  it.each<[string, Access, Partial<SparqlEndpointStoreOptions>]>([
    ["Basic", { scheme: "basic", user, password: PASSWORD }, {}],
    ["Digest with MD5", { ...digest, algorithm: "MD5" }, { authentication: "digest" }],
    ["Digest with SHA-256", { ...digest, algorithm: "SHA-256" }, { authentication: "digest" }],
    [
      "Digest with a nonce for two requests",
      { ...digest, algorithm: "MD5", usesPerNonce: 2 },
      { authentication: "digest" },
    ],
  ])("works with %s at all URLs", async (_, access, options) => {
    const endpoint = await startSparqlEndpoint({ access });
    const updateUrl = `${endpoint.origin}/sparql?for=updates`;
    const graphStoreUrl = `${endpoint.origin}/graphs`;
    const store = open(endpoint, { user, updateUrl, graphStoreUrl, ...options });
    await store.insert("data", many(2500));
    await store.insert("data", fact("x"));
    await store.update("data", "DELETE WHERE { ?s ?p 'x' }");
    expect(await store.getGraph("data")).toHaveLength(2500);
    expect(new Set(endpoint.seen.map(({ kind }) => kind))).toEqual(new Set(["query", "update", "graph-store"]));
  });

  it("works with a bearer token", async () => {
    const endpoint = await startSparqlEndpoint({ access: { scheme: "bearer", token: "t0ken" } });
    const store = open(endpoint, { token: "t0ken" });
    await store.insert("data", fact("x"));
    expect(await store.getGraph("data")).toHaveLength(1);
  });

  it("requests a Digest challenge once and reuses it, without ever sending the password", async () => {
    const endpoint = await startSparqlEndpoint({ access: { ...digest, algorithm: "SHA-256" } });
    const store = open(endpoint, { user, authentication: "digest" });
    for (let round = 0; round < 5; round += 1) await store.listStores();
    expect(endpoint.turnedAway).toEqual([undefined]);
    expect(endpoint.seen.every(({ authorization }) => authorization?.startsWith("Digest "))).toBe(true);
  });

  it.each<[string, Access, Partial<SparqlEndpointStoreOptions> & { user?: string }]>([
    ["no credentials", { scheme: "basic", user, password: PASSWORD }, {}],
    ["a wrong user", { scheme: "basic", user: "jim", password: PASSWORD }, { user }],
    ["a wrong Digest user", { ...digest, user: "jim", algorithm: "MD5" }, { user, authentication: "digest" }],
    ["Basic where Digest is wanted", { ...digest, algorithm: "MD5" }, { user }],
    ["a wrong token", { scheme: "bearer", token: "t0ken" }, { token: "other-secret" }],
  ])("fails with %s, with an error that reveals no secret", async (_, access, options) => {
    const endpoint = await startSparqlEndpoint({ access });
    const error = await failure(open(endpoint, options).listStores());
    expect(error).toMatchObject({ type: "unexpected_error", code: "access_denied" });
    expect(JSON.stringify([error.message, error.cause])).not.toMatch(/p:w|p%3Aw|secret|127/);
    expect(endpoint.turnedAway.length).toBeLessThanOrEqual(2);
  });

  it("is refused at once if it can't work, with an error that does not quote it", () => {
    for (const options of [
      { url: "http://h/sparql", authentication: "digest" as const },
      { url: "http://jo:%E0%A4%A@h/sparql", authentication: "digest" as const },
      { url: "http://jo:%E0%A4%A@h/sparql" },
      { url: "http://h/sparql", token: "t0p\nsecret" },
      { url: "ftp://jo:secret@h/sparql" },
      { url: "http://h/sparql", updateUrl: "secret" },
      { url: "http://h/sparql", authentication: "kerberos" as never },
      { url: "http://h/sparql", token: "" },
      { url: "http://h/sparql", maximumAnswerBytes: -1 },
    ]) {
      expect(() => new SparqlEndpointStore(options)).toThrow(
        expect.objectContaining({ code: "invalid_configuration", message: expect.not.stringMatching(/secret|%E0/) }),
      );
    }
  });
});

describe("faults", () => {
  it.each([429, 503, "drop", "drop-after"] as const)("are not visible to a query after %s", async (fault) => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    await store.insert("data", fact("x"));
    endpoint.failNext(fault);
    expect(await store.getGraph("data")).toHaveLength(1);
  });

  it.each([429, 503, "drop", "drop-after"] as const)("are not visible to an insert after %s", async (fault) => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    endpoint.failNext(fault);
    await store.insert("data", fact("x"));
    expect(await store.getGraph("data")).toHaveLength(1);
  });

  const COUNT = "DELETE { ?s <urn:p> ?o } INSERT { ?s <urn:p> ?n } WHERE { ?s <urn:p> ?o BIND(?o + 1 AS ?n) }";

  it.each([503, "drop", "drop-after"] as const)(
    "leave it to the caller to repeat an update after %s if it must not happen twice",
    async (fault) => {
      const endpoint = await startSparqlEndpoint();
      const store = open(endpoint, { retries: 3 });
      await store.update("data", "INSERT DATA { <urn:s> <urn:p> 1 }");
      endpoint.failNext(fault);
      expect(await failure(store.update("data", COUNT))).toMatchObject({ type: "io_error", retriable: true });
      const [row] = await select(store, "data", "SELECT ?o { ?s ?p ?o }");
      expect(row?.["o"]?.value).toBe(fault === "drop-after" ? "2" : "1");
    },
  );

  it.each([503, "drop", "drop-after"] as const)(
    "leave it to the caller to drop a store again after %s",
    async (fault) => {
      const endpoint = await startSparqlEndpoint();
      const store = open(endpoint, { retries: 3 });
      await store.insert("data", fact("x"));
      endpoint.failNext(fault);
      expect(await failure(store.deleteStore("data"))).toMatchObject({ type: "io_error" });
      expect(await store.listStores()).toEqual(fault === "drop-after" ? [] : ["data"]);
    },
  );

  it("are not visible to any update after 429, which means that nothing was executed", async () => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    await store.update("data", "INSERT DATA { <urn:s> <urn:p> 1 }");
    endpoint.failNext(429);
    await store.update("data", COUNT);
    const [row] = await select(store, "data", "SELECT ?o { ?s ?p ?o }");
    expect(row?.["o"]?.value).toBe("2");
  });

  it("become an error for people if they persist, without anything from the endpoint's answer", async () => {
    const endpoint = await startSparqlEndpoint();
    endpoint.failNext(503, 500);
    const error = await failure(open(endpoint).listStores());
    expect(error).toMatchObject({ type: "io_error" });
    expect(error.message).toBe("The SPARQL endpoint is not available at the moment (HTTP 500).");
  });

  it("end at the time-out if the endpoint stays silent", async () => {
    const endpoint = await startSparqlEndpoint();
    endpoint.failNext("hang");
    const store = open(endpoint, { timeoutMs: 100, retries: 0 });
    expect(await failure(store.listStores())).toMatchObject({ type: "io_error", code: "timeout" });
  });

  it("are retriable if there is no endpoint", async () => {
    const endpoint = await startSparqlEndpoint();
    await endpoint.close();
    const error = await failure(open(endpoint, { retries: 0 }).listStores());
    expect(error).toMatchObject({ type: "io_error" });
    expect(error.message).not.toContain("127.0.0.1");
  });

  it.each([
    ["a page", { headers: { "content-type": "text/html" }, body: "<html>sign in</html>" }, "unreadable_answer"],
    ["other JSON", { json: { hello: "world" } }, "unreadable_answer"],
    ["an unknown kind of term", { json: { results: { bindings: [{ s: { type: "triple" } }] } } }, "unreadable_answer"],
    ["a boolean", { json: { boolean: true } }, "unreadable_answer"],
    ["a row without a subject", { json: { results: { bindings: [{}] } } }, "unreadable_answer"],
    [
      "a row that is no triple",
      { json: { results: { bindings: [{ s: LITERAL, p: LITERAL, o: LITERAL }] } } },
      "unreadable_answer",
    ],
    ["nothing", { status: 204 }, "unreadable_answer"],
    ["HTTP 404", { status: 404 }, "invalid_configuration"],
    ["HTTP 501", { status: 501 }, "invalid_configuration"],
    ["HTTP 400", { status: 400, body: "secret" }, "invalid_sparql"],
    ["HTTP 422", { status: 422 }, "invalid_sparql"],
    ["HTTP 403", { status: 403 }, "access_denied"],
    ["HTTP 413", { status: 413 }, "request_too_large"],
    [
      "half an answer",
      { headers: { "x-sparql-maxrows": "100" }, json: { results: { bindings: [] } } },
      "answer_cut_off",
    ],
    ["more than it may", { body: " ".repeat(2000) }, "answer_too_long"],
  ])("are distinguished: %s", async (_, reply, code) => {
    const server = await serve(reply);
    const error = await failure(open(server, { maximumAnswerBytes: 1000 }).getGraph("data"));
    expect(error).toMatchObject({ code });
    expect(error.message).not.toContain("secret");
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["SELECT ?x { ?x ?y ?z }", { json: { boolean: true } }],
    ["CONSTRUCT WHERE { ?x ?y ?z }", { status: 204 }],
    ["CONSTRUCT WHERE { ?x ?y ?z }", { status: 200 }],
    ["CONSTRUCT WHERE { ?x ?y ?z }", { headers: { "content-type": "text/html" }, body: "<html></html>" }],
  ])("are distinguished from an empty answer: %s, %o", async (query, reply) => {
    const error = await failure(open(await serve(reply)).query("data", query));
    expect(error).toMatchObject({ type: "io_error", code: "unreadable_answer" });
  });

  it("are distinguished from an empty list of stores", async () => {
    for (const json of [{ boolean: true }, { results: { bindings: [{}] } }])
      expect(await failure(open(await serve({ json })).listStores())).toMatchObject({ code: "unreadable_answer" });
  });

  it.each(["application/n-triples; charset=UTF-8", "text/turtle"])(
    "do not include an empty answer as %s, which means no triples",
    async (type) => {
      const store = open(await serve({ headers: { "content-type": type } }));
      expect(await store.query("data", "CONSTRUCT WHERE { ?s ?p ?o }")).toEqual([]);
    },
  );

  it.each([401, 403, 404, 405, 501])(
    "that the operator must fix are explained in the log, not to callers: HTTP %i",
    async (status) => {
      const error = await failure(open(await serve({ status })).getGraph("data"));
      expect(error).toMatchObject({ type: "unexpected_error", retriable: false });
      expect(error.message).toBe(
        "The SPARQL endpoint can't be used with the current settings. The log says what to correct.",
      );
      expect((error.cause as Error).message).toMatch(/^The SPARQL endpoint .* Check /);
    },
  );

  /**
   * Seen on Virtuoso 7: it aborts one of several writers that wait for each other, and answers with
   * HTTP 200.
   */
  const deadlock = { headers: { "x-sql-state": "00000", "x-sql-message": "SR172: Transaction deadlocked" }, json: {} };

  it("reported with HTTP 200 are not visible to queries and inserts", async () => {
    const results = { results: { bindings: [] } };
    const store = open(await serve(deadlock, { json: results }, deadlock, { status: 204 }));
    expect(await store.getGraph("data")).toEqual([]);
    await store.insert("data", fact("x"));
  });

  it("reported with HTTP 200 are passed on for an update that must not happen twice", async () => {
    const server = await serve(deadlock);
    expect(await failure(open(server).update("data", COUNT))).toMatchObject({ type: "io_error", code: "broken_off" });
    expect(server.requests).toHaveLength(1);
  });

  it("say that the store is closed", async () => {
    const store = open(await startSparqlEndpoint());
    await store.close();
    for (const call of [store.listStores(), store.insert("data", fact("x")), store.query("data", "ASK {}")])
      expect(await failure(call)).toMatchObject({ code: "store_closed" });
  });
});

describe("writes", () => {
  const SIGN_IN = "<!DOCTYPE html>\n<html><body><form>Sign in. Your update succeeded? COMMIT!</form></body></html>";
  const page = (body: string, type = "text/html; charset=utf-8") => ({ headers: { "content-type": type }, body });

  it.each<[string, (store: SparqlEndpointStore) => Promise<unknown>]>([
    ["insert", (store) => store.insert("data", fact("x"))],
    ["large insert", (store) => store.insert("data", many(2500))],
    ["update", (store) => store.update("data", "DELETE WHERE { ?s ?p ?o }")],
    ["createStore", (store) => store.createStore("data")],
    ["deleteStore", (store) => store.deleteStore("data")],
  ])("fail if a proxy answers with its own page: %s", async (_, write) => {
    for (const reply of [
      page(SIGN_IN),
      page(SIGN_IN, "text/plain"),
      page("Sign in"),
      page("<b/>", "application/xhtml+xml"),
    ])
      expect(await failure(write(open(await serve(reply))))).toMatchObject({
        type: "io_error",
        code: "unreadable_answer",
      });
  });

  it("fail if a proxy keeps them from the Graph Store", async () => {
    const [{ origin }, proxy] = [await startSparqlEndpoint(), await serve(page(SIGN_IN))];
    const store = open({ origin }, { graphStoreUrl: `${proxy.origin}/graphs` });
    expect(await failure(store.insert("data", many(2500)))).toMatchObject({ code: "unreadable_answer" });
    expect(await store.listStores()).toEqual([]);
  });

  it.each([
    ["Oxigraph, GraphDB and RDF4J", { status: 204 }],
    ["Virtuoso", { json: { results: { bindings: [{ "callret-0": { type: "literal", value: "<html> -- done" } }] } } }],
    ["Virtuoso's Graph Store", { ...page(""), status: 201 }],
    ["Fuseki", { json: { statusCode: 200, message: "Update succeeded" } }],
    ["Fuseki before 4.5", page("<html>\n<body>\n<h1>Success</h1>\n<p>\nUpdate succeeded\n</p>\n</body>\n</html>\n")],
    [
      "Blazegraph",
      page(
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN"><html><body><p>totalElapsed=8ms</p>' +
          "<hr><p>COMMIT: totalElapsed=157ms, commitTime=1651761749071, mutationCount=1</p></html>",
      ),
    ],
  ])("succeed when %s confirms them", async (_, reply) => {
    const { origin, requests } = await serve(reply);
    await open({ origin }, { graphStoreUrl: `${origin}/graphs` }).insert("data", many(1500));
    expect(requests.map(({ headers }) => headers.accept)).toEqual(["*/*", "*/*", "application/json"]);
  });
});

describe("large inserts", () => {
  const updates = ({ seen }: SparqlEndpoint): string[] =>
    seen.filter(({ kind }) => kind === "update").map(({ text }) => text);

  it("are sent in one request if they fit into one", async () => {
    const endpoint = await startSparqlEndpoint();
    await open(endpoint).insert("data", many(1000));
    expect(updates(endpoint)).toHaveLength(1);
  });

  it.each([
    ["triples", many(2500), 2500],
    ["text", [...fact("x".repeat(900_000)), ...fact("y".repeat(900_000)), ...fact("z".repeat(900_000))], 3],
  ])("are sent in pieces if there is too much %s, and leave nothing else behind", async (_, quads, size) => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    await store.insert("data", quads);
    expect(updates(endpoint)).toHaveLength(4);
    expect(await store.getGraph("data")).toHaveLength(size);
    expect(endpoint.graphs()).toEqual([STORES, storeIri("data")]);
  });

  it("stay invisible when a piece fails, and clean up", async () => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint, { retries: 0 });
    await store.insert("data", fact("before"));
    endpoint.failNext(null, 503);
    expect(await failure(store.insert("data", many(3000)))).toMatchObject({ type: "io_error" });
    expect(await store.getGraph("data")).toHaveLength(1);
    expect(endpoint.graphs()).toEqual([STORES, storeIri("data")]);
  });

  it("succeed even if the answer to the last request is lost", async () => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    endpoint.failNext(null, null, null, "drop-after");
    await store.insert("data", many(2500));
    expect(await store.getGraph("data")).toHaveLength(2500);
  });

  it("use the Graph Store protocol if there is one", async () => {
    const endpoint = await startSparqlEndpoint();
    await open(endpoint, { graphStoreUrl: `${endpoint.origin}/graphs` }).insert("data", many(2500));
    expect(endpoint.seen.map(({ kind }) => kind)).toEqual(["graph-store", "graph-store", "graph-store", "update"]);
    expect(endpoint.size()).toBe(2501);
  });
});

describe("two stores on one endpoint", () => {
  it("see each other's changes at once", async () => {
    const endpoint = await startSparqlEndpoint();
    const [here, there] = [open(endpoint), open(endpoint)];
    const graph = new ABIGraph();
    graph.createEntity("Customer", { id: "C-1", name: "Ada" });
    await here.insert("customers", graph);
    expect(await there.listStores()).toEqual(["customers"]);
    await there.update("customers", "DELETE { ?s ?p 'Ada' } INSERT { ?s ?p 'Grace' } WHERE { ?s ?p 'Ada' }");
    const names = await select(here, "customers", "SELECT ?name { ?s <http://example.org/abi#name> ?name }");
    expect(names.map(({ name }) => name?.value)).toEqual(["Grace"]);
    await here.deleteStore("customers");
    expect(await there.getGraph("customers")).toEqual([]);
    expect(endpoint.size()).toBe(0);
  });
});

describe("other programs' graphs on the endpoint", () => {
  it("can't be reached by queries and updates, and are left alone", async () => {
    const endpoint = await startSparqlEndpoint();
    const foreign = namedNode("http://example.net/private");
    const put = await fetch(`${endpoint.origin}/graphs?graph=${encodeURIComponent(foreign.value)}`, {
      method: "PUT",
      headers: { "content-type": "text/turtle" },
      body: "<urn:s> <urn:p> 'private' .",
    });
    expect(put.status).toBe(201);
    const store = open(endpoint);
    await store.insert("data", fact("mine"));
    expect(await store.query("data", "SELECT * { ?s ?p 'private' }")).toEqual([]);
    expect(await store.query("data", "SELECT ?g { GRAPH ?g { ?s ?p ?o } }")).toHaveLength(1);
    expect(await store.query("data", "ASK { GRAPH ?g { ?s ?p 'private' } }", { g: foreign })).toBe(false);
    await store.update("data", "INSERT { ?s <urn:copied> ?o } WHERE { GRAPH ?g { ?s ?p ?o } }");
    expect(await store.query("data", "ASK { ?s <urn:copied> 'private' }")).toBe(false);
    expect(await store.query("data", "ASK { ?s <urn:copied> 'mine' }")).toBe(true);
    await store.update("data", "DROP ALL");
    expect(await store.listStores()).toEqual(["data"]);
    expect(endpoint.graphs()).toContain(foreign.value);
  });
});

describe("a query with GRAPH", () => {
  it("names its dataset even before any store exists, because some endpoints would let it reach everything", async () => {
    const endpoint = await startSparqlEndpoint();
    expect(await open(endpoint).query("data", "SELECT * { GRAPH ?g { ?s ?p ?o } }")).toEqual([]);
    expect(endpoint.seen.at(-1)?.text).toMatch(new RegExp(`FROM NAMED\\s+<${storeIri("data")}>`));
  });
});

describe("a NUL", () => {
  it("is sent escaped, because some endpoints end the request at it", async () => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    const text = "a\0b";
    await store.insert("data", fact(text));
    await store.update("data", "INSERT { <urn:t> <urn:p> ?text } WHERE {}", { text });
    expect(await store.query("data", "ASK { <urn:t> <urn:p> ?text . <urn:s> <urn:p> ?text }", { text })).toBe(true);
    for (const { text: sent } of endpoint.seen) expect(sent).not.toContain("\0");
  });
});

describe("bound strings", () => {
  it("are sent in their short form, because the long one is another term for some endpoints", async () => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    await store.update("data", "INSERT { <urn:s> <urn:p> ?text } WHERE {}", { text: "x" });
    expect(await store.query("data", "ASK { ?s ?p ?text }", { text: "x" })).toBe(true);
    for (const { text } of endpoint.seen) expect(text).not.toContain("XMLSchema#string");
  });
});

describe("updates", () => {
  const after = async (sparql: string): Promise<{ store: SparqlEndpointStore; endpoint: SparqlEndpoint }> => {
    const endpoint = await startSparqlEndpoint();
    const store = open(endpoint);
    await store.update("data", sparql);
    return { store, endpoint };
  };

  it("are one request each, however many operations they have", async () => {
    const { endpoint } = await after(
      "PREFIX a: <urn:a:> INSERT DATA { a:s a:p 1 } ; PREFIX b: <urn:b:> DELETE { ?s a:p ?o } INSERT { ?s b:p ?o } WHERE { ?s a:p ?o }",
    );
    expect(endpoint.seen).toHaveLength(1);
    expect(endpoint.size()).toBe(2);
  });

  it("never leave a blank node behind, wherever it came from", async () => {
    const { store } = await after(
      `INSERT DATA { _:a <urn:next> _:b . _:b <urn:next> _:a } ; INSERT { [] <urn:of> ?s ; <urn:same> ?n } WHERE { ?s <urn:next> ?o BIND(BNODE() AS ?n) }`,
    );
    const graph = await store.getGraph("data");
    expect(graph).toHaveLength(6);
    expect(graph.flatMap(({ subject, object }) => [subject, object]).map(({ termType }) => termType)).not.toContain(
      "BlankNode",
    );
    const [first, second] = graph.filter(({ predicate }) => predicate.value === "urn:next");
    expect(first?.subject.equals(second!.object)).toBe(true);
  });

  it("refuse BNODE with an argument, which can't be distinguished from a name", async () => {
    const store = open(await startSparqlEndpoint());
    const update = store.update("data", "INSERT { ?b <urn:p> 1 } WHERE { BIND(BNODE('x') AS ?b) }");
    await expect(update).rejects.toMatchObject({ code: "unsupported_sparql" });
  });
});
