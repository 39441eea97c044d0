import fs, { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { QuadFile } from "../../../src/ontology/oxigraph/quad-file.ts";
import { select } from "../../../src/ontology/queries.ts";
import { flushError, watchCommits } from "../../support/sqlite-commits.ts";
import { literal, namedNode, quad } from "../../support/terms.ts";

async function open(options: { maximumQuads?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "ontology-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "graph.sqlite");
  const store = await OxigraphOntologyStore.open({ path, ...options });
  onTestFinished(() => store.close());
  const transactions = vi.spyOn(QuadFile.prototype, "transaction");
  onTestFinished(() => transactions.mockRestore());
  return { store, path, transactions };
}

const fact = (name: string, value = "x") => quad(namedNode(`urn:${name}`), namedNode("urn:p"), literal(value));

describe("writes of one turn of the event loop", () => {
  it("share one transaction", async () => {
    const { store, transactions } = await open();
    const names = Array.from({ length: 50 }, (_, index) => `n:${index}`);
    await Promise.all(names.map((name) => store.insert("data", [fact(name)])));
    expect(transactions).toHaveBeenCalledTimes(1);
    expect(await store.getGraph("data")).toHaveLength(50);
    await store.insert("data", [fact("later")]);
    expect(transactions).toHaveBeenCalledTimes(2);
  });

  it("fail separately: the others are kept, and visible to SPARQL", async () => {
    const { store } = await open({ maximumQuads: 5 });
    await store.query("data", "ASK { ?s ?p ?o }");
    const writes = [["a"], ["b", "c", "d", "e", "f", "g"], ["h"]].map((names) =>
      store.insert(
        "data",
        names.map((name) => fact(name)),
      ),
    );
    const results = await Promise.allSettled(writes);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await store.query("data", "SELECT ?s { ?s ?p ?o }")).toHaveLength(2);
    expect(await store.getGraph("data")).toHaveLength(2);
  });

  it("see what earlier ones wrote", async () => {
    const { store } = await open();
    await Promise.all([
      store.insert("data", [fact("a")]),
      store.update("data", "INSERT { ?s <urn:q> 1 } WHERE { ?s <urn:p> ?o }"),
      store.change("data", { unless: { subject: namedNode("urn:a") }, insert: [fact("b")] }),
    ]);
    expect((await store.getGraph("data")).map(({ predicate }) => predicate.value).toSorted()).toEqual([
      "urn:p",
      "urn:q",
    ]);
  });

  it("are all on disk when the store is closed at once", async () => {
    const { store, path } = await open();
    const writes = [store.insert("data", [fact("a")]), store.insert("data", [fact("b")])];
    await Promise.resolve();
    await store.close();
    await Promise.all(writes);
    const again = await OxigraphOntologyStore.open({ path });
    expect(await again.getGraph("data")).toHaveLength(2);
    await again.close();
  });

  it("are each tried alone if their transaction fails", async () => {
    const { store, transactions } = await open();
    const fault = Object.assign(new Error("disk"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
    transactions.mockImplementationOnce(() => {
      throw fault;
    });
    await Promise.all([store.insert("data", [fact("a")]), store.insert("data", [fact("b")])]);
    expect(await store.getGraph("data")).toHaveLength(2);
    transactions.mockImplementationOnce(() => {
      throw fault;
    });
    await expect(store.insert("data", [fact("c")])).rejects.toMatchObject({ type: "io_error" });
    await store.insert("data", [fact("c")]);
    expect(await store.getGraph("data")).toHaveLength(3);
  });
});

describe("the flush of a graph in a separate file", () => {
  /** Holds flushes back until `letGo` is called. */
  function holdFlushes(): { begun: () => number; letGo: (error?: Error) => void } {
    const held: ((error: NodeJS.ErrnoException | null) => void)[] = [];
    let begun = 0;
    const spy = vi.spyOn(fs, "fdatasync").mockImplementation((_file, done) => {
      begun += 1;
      held.push(done);
    });
    onTestFinished(() => spy.mockRestore());
    return { begun: () => begun, letGo: (error) => held.splice(0).forEach((done) => done(error ?? null)) };
  }

  const settled = (writes: readonly Promise<unknown>[]) => {
    const done: number[] = [];
    writes.forEach((write, at) => void write.then(() => done.push(at)));
    return done;
  };

  const turns = async (count = 3): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  it("is waited for by its writes, while others are read, committed and share the next flush", async () => {
    const { store, transactions } = await open();
    const { begun, letGo } = holdFlushes();
    const writes = [store.insert("data", [fact("a")])];
    await turns();
    expect(await store.getGraph("data")).toHaveLength(1);
    for (const name of ["b", "c"]) {
      writes.push(store.insert("data", [fact(name)]));
      await turns();
    }
    const done = settled(writes);
    await turns();
    expect({ begun: begun(), commits: transactions.mock.calls.length, done }).toEqual({
      begun: 1,
      commits: 3,
      done: [],
    });
    letGo();
    await turns();
    expect({ begun: begun(), done }).toEqual({ begun: 2, done: [0] });
    letGo();
    await Promise.all(writes);
    expect(begun()).toBe(2);
  });

  it("is replaced by a flush of the whole file if it fails; if that fails too, its writes fail, but no later ones", async () => {
    const { store } = await open();
    const { taken, failNextFlush } = watchCommits();
    const { letGo } = holdFlushes();
    const writes = [store.insert("data", [fact("a")])];
    await turns();
    writes.push(store.insert("data", [fact("b")]));
    await turns();
    taken();
    failNextFlush();
    letGo(flushError());
    await expect(writes[0]).rejects.toMatchObject({ type: "io_error" });
    await writes[1];
    expect(taken()).toEqual(["checkpoint"]);
    const last = store.insert("data", [fact("c")]);
    await turns();
    letGo();
    await last;
    expect(await store.getGraph("data")).toHaveLength(3);
  });

  it("delays the closing of the store until it is done", async () => {
    const { store, path } = await open();
    const { letGo } = holdFlushes();
    const writes = [store.insert("data", [fact("a")])];
    await turns();
    const closed = store.close();
    const done = settled([closed]);
    await turns();
    expect(done).toEqual([]);
    await expect(store.insert("data", [fact("late")])).rejects.toMatchObject({
      message: expect.stringMatching(/closed/),
    });
    letGo();
    await Promise.all([closed, ...writes]);
    const again = await OxigraphOntologyStore.open({ path });
    expect(await again.getGraph("data")).toHaveLength(1);
    await again.close();
  });
});

describe("the copy that SPARQL queries", () => {
  const subjects = async (store: OxigraphOntologyStore): Promise<unknown[]> =>
    (await select(store, "data", "SELECT ?s { ?s ?p ?o } ORDER BY ?s")).map(({ s }) => s?.value);

  it("follows every kind of write, and undoes what was not committed", async () => {
    const { store, transactions } = await open();
    await store.insert("data", [fact("a"), fact("b")]);
    expect(await subjects(store)).toEqual(["urn:a", "urn:b"]);
    await store.change("data", { remove: [{ subject: namedNode("urn:a") }], insert: [fact("c")] });
    await store.update("data", "INSERT { <urn:d> ?p ?o } WHERE { <urn:c> ?p ?o }");
    expect(await subjects(store)).toEqual(["urn:b", "urn:c", "urn:d"]);
    const failing = `DELETE WHERE { ?s ?p ?o } ; INSERT { <urn:e> <urn:p> ?n } WHERE { BIND(<urn:%> AS ?n) }`;
    await expect(store.update("data", failing)).rejects.toMatchObject({ type: "validation_error" });
    expect(await subjects(store)).toEqual(["urn:b", "urn:c", "urn:d"]);
    transactions.mockImplementationOnce((work) => {
      work();
      throw new Error("as if it could not be committed");
    });
    await expect(store.insert("data", [fact("lost")])).rejects.toMatchObject({ type: "unexpected_error" });
    await store.deleteStore("data");
    expect(await subjects(store)).toEqual([]);
    await store.insert("data", [fact("z")]);
    expect(await subjects(store)).toEqual(["urn:z"]);
  });

  it("applies thousands of changes, with and without a query in between", async () => {
    const { store } = await open();
    await subjects(store);
    const many = (from: number) => Array.from({ length: 7000 }, (_, index) => fact(`${from + index}`));
    await store.insert("data", many(0));
    await store.change("data", { remove: [{ subject: namedNode("urn:5") }] });
    await store.insert("data", many(3500));
    expect(await subjects(store)).toHaveLength(10_499);
  });

  it("is complete if writes arrive while it is being read", async () => {
    const { store } = await open();
    await store.insert(
      "data",
      Array.from({ length: 60_000 }, (_, index) => fact(`${index}`)),
    );
    const question = subjects(store);
    await store.change("data", { remove: [{ subject: namedNode("urn:0") }, { subject: namedNode("urn:59999") }] });
    await store.insert("data", [fact("new")]);
    await question;
    const found = await subjects(store);
    expect(found).toHaveLength(59_999);
    expect(found).toContain("urn:new");
    expect(found).not.toContain("urn:59999");
  });
});
