import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it, onTestFinished } from "vitest";
import { lockFile } from "../../../src/files/file-lock.ts";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import type { Row } from "../../../src/ontology/ontology-store.ts";
import { literal, namedNode, quad } from "../../support/terms.ts";

/** Each is too much for WebAssembly's stack. */
const list = (length: number): string => Array.from({ length }, (_, index) => index).join(", ");
const TOO_LARGE = {
  filter: `?s ?p ?o FILTER(?o IN (${list(20_000)}))`,
  path: `?s (${Array.from({ length: 6000 }, (_, index) => `<urn:p${index}>`).join("|")}) ?o`,
};

async function openStore(): Promise<{ store: OxigraphOntologyStore; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), "ontology-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "graph.sqlite");
  const store = await OxigraphOntologyStore.open({ path });
  onTestFinished(() => store.close());
  await store.insert("data", [quad(namedNode("urn:kept"), namedNode("urn:p"), literal("kept"))]);
  return { store, path };
}

const subjects = async (store: OxigraphOntologyStore): Promise<string[]> =>
  ((await store.query("data", "SELECT ?s { ?s ?p ?o }")) as Row[]).map(({ s }) => s?.value ?? "");

const refused = {
  type: "validation_error",
  code: "query_too_large",
  message: expect.stringMatching(/too large.*VALUES/) as string,
};

describe.each(Object.entries(TOO_LARGE))("OxigraphOntologyStore after a %s that crashes Oxigraph", (_, pattern) => {
  it("reports what is wrong, answers the next query and accepts the next write", async () => {
    const { store } = await openStore();
    await expect(store.query("data", `SELECT * { ${pattern} }`)).rejects.toMatchObject(refused);
    expect(await subjects(store)).toEqual(["urn:kept"]);
    await expect(store.query("data", `SELECT * { ${pattern} }`)).rejects.toMatchObject(refused);
    await store.update("data", "INSERT DATA { <urn:new> <urn:p> 1 }");
    expect(await subjects(store)).toEqual(expect.arrayContaining(["urn:kept", "urn:new"]));
    expect(await store.getGraph("data")).toHaveLength(2);
  });

  it("releases the file and its lock when it is closed", async () => {
    const { store, path } = await openStore();
    await expect(store.query("data", `SELECT * { ${pattern} }`)).rejects.toMatchObject(refused);
    await store.close();
    lockFile(path).release();
    expect(existsSync(`${path}-wal`)).toBe(false);
    const again = await OxigraphOntologyStore.open({ path });
    onTestFinished(() => again.close());
    expect(await subjects(again)).toEqual(["urn:kept"]);
  });

  it("applies nothing of the update that crashed, neither now nor after a restart", async () => {
    const { store, path } = await openStore();
    const update = `DELETE WHERE { ?s ?p ?o } ; INSERT DATA { <urn:half> <urn:p> 1 } ; INSERT { ?s <urn:q> 1 } WHERE { ${pattern} }`;
    await expect(store.update("data", update)).rejects.toMatchObject(refused);
    expect(await subjects(store)).toEqual(["urn:kept"]);
    await store.close();
    const again = await OxigraphOntologyStore.open({ path });
    onTestFinished(() => again.close());
    expect(await subjects(again)).toEqual(["urn:kept"]);
  });

  it("does not affect another store of the process, or garbage collection", async () => {
    const [one, other] = [await openStore(), await openStore()];
    await expect(one.store.query("data", `SELECT * { ${pattern} }`)).rejects.toMatchObject(refused);
    expect(await subjects(other.store)).toEqual(["urn:kept"]);
    await one.store.close();
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    // Finalizers run after the collection; an error in one would be an uncaught exception.
    for (let round = 0; round < 3; round += 1) {
      collect();
      await setImmediate();
    }
    expect(await subjects(other.store)).toEqual(["urn:kept"]);
  });
});

describe("OxigraphOntologyStore in memory", () => {
  it("keeps its data when Oxigraph crashes", async () => {
    const store = await OxigraphOntologyStore.open({ path: ":memory:" });
    onTestFinished(() => store.close());
    await store.update("data", "INSERT DATA { <urn:s> <urn:p> 1 }");
    await expect(store.query("data", `SELECT * { ${TOO_LARGE.filter} }`)).rejects.toMatchObject(refused);
    expect(await subjects(store)).toEqual(["urn:s"]);
  });

  it("refuses an answer of more than a million rows, whatever LIMIT says", async () => {
    const store = await OxigraphOntologyStore.open({ path: ":memory:" });
    onTestFinished(() => store.close());
    await store.update(
      "data",
      `INSERT { ?s <urn:p> 1 } WHERE { VALUES ?n { ${list(200).replaceAll(",", "")} } BIND(IRI(CONCAT("urn:", STR(?n))) AS ?s) }`,
    );
    const million = "SELECT (1 AS ?x) { ?a ?p ?o . ?b ?p ?o . ?c ?p ?o } LIMIT 2000000";
    await expect(store.query("data", million)).rejects.toMatchObject(refused);
    expect(await store.query("data", "SELECT ?a { ?a ?p ?o . ?b ?p ?o . ?c ?p ?o } LIMIT 3")).toHaveLength(3);
  });

  it("accepts a text of ten million characters, inserted or bound", async () => {
    const store = await OxigraphOntologyStore.open({ path: ":memory:" });
    onTestFinished(() => store.close());
    const text = "long ".repeat(2_000_000);
    await store.insert("data", [quad(namedNode("urn:s"), namedNode("urn:p"), literal(text))]);
    expect(await store.query("data", "ASK { <urn:s> <urn:p> ?text }", { text })).toBe(true);
    await store.update("data", "DELETE { ?s ?p ?text } INSERT { ?s <urn:q> ?text } WHERE { ?s ?p ?text }", { text });
    expect((await store.getGraph("data")).map(({ object }) => object.value.length)).toEqual([text.length]);
  });
});
