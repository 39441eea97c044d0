import { randomUUID } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import { Journal } from "../../src/engine/journal.ts";
import { SqliteRunStore } from "../../src/engine/sqlite/sqlite-run-store.ts";
import { silentLogger } from "../../src/log.ts";

const run = (key: string) => ({
  id: randomUUID(),
  workflow: "w",
  key,
  fingerprint: "f",
  inputJson: "null",
  priority: 0,
});

/** A journal on a store that lets a write wait for those of other runs, and how many of them shared each transaction. */
function open(executing: number, gatherMs: number): { journal: Journal; shared: number[] } {
  const store = new SqliteRunStore(":memory:");
  onTestFinished(() => store.close());
  const shared: number[] = [];
  const write = store.write.bind(store);
  store.write = (batch) => {
    shared.push(batch.accepts.length + batch.runs.length);
    return write(batch);
  };
  return { journal: new Journal(Object.assign(store, { gatherMs }), silentLogger, () => executing), shared };
}

/** Longer than the test may take. */
const FOREVER_MS = 600_000;

it("waits until every executing run has something to write", async () => {
  const { journal, shared } = open(3, FOREVER_MS);
  const accepted = [journal.accept(run("a"))];
  for (const key of ["b", "c"]) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(shared).toEqual([]);
    accepted.push(journal.accept(run(key)));
  }
  await Promise.all(accepted);
  expect(shared).toEqual([3]);
});

it("doesn't wait for others if only one run is executing", async () => {
  const { journal, shared } = open(1, FOREVER_MS);
  await journal.accept(run("a"));
  await journal.accept(run("b"));
  expect(shared).toEqual([1, 1]);
});

it("waits no longer than the store allows", async () => {
  const { journal, shared } = open(3, 2);
  await journal.accept(run("a"));
  expect(shared).toEqual([1]);
});
