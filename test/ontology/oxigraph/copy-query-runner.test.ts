import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Row } from "../../../src/ontology/ontology-store.ts";
import { ABIGraph } from "../../../src/ontology/abi-graph.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { PREFIXES } from "../../../src/ontology/vocabulary.ts";
import { queryRunnerContract } from "../../contract/query-runner.ts";
import { temporaryFolder } from "../../support/folder.ts";

queryRunnerContract("OxigraphOntologyStore in memory", {
  create: () => OxigraphOntologyStore.open({ path: ":memory:" }),
  destroy: (store) => store.close(),
});

queryRunnerContract("OxigraphOntologyStore on a file", {
  create: () => OxigraphOntologyStore.open({ path: join(temporaryFolder(), "graph.sqlite") }),
  destroy: (store) => store.close(),
});

async function openStore() {
  const store = await OxigraphOntologyStore.open({ path: join(temporaryFolder(), "graph.sqlite") });
  onTestFinished(() => store.close());
  const graph = new ABIGraph();
  for (let index = 0; index < 100; index += 1) graph.createEntity("Feedback", { id: `F-${index}` });
  await store.insert("data", graph);
  const run = (sparql: string, more = {}) =>
    store.queryRunner.run({ store: "data", sparql: `${PREFIXES} ${sparql}`, ...more });
  return { store, run };
}

const ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p . ?q ?r ?s }";

describe("an endless query in its thread", () => {
  it("blocks nobody: this process can read and write, and other queries get their turn", async () => {
    const { store, run } = await openStore();
    const controller = new AbortController();
    const endless = run(ENDLESS, { signal: controller.signal });
    endless.catch(() => {});
    const waiting = run("SELECT ?f { ?f abi:id 'new' }");
    await store.update("data", `${PREFIXES} INSERT DATA { <urn:new> abi:id "new" }`);
    expect(await store.match("data", { object: new ABIGraph().createEntity("X", { id: "x" }) })).toEqual([]);
    controller.abort(new Error("enough"));
    await expect(endless).rejects.toThrow("enough");
    expect((await waiting).result).toHaveLength(1);
  });

  it("ends when the store is closed, as do the queries that wait for it", async () => {
    const { store, run } = await openStore();
    await run("ASK { ?s ?p ?o }");
    const all = Promise.allSettled([run(ENDLESS), run(ENDLESS)]);
    await setImmediate();
    await store.close();
    const closed = { status: "rejected", reason: expect.objectContaining({ code: "store_closed" }) };
    expect(await all).toEqual([closed, closed]);
    await expect(run("ASK {}")).rejects.toMatchObject({ code: "store_closed" });
  });

  it("lets a limited number of other queries wait", async () => {
    const { store, run } = await openStore();
    await run("ASK { ?s ?p ?o }");
    const all = Promise.allSettled(Array.from({ length: 40 }, () => run(ENDLESS)));
    await setImmediate();
    await expect(run("ASK {}")).rejects.toMatchObject({ type: "io_error", code: "too_many_queries" });
    await store.close();
    const codes = (await all).map((one) => (one.status === "rejected" ? (one.reason as { code: string }).code : ""));
    expect(codes.filter((code) => code === "store_closed").length).toBeGreaterThan(30);
  });

  it("can be aborted while the graph is being read, without restarting the read", async () => {
    const { run } = await openStore();
    const controller = new AbortController();
    const left = run(ENDLESS, { signal: controller.signal });
    const other = run("SELECT * { ?f a abi:Feedback }");
    await setImmediate();
    controller.abort(new Error("enough"));
    await expect(left).rejects.toThrow("enough");
    expect((await other).result).toHaveLength(100);
  });
});

describe("a copy of the graph", () => {
  it("is read again after a query has crashed it, and the query is refused", async () => {
    const { run } = await openStore();
    const list = Array.from({ length: 20_000 }, (_, index) => index).join(", ");
    await expect(run(`SELECT * { ?s ?p ?o FILTER(?o IN (${list})) }`)).rejects.toMatchObject({
      code: "query_too_large",
    });
    expect((await run("SELECT * { ?f a abi:Feedback }")).result).toHaveLength(100);
  });

  it("receives no failed write, but all others of the same transaction", async () => {
    const store = await OxigraphOntologyStore.open({ path: ":memory:", maximumQuads: 3 });
    onTestFinished(() => store.close());
    const insert = (...ids: string[]) =>
      store.update("data", ids.map((id) => `INSERT DATA { <urn:${id}> <urn:p> 1 }`).join(" ; "));
    const run = async () =>
      (await store.queryRunner.run({ store: "data", sparql: "SELECT ?s { ?s ?p ?o }" })).result as Row[];
    await run();
    const outcomes = await Promise.allSettled([insert("a"), insert("b", "c", "d", "e"), insert("f")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await expect(insert("g", "h", "i")).rejects.toMatchObject({ code: "store_full" });
    expect(new Set((await run()).map(({ s }) => s?.value))).toEqual(new Set(["urn:a", "urn:f"]));
  });

  it("follows every change of the store", async () => {
    const { store, run } = await openStore();
    const everything = async () =>
      JSON.stringify(
        ((await run("SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o")).result as Record<string, { value: string }>[]).map(
          ({ s, p, o }) => [s, p, o].map((term) => term?.value),
        ),
      );
    const inStore = async () =>
      JSON.stringify(
        (await store.getGraph("data"))
          .map(({ subject, predicate, object }) => [subject.value, predicate.value, object.value])
          .toSorted((one, other) => (one.join(" ") < other.join(" ") ? -1 : 1)),
      );
    await everything();
    const updates = [
      'INSERT DATA { <urn:a> abi:id "1", "2" }',
      'DELETE { ?s abi:id "1" } INSERT { ?s abi:id "3" } WHERE { ?s abi:id "1" }',
      "DELETE WHERE { ?s a abi:Feedback }",
      'DELETE DATA { <urn:a> abi:id "2" } ; INSERT DATA { <urn:a> abi:id "2" }',
      'CLEAR ALL ; INSERT DATA { <urn:b> abi:id "1" }',
      'INSERT DATA { <urn:c> abi:id "1" } ; CLEAR DEFAULT',
      'INSERT DATA { <urn:d> abi:id "line\\nbreak \\" quote" }',
    ];
    for (const update of updates) {
      await store.update("data", `${PREFIXES} ${update}`);
      expect(await everything()).toBe(await inStore());
    }
    // Concurrent writes share a transaction.
    await Promise.all(
      ["x", "y", "z"].map((id) => store.update("data", `${PREFIXES} INSERT DATA { <urn:${id}> abi:id "${id}" }`)),
    );
    expect(await everything()).toBe(await inStore());
  });
});
