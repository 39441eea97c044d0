import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Quad } from "@rdfjs/types";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OxigraphOntologyStore } from "../../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import { openSqlite } from "../../../src/files/sqlite.ts";
import { literal, namedNode, quad } from "../../support/terms.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ontology-"));
  path = join(folder, "new", "graph.sqlite");
});
afterEach(() => rm(folder, { recursive: true }));

const quads = (count: number, subject = "urn:s"): Quad[] =>
  Array.from({ length: count }, (_, index) => quad(namedNode(subject), namedNode("urn:p"), literal(`${index}`)));

describe("OxigraphOntologyStore at its limits", () => {
  it("refuses more quads than it can hold, says what to do, and does not change", async () => {
    let store = await OxigraphOntologyStore.open({ path, maximumQuads: 10 });
    await store.insert("a", quads(5));
    await store.insert("b", quads(4));
    const full = {
      type: "validation_error",
      code: "store_full",
      message: expect.stringContaining("SPARQL endpoint") as string,
    };
    await expect(store.insert("a", quads(2, "urn:t"))).rejects.toMatchObject(full);
    await expect(
      store.update(
        "a",
        "CLEAR ALL ; INSERT DATA { <urn:n> <urn:p> 1 } ; INSERT { ?x <urn:p> ?y } WHERE { VALUES ?x { <urn:1> <urn:2> <urn:3> } VALUES ?y { 1 2 3 } }",
      ),
    ).rejects.toMatchObject(full);
    const before = quads(5).map(({ object }) => object.value);
    const now = async (): Promise<string[]> => (await store.getGraph("a")).map(({ object }) => object.value).toSorted();
    expect(await now()).toEqual(before);
    await store.insert("b", quads(5));
    await store.close();
    store = await OxigraphOntologyStore.open({ path, maximumQuads: 10 });
    expect(await now()).toEqual(before);
    await store.update("a", "DELETE WHERE { ?s ?p ?o }");
    await store.insert("c", quads(5));
    await store.close();
    await expect(OxigraphOntologyStore.open({ path, maximumQuads: 9 })).rejects.toMatchObject(full);
  });

  it("reports a file that is not a knowledge graph or is damaged", async () => {
    const unreadable = { type: "validation_error", code: "store_unreadable" };
    await mkdir(join(folder, "new"));
    await writeFile(path, "this is a text, and long enough to be looked at as one".repeat(100));
    await expect(OxigraphOntologyStore.open({ path })).rejects.toMatchObject(unreadable);
    await rm(path);

    const store = await OxigraphOntologyStore.open({ path });
    await store.insert("a", quads(5000));
    await store.close();
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0xff, 8192, bytes.length - 8192));
    // Opening reads nothing; damage shows when the damaged part is read.
    const reading = async (read: (store: OxigraphOntologyStore) => Promise<unknown>): Promise<unknown> => {
      const damaged = await OxigraphOntologyStore.open({ path });
      try {
        return await read(damaged);
      } finally {
        await damaged.close();
      }
    };
    const readings = {
      match: (damaged: OxigraphOntologyStore) => damaged.match("a", { subject: namedNode("urn:s") }),
      getGraph: (damaged: OxigraphOntologyStore) => damaged.getGraph("a"),
      query: (damaged: OxigraphOntologyStore) => damaged.query("a", "ASK { ?s ?p ?o }"),
    };
    for (const read of Object.values(readings)) await expect(reading(read)).rejects.toMatchObject(unreadable);
    await rm(path);

    await (await OxigraphOntologyStore.open({ path })).close();
    const database = openSqlite(path);
    database.exec("INSERT INTO stores (name) VALUES ('a'); INSERT INTO quads SELECT id, 97, 98, 99 FROM stores");
    database.close();
    await expect(reading(readings.getGraph)).rejects.toMatchObject(unreadable);
    await expect(reading(readings.query)).rejects.toMatchObject(unreadable);
  });

  it("refuses a file of another version and a path that is not a file", async () => {
    await (await OxigraphOntologyStore.open({ path })).close();
    for (const [sql, code] of [
      ["UPDATE parts SET version = 99", "store_too_new"],
      ["DROP TABLE parts", "store_too_old"],
    ] as const) {
      const database = openSqlite(path);
      database.exec(sql);
      database.close();
      await expect(OxigraphOntologyStore.open({ path })).rejects.toMatchObject({ code });
    }
    for (const impossible of [join(folder, "new"), join(path, "below", "a file")]) {
      await expect(OxigraphOntologyStore.open({ path: impossible })).rejects.toMatchObject({ type: "io_error" });
    }
    const other = join(folder, "other.sqlite");
    await writeFile(`${other}.lock`, "not a lock, and long enough to be looked at as one".repeat(100));
    await expect(OxigraphOntologyStore.open({ path: other })).rejects.toThrow("remove the lock file");
    const third = join(folder, "third.sqlite");
    const lock = openSqlite(`${third}.lock`);
    lock.exec("CREATE VIEW holder AS SELECT 1 AS pid");
    lock.close();
    await expect(OxigraphOntologyStore.open({ path: third })).rejects.toThrow("remove the lock file");
    const fourth = join(folder, "fourth.sqlite");
    using reader = new DatabaseSync(`${fourth}.lock`);
    reader.exec("CREATE TABLE holder (pid INTEGER NOT NULL); BEGIN; SELECT * FROM holder");
    await expect(OxigraphOntologyStore.open({ path: fourth })).rejects.toThrow("is in use by another process");
  });

  it("refuses calls after it was closed, and can be closed twice", async () => {
    const store = await OxigraphOntologyStore.open({ path });
    await store.close();
    await store.close();
    await expect(store.query("a", "ASK {}")).rejects.toMatchObject({ code: "store_closed" });
    await expect(store.insert("a", quads(1))).rejects.toMatchObject({ code: "store_closed" });
  });
});
