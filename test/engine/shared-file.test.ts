// Runs and knowledge graph in one file: who may open it, and which commits are flushed.
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { temporaryFolder } from "../support/folder.ts";
import { literal, namedNode, quad } from "../support/terms.ts";

const fact = (name: string) => quad(namedNode(`urn:${name}`), namedNode("urn:p"), literal("x"));

/** The commits of all files that are opened from now on, each with whether it is flushed. */
function watchCommits(): string[] {
  const commits: string[] = [];
  const settings = new WeakMap<DatabaseSync, string>();
  const databases = new WeakMap<StatementSync, DatabaseSync>();
  const { exec, prepare } = DatabaseSync.prototype;
  const { run } = StatementSync.prototype;
  const spies = [
    vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
      const [, setting] = /PRAGMA synchronous = (\w+)/.exec(sql) ?? [];
      if (setting !== undefined) settings.set(this, setting);
      return Reflect.apply(exec, this, [sql]);
    }),
    vi.spyOn(DatabaseSync.prototype, "prepare").mockImplementation(function (this: DatabaseSync, sql) {
      const statement = Reflect.apply(prepare, this, [sql]);
      databases.set(statement, this);
      return statement;
    }),
    vi.spyOn(StatementSync.prototype, "run").mockImplementation(function (this: StatementSync, ...values) {
      if (this.sourceSQL === "COMMIT") commits.push(settings.get(databases.get(this)!)!);
      return Reflect.apply(run, this, values) as ReturnType<typeof run>;
    }),
  ];
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  return commits;
}

async function open({ runs, graph }: { runs: string; graph: string }) {
  const ontologyStore = await OxigraphOntologyStore.open({ path: graph });
  const engine = new DurableEngine({ path: runs });
  onTestFinished(async () => {
    await engine.close();
    await ontologyStore.close();
  });
  return { ontologyStore, engine };
}

describe("runs and graph in one file", () => {
  it("are opened and closed in any order, each by one owner", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    for (const isGraphFirst of [true, false]) {
      const engine = new DurableEngine({ path });
      const store = await OxigraphOntologyStore.open({ path });
      await expect(OxigraphOntologyStore.open({ path })).rejects.toMatchObject({ code: "in_use" });
      expect(() => new DurableEngine({ path })).toThrow(/already open in this process/);
      const parts = isGraphFirst ? [store, engine] : [engine, store];
      await parts[0]!.close();
      if (isGraphFirst) expect(await engine.list()).toEqual([]);
      else await store.insert("data", [fact("a")]);
      await parts[1]!.close();
    }
    const again = await OxigraphOntologyStore.open({ path });
    expect(await again.getGraph("data")).toHaveLength(1);
    await again.close();
  });

  it.each([
    ["one file", { runs: "data.sqlite", graph: "data.sqlite" }, "NORMAL"],
    ["two files", { runs: "runs.sqlite", graph: "graph.sqlite" }, "FULL"],
  ])("in %s, what a step writes is on disk before it counts as done", async (_, names, ofStep) => {
    const folder = temporaryFolder();
    const paths = { runs: join(folder, names.runs), graph: join(folder, names.graph) };
    const commits = watchCommits();
    const { ontologyStore, engine } = await open(paths);
    const seen: string[] = [];
    engine.register("noting", async (_, { step }) => {
      await step("noted", async () => {
        commits.length = 0;
        await ontologyStore.change("data", { insert: [fact("a")], inStep: true });
        seen.push(...commits);
        commits.length = 0;
      });
      await step("next", async () => void seen.push(...commits));
      return null;
    });
    const { id } = await engine.start("noting", { key: "k", fingerprint: "f", input: null });
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    // Its own commit, then the one of its record.
    expect(seen).toEqual([ofStep, "FULL"]);
  });

  it("flushes what no step writes", async () => {
    const path = join(temporaryFolder(), "data.sqlite");
    const commits = watchCommits();
    const { ontologyStore } = await open({ runs: path, graph: path });
    commits.length = 0;
    await Promise.all([
      ontologyStore.change("data", { insert: [fact("a")], inStep: true }),
      ontologyStore.insert("data", [fact("b")]),
    ]);
    expect(commits).toEqual(["FULL"]);
  });
});
