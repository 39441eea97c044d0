import { expect, it, onTestFinished } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { Journal } from "../../src/engine/journal.ts";
import type { Hold } from "../../src/engine/run-store.ts";
import { SqliteRunStore } from "../../src/engine/sqlite/sqlite-run-store.ts";
import { silentLogger } from "../../src/log.ts";
import { newRunRecord } from "../support/new-run-record.ts";

/** Longer than a test may take. */
const FOREVER_MS = 600_000;
/** Enough for a write that waits for nothing. */
const SOON_MS = 20;

const soon = () => new Promise((resolve) => setTimeout(resolve, SOON_MS));

/** A store that lets a write wait for those of other runs, and how many runs shared each transaction. */
function openStore(gatherMs: number): { store: SqliteRunStore; shared: number[] } {
  const store = new SqliteRunStore(":memory:");
  const shared: number[] = [];
  const write = store.write.bind(store);
  store.write = (batch) => {
    shared.push(batch.accepts.length + batch.runs.length);
    return write(batch);
  };
  return { store: Object.assign(store, { gatherMs }), shared };
}

/** A journal with three claimed runs. */
async function open(executing: number) {
  const { store, shared } = openStore(FOREVER_MS);
  const runs = { executing };
  onTestFinished(() => store.close());
  const accepts = ["a", "b", "c"].map((key) => newRunRecord("w", key));
  await store.write({ accepts, runs: [] });
  const claimed = await store.claim({ most: 3, workflows: new Map([["w", null]]), held: [] });
  shared.length = 0;
  const journal = new Journal(store, silentLogger, () => runs.executing);
  const begin = (hold: Hold, step: string) =>
    journal.write(hold, { kind: "begin", step, listed: true, time: 1, isFlushed: true });
  const [a, b, c] = claimed.runs.map(({ hold }) => hold) as [Hold, Hold, Hold];
  return { runs, shared, begin, holds: [a, b, c] as const };
}

it("lets a write wait until every executing run has something to write", async () => {
  const { shared, begin, holds } = await open(3);
  const written: Promise<unknown>[] = [];
  for (const hold of holds) {
    await soon();
    expect(shared).toEqual([]);
    written.push(begin(hold, "one"));
  }
  await Promise.all(written);
  expect(shared).toEqual([3]);
});

it("waits for as many runs as shared the last transaction, since others may be in long steps", async () => {
  const { shared, begin, holds } = await open(2);
  const [a, b, c] = holds;
  await Promise.all([begin(a, "one"), begin(b, "one")]);
  const next = begin(a, "two");
  await soon();
  expect(shared).toEqual([2]);
  await Promise.all([next, begin(c, "one")]);
  expect(shared).toEqual([2, 2]);
});

it("does not wait for others if only one run is executing, or only one wrote last time", async () => {
  const { runs, shared, begin, holds } = await open(1);
  await begin(holds[0], "one");
  runs.executing = 3;
  await begin(holds[0], "two");
  expect(shared).toEqual([1, 1]);
});

it("waits no longer than the store allows", async () => {
  const { store, shared } = openStore(1);
  onTestFinished(() => store.close());
  const journal = new Journal(store, silentLogger, () => 3);
  await journal.accept(newRunRecord("w", "k"));
  expect(shared).toEqual([1]);
});

it("knows how many runs its engine is executing", async () => {
  const { store, shared } = openStore(FOREVER_MS);
  const engine = new DurableEngine({ store });
  onTestFinished(() => engine.close());
  const begun = new Set<unknown>();
  const all = Promise.withResolvers<void>();
  engine.register("w", async (input, { step }) => {
    begun.add(input);
    if (begun.size === 2) all.resolve();
    await all.promise;
    if (input === "b") await soon();
    await step("only", () => null);
    return null;
  });
  const submit = (input: string) => engine.start("w", { key: input, fingerprint: "f", input });
  const runs = await Promise.all([submit("a"), submit("b")]);
  await all.promise;
  shared.length = 0;
  for (const { id } of runs) expect((await engine.wait(id)).status).toBe("completed");
  expect(new Set(shared)).toEqual(new Set([2]));
});
