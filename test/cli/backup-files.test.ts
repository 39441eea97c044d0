// What makes the copies be of one moment, and sound: seen on files of our own, at which somebody writes meanwhile.
import { once } from "node:events";
import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { backUp } from "../../src/cli/backup.ts";
import { openSqlite } from "../../src/sqlite.ts";
import { temporaryFolder } from "../support/folder.ts";

interface Place {
  folder: string;
  runs: string;
  graph: string;
}

function place(): Place {
  const folder = temporaryFolder();
  const paths = { folder, runs: join(folder, "runs.sqlite"), graph: join(folder, "ontology.sqlite") };
  for (const path of [paths.runs, paths.graph]) {
    const database = openSqlite(path);
    database.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, text TEXT)");
    database.close();
  }
  return paths;
}

function opened(path: string): DatabaseSync {
  const database = openSqlite(path);
  onTestFinished(() => database.close());
  return database;
}

function itemsIn(path: string): number[] {
  const database = openSqlite(path);
  try {
    return database
      .prepare("SELECT id FROM item ORDER BY id")
      .all()
      .map(({ id }) => Number(id));
  } finally {
    database.close();
  }
}

const insert = "INSERT INTO item (text) VALUES ('x')";

test("copies what was there at the moment, not what comes while it copies", async () => {
  const { folder, runs, graph } = place();
  const writers = [opened(runs), opened(graph)];
  for (const writer of writers) writer.exec(insert);
  const target = join(folder, "backup");
  const finished = backUp({ runs, databases: [graph], files: [], folders: [] }, target);
  // The moment is past: it is taken before the first thing that waits.
  for (const writer of writers) writer.exec(insert);
  await finished;
  expect([runs, graph].map(itemsIn)).toEqual([
    [1, 2],
    [1, 2],
  ]);
  for (const name of ["runs.sqlite", "ontology.sqlite"]) expect(itemsIn(join(target, name))).toEqual([1]);
});

/** Begins a run, then does what it is for, without a pause, until it is told to stop. */
const WRITER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { DatabaseSync } = require("node:sqlite");
  const [runs, graph] = workerData.paths.map((path) => {
    const database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 30000; PRAGMA synchronous = OFF");
    return database.prepare("INSERT INTO item (id) VALUES (?)");
  });
  const stop = new Int32Array(workerData.stop);
  for (let id = 1; Atomics.load(stop, 0) === 0; id++) {
    runs.run(id);
    graph.run(id);
    if (id === 1) parentPort.postMessage("at work");
  }
`;

test("takes no moment in which the graph has what no run has begun, however fast somebody writes", async () => {
  const { folder, runs, graph } = place();
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(WRITER, { eval: true, workerData: { paths: [runs, graph], stop } });
  const ended = once(worker, "exit");
  try {
    await once(worker, "message");
    for (let n = 0; n < 25; n++) {
      const target = join(folder, `backup-${n}`);
      await backUp({ runs, databases: [graph], files: [], folders: [] }, target);
      const [begun, done] = ["runs.sqlite", "ontology.sqlite"].map((name) => itemsIn(join(target, name)).length);
      // One at a time: the run that is under way may be without its effect, never an effect without its run.
      expect(begun! - done!).toBeOneOf([0, 1]);
    }
  } finally {
    Atomics.store(new Int32Array(stop), 0, 1);
    await ended;
  }
});

test("calls a copy of a damaged file no backup", async () => {
  const { folder, runs, graph } = place();
  const database = openSqlite(graph);
  const fill = database.prepare("INSERT INTO item (text) VALUES (?)");
  for (let n = 0; n < 500; n++) fill.run("text ".repeat(20));
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  expect(existsSync(`${graph}-wal`)).toBe(false);
  const file = openSync(graph, "r+");
  writeSync(file, Buffer.alloc(512, 0xa5), 0, 512, 4096 * 3);
  closeSync(file);
  const backup = backUp({ runs, databases: [graph], files: [], folders: [] }, join(folder, "backup"));
  await expect(backup).rejects.toMatchObject({ type: "io_error", code: "backup_failed" });
});
