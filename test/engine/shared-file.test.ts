// Runs and the knowledge graph in one file: who may open it, and which commits are flushed.
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { watchCommits } from "../support/sqlite-commits.ts";
import { literal, namedNode, quad } from "../support/terms.ts";

const fact = (name: string) => quad(namedNode(`urn:${name}`), namedNode("urn:p"), literal("x"));

async function open({ runs, graph }: { runs: string; graph: string }) {
  const ontologyStore = await OxigraphOntologyStore.open({ path: graph });
  const engine = new DurableEngine({ path: runs });
  onTestFinished(async () => {
    await engine.close();
    await ontologyStore.close();
  });
  return { ontologyStore, engine };
}

describe("runs and graph", () => {
  it("in one file are opened and closed in any order, each by one owner", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    for (const isGraphFirst of [true, false]) {
      const engine = new DurableEngine({ path });
      const store = await OxigraphOntologyStore.open({ path });
      await expect(OxigraphOntologyStore.open({ path })).rejects.toMatchObject({ code: "in_use" });
      expect(() => new DurableEngine({ path })).toThrow(/already open in this process/);
      const [first, second] = isGraphFirst ? [store, engine] : [engine, store];
      await first.close();
      // The other one continues to work.
      await (isGraphFirst ? engine.list() : store.insert("data", [fact("a")]));
      await second.close();
    }
    const again = await OxigraphOntologyStore.open({ path });
    expect(await again.getGraph("data")).toHaveLength(1);
    await again.close();
  });

  it.each([
    ["one file", { runs: "data.sqlite", graph: "data.sqlite" }, ["commit"]],
    ["two files", { runs: "runs.sqlite", graph: "graph.sqlite" }, ["commit", "flush"]],
  ])("have a step's writes on disk before the next step begins, with data in %s", async (_, names, ofWrite) => {
    const folder = temporaryFolder();
    const { taken } = watchCommits();
    const { ontologyStore, engine } = await open({ runs: join(folder, names.runs), graph: join(folder, names.graph) });
    const seen: string[][] = [];
    engine.register("noting", async (_, { step }) => {
      await step("noted", async () => {
        taken();
        await ontologyStore.change("data", { insert: [fact("a")], inStep: true });
        seen.push(taken());
      });
      await step("next", async () => void seen.push(taken()));
      return null;
    });
    const { id } = await engine.start("noting", { key: "k", fingerprint: "f", input: null });
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect(seen).toEqual([ofWrite, ["commit", "flush"]]);
    expect(await ontologyStore.getGraph("data")).toHaveLength(1);
  });

  it("in one file keep a step's writes if the disk is full when its result is stored", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    const { taken, failNext } = watchCommits();
    const { ontologyStore, engine } = await open({ runs: path, graph: path });
    const write = (name: string) => ontologyStore.change("data", { insert: [fact(name)], inStep: true });
    let attempts = 0;
    engine.register("noting", async (_, { step }) => {
      await step("noted", async () => {
        attempts += 1;
        await write("a");
        await write("b");
        failNext();
      });
      return (await ontologyStore.getGraph("data")).length;
    });
    const { id } = await engine.start("noting", { key: "k", fingerprint: "f", input: null });
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect(taken()).toContain("failure");
    expect(attempts).toBe(1);
    await engine.close();
    await ontologyStore.close();
    const again = await OxigraphOntologyStore.open({ path });
    expect(await again.getGraph("data")).toHaveLength(2);
    await again.close();
  });

  it("in one file lose nothing that a step wrote if a concurrent write fails", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    const ontologyStore = await OxigraphOntologyStore.open({ path, maximumQuads: 3 });
    const engine = new DurableEngine({ path });
    onTestFinished(() => ontologyStore.close());
    engine.register("noting", async (input, { step }) => {
      await step("noted", async () => {
        await ontologyStore.change("data", { insert: (input as string[]).map(fact), inStep: true });
      });
      return null;
    });
    const inputs = [["a"], ["b", "c", "d", "e"], ["f"]];
    const runs = inputs.map((input, n) => engine.start("noting", { key: String(n), fingerprint: "f", input }));
    const ends = await Promise.all(runs.map(async (run) => engine.wait((await run).id)));
    expect(ends.map(({ status }) => status)).toEqual(["completed", "failed", "completed"]);
    await engine.close();
    const subjects = (await ontologyStore.getGraph("data")).map(({ subject }) => subject.value);
    expect(subjects.toSorted()).toEqual(["urn:a", "urn:f"]);
  });

  it("in one file keep acknowledged data visible if a concurrent write fails", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    const ontologyStore = await OxigraphOntologyStore.open({ path, maximumQuads: 2 });
    const engine = new DurableEngine({ path });
    onTestFinished(async () => {
      await engine.close();
      await ontologyStore.close();
    });
    await ontologyStore.change("data", { insert: [fact("a")], inStep: true });
    const tooMany = ontologyStore.change("data", { insert: ["b", "c"].map(fact), inStep: true });
    await expect(tooMany).rejects.toMatchObject({ code: "store_full" });
    expect(await ontologyStore.getGraph("data")).toHaveLength(1);
  });

  it("in one file record a step once if its flush fails, and update copies of the graph from the file", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    const { failNextFlush } = watchCommits();
    const { ontologyStore, engine } = await open({ runs: path, graph: path });
    const count = async () => ((await ontologyStore.query("data", "SELECT ?s { ?s ?p ?o }")) as unknown[]).length;
    expect(await count()).toBe(0);
    engine.register("noting", async (_, { step }) => {
      await step("noted", async () => {
        await ontologyStore.change("data", { insert: [fact("a")], inStep: true });
        failNextFlush();
      });
      return null;
    });
    const { id } = await engine.start("noting", { key: "k", fingerprint: "f", input: null });
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    expect((await engine.history(id)).map(({ step, status }) => `${step} ${status}`)).toEqual(["noted completed"]);
    failNextFlush();
    await ontologyStore.insert("data", [fact("b")]).catch(() => {});
    expect(await count()).toBe(2);
    expect(await ontologyStore.getGraph("data")).toHaveLength(2);
  });

  it("in one file show a step's latest writes in a copy of the graph", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    const { ontologyStore } = await open({ runs: path, graph: path });
    const ask = async () => {
      const { result } = await ontologyStore.queryRunner.run({ store: "data", sparql: "SELECT ?s { ?s ?p ?o }" });
      return (result as unknown[]).length;
    };
    const first = ontologyStore.change("data", { insert: [fact("a")], inStep: true });
    expect(await ask()).toBe(1);
    await first;
    await ontologyStore.change("data", { insert: [fact("b")], inStep: true });
    expect(await ask()).toBe(2);
  });

  it("in one file have writes outside steps flushed", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    const { taken } = watchCommits();
    const { ontologyStore } = await open({ runs: path, graph: path });
    taken();
    await Promise.all([
      ontologyStore.change("data", { insert: [fact("a")], inStep: true }),
      ontologyStore.insert("data", [fact("b")]),
    ]);
    expect(taken()).toEqual(["commit", "flush"]);
  });
});
