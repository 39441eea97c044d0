import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import postgres from "postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";
import type { RunWrite } from "../../src/engine/run-store.ts";
import { settlesWithin } from "../../src/concurrency/settles-within.ts";
import { serve } from "../support/http.ts";
import { newRunRecord } from "../support/new-run-record.ts";
import { blocksRead } from "../support/postgres-reads.ts";
import { soonerThanByPolling } from "../support/polling.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";

async function open(url: string, options: EngineOptions = {}): Promise<DurableEngine> {
  const engine = await DurableEngine.connect(url, options);
  onTestFinished(() => engine.close());
  return engine;
}

const submission = (n: number) => ({ key: `k${n}`, fingerprint: "f", input: n });

describe.skipIf(!serverUrl)("workers on one PostgreSQL server (skipped without TEST_DATABASE_URL)", () => {
  it("are notified of each other's starts and ends", async () => {
    const url = await newDatabase();
    const worker = await open(url);
    worker.register("echo", async (input) => input);
    worker.startWorker();
    const starter = await open(url, { worker: false });
    starter.register("echo", async () => null);
    await soonerThanByPolling(100, async (n) => {
      const { id } = await starter.start("echo", submission(n));
      expect((await starter.wait(id)).output).toBe(n);
    });
  });

  it("never claim the same last slot, however many claim at once", async () => {
    const url = await newDatabase();
    const starter = await open(url, { worker: false });
    for (let n = 0; n < 20; n++) await starter.start("few", submission(n));
    const stores = await Promise.all(Array.from({ length: 6 }, () => PostgresRunStore.open(url)));
    onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
    const claim = async (store: PostgresRunStore, most: number) =>
      (await store.claim({ most, workflows: new Map([["few", 3]]), held: [] })).runs;
    const claimed = await Promise.all(stores.flatMap((store) => [1, 2, 1, 2].map((most) => claim(store, most))));
    const ids = claimed.flat().map(({ run }) => run.id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
  });

  it("claim each run once, however many poll at once", async () => {
    const url = await newDatabase();
    const starter = await open(url, { worker: false });
    for (let n = 0; n < 60; n++) await starter.start("echo", submission(n));
    const stores = await Promise.all(Array.from({ length: 4 }, () => PostgresRunStore.open(url)));
    onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
    const claimed = await Promise.all(
      stores.map(
        async (store) => (await store.claim({ most: 15, workflows: new Map([["echo", null]]), held: [] })).runs,
      ),
    );
    // A worker that finds that others were faster continues its search.
    expect(claimed.map(({ length }) => length)).toEqual([15, 15, 15, 15]);
    expect(new Set(claimed.flat().map(({ run }) => run.id)).size).toBe(60);
  });

  it("don't read the queues of other workflows to claim a run", async () => {
    const read = await blocksRead(await newDatabase(), 50_000, async (store) => {
      // Often enough for PostgreSQL to choose a generic plan.
      for (let n = 0; n < 10; n++) {
        for (const limit of [null, 5]) {
          expect((await store.claim({ most: 5, workflows: new Map([["mine", limit]]), held: [] })).runs).toEqual([]);
        }
      }
    });
    expect(read).toBeLessThan(1000);
  });

  it.each([
    ["there were no runs", 0],
    ["no run was due", 20_000],
  ])("read little of other runs to execute some, even with plans from when %s", async (_, history) => {
    const step = { step: "only", listed: true, time: Date.now() };
    let runs = 0;
    const execute = async (store: PostgresRunStore): Promise<void> => {
      const accepts = Array.from({ length: 10 }, () => newRunRecord("mine", `k${runs++}`));
      await store.write({ accepts, runs: [] });
      const again = await store.write({ accepts: accepts.map((run) => ({ ...run, id: randomUUID() })), runs: [] });
      expect(again.accepts.map(({ outcome }) => outcome)).toEqual(accepts.map(() => "existing"));
      const claimed = await store.claim({ most: 10, workflows: new Map([["mine", null]]), held: [] });
      const holds = claimed.runs.map(({ hold }) => hold);
      expect(holds).toHaveLength(10);
      const write = async (...writes: RunWrite[]): Promise<void> => {
        const outcome = await store.write({ accepts: [], runs: holds.map((hold) => ({ hold, writes })) });
        expect(outcome.runs).toEqual(holds.map(() => writes.map(() => "done")));
      };
      await write({ kind: "begin", ...step, isFlushed: true });
      await store.claim({ most: 10, workflows: new Map([["mine", null]]), held: holds });
      await write({ kind: "complete", ...step, outputJson: "1", isFlushed: true });
      await write({ kind: "park", subject: "reply" });
    };
    expect(await blocksRead(await newDatabase(), 60_000, execute, { history, before: execute })).toBeLessThan(5000);
  });

  it("give the next slot to the worker that has waited longest for it", async () => {
    const url = await newDatabase();
    const sql = postgres(url, { max: 1 });
    onTestFinished(() => sql.end());
    const waiting = async (): Promise<number> => (await sql`SELECT 1 FROM abi_workflows.waiting_workers`).count;
    const begun: { by: string; end: () => void }[] = [];
    const engines = await Promise.all(["one", "two", "three"].map(() => open(url)));
    const over = Promise.withResolvers<null>();
    onTestFinished(() => over.resolve(null)); // engines wait for their steps when they close
    for (const [index, engine] of engines.entries()) {
      const handler = () =>
        Promise.race([
          new Promise<null>((resolve) => begun.push({ by: `worker ${index}`, end: () => resolve(null) })),
          over.promise,
        ]);
      engine.register("single", (_, { step }) => step("only", handler), { concurrency: 1 });
      engine.startWorker();
    }
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push((await engines[0]!.start("single", submission(n))).id);
    for (let n = 0; n < 10; n++) {
      await expect.poll(() => begun.length).toBeGreaterThan(n);
      expect(begun).toHaveLength(n + 1);
      await expect.poll(waiting).toBe(3);
      begun[n]!.end();
    }
    // The very first worker may have queued again before the others arrived.
    const round = begun.slice(1, 4).map(({ by }) => by);
    expect(round.toSorted()).toEqual(["worker 0", "worker 1", "worker 2"]);
    expect(begun.slice(1, 10).map(({ by }) => by)).toEqual([...round, ...round, ...round]);
    for (let n = 10; n < 12; n++) {
      await expect.poll(() => begun.length).toBeGreaterThan(n);
      expect(begun).toHaveLength(n + 1);
      begun[n]!.end();
    }
    for (const id of ids) expect((await engines[0]!.wait(id)).status).toBe("completed");
  });

  it("keep their runs while callers occupy all their connections", async () => {
    const url = await newDatabase();
    const stores = await Promise.all([PostgresRunStore.open(url), PostgresRunStore.open(url)]);
    onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
    const [one, other] = stores;
    await one.write({ accepts: [newRunRecord("echo", "k")], runs: [] });
    const claim = async (store: PostgresRunStore) =>
      (await store.claim({ most: 1, workflows: new Map([["echo", null]]), held: [] })).runs;
    expect(await claim(one)).toHaveLength(1);
    // As long as a list of many runs may take.
    await statement(
      url,
      `CREATE OR REPLACE FUNCTION abi_workflows.hasten(run_id text) RETURNS boolean LANGUAGE sql
       AS $$ SELECT false FROM pg_sleep(8) $$`,
    );
    const busy = Promise.all(Array.from({ length: 4 }, () => one.hastenRetries()));
    while (!(await settlesWithin(busy, 100))) expect(await claim(other)).toEqual([]);
  });

  it("get the slot for which a worker waited that is killed with SIGKILL", async () => {
    const url = await newDatabase();
    const sql = postgres(url, { max: 1 });
    onTestFinished(() => sql.end());
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    // One slot: while it is taken, this worker asks for no slots of the workflow.
    const engine = await open(url, { concurrency: 1 });
    const handler = () => (entered.resolve(), gate.promise.then(() => "here"));
    engine.register("call", (_, { step }) => step("only", handler), { concurrency: 1 });
    const ids = [(await engine.start("call", submission(0))).id];
    await entered.promise;
    const script = join(import.meta.dirname, "../support/calling-worker-process.ts");
    const victim = spawn(process.execPath, [script, url, "victim", "http://127.0.0.1:1", "1"]);
    onTestFinished(() => void victim.kill("SIGKILL"));
    await once(victim.stdout, "data");
    ids.push((await engine.start("call", submission(1))).id);
    const waiting = async (): Promise<number> => (await sql`SELECT 1 FROM abi_workflows.waiting_workers`).count;
    await expect.poll(waiting).toBe(1);
    victim.kill("SIGKILL");
    await once(victim, "exit");
    gate.resolve();
    for (const id of ids) expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "here" });
  });

  it("each reach the limit of a workflow by themselves if the limit applies to each process", async () => {
    const url = await newDatabase();
    const begun: number[] = [];
    const both = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<null>();
    const engines = [];
    for (const which of [0, 1]) {
      const engine = await open(url, { concurrencyPer: "process" });
      const handler = () => {
        begun.push(which);
        if (new Set(begun).size === 2) both.resolve();
        return gate.promise;
      };
      engine.register("single", (_, { step }) => step("only", handler), { concurrency: 1 });
      engine.startWorker();
      engines.push(engine);
    }
    const ids: string[] = [];
    for (let n = 0; n < 6; n++) ids.push((await engines[0]!.start("single", submission(n))).id);
    await both.promise;
    expect(new Set(begun)).toEqual(new Set([0, 1]));
    expect(begun).toHaveLength(2);
    gate.resolve(null);
    for (const id of ids) expect((await engines[0]!.wait(id)).status).toBe("completed");
    expect(begun).toHaveLength(6);
  });

  it("keep the limit of a workflow together, reach it, and share the work, as separate processes", async () => {
    const url = await newDatabase();
    const limit = 3;
    const runs = 200;
    const reached = Promise.withResolvers<void>();
    let atWork = 0;
    let most = 0;
    const server = await serve(async (_request, response) => {
      most = Math.max(most, ++atWork);
      if (atWork === limit) reached.resolve();
      await reached.promise;
      // Before the answer, because whoever receives it may call again.
      atWork -= 1;
      response.end("done");
    });
    for (const name of ["one", "two"]) {
      const script = join(import.meta.dirname, "../support/calling-worker-process.ts");
      const child = spawn(process.execPath, [script, url, name, server.origin, String(limit)]);
      onTestFinished(() => void child.kill("SIGKILL"));
      await once(child.stdout, "data");
    }
    const starter = await open(url, { worker: false });
    starter.register("call", async () => null);
    const started = await Promise.all(Array.from({ length: runs }, (_, n) => starter.start("call", submission(n))));
    for (const { id } of started) expect((await starter.wait(id)).status).toBe("completed");
    expect(most).toBe(limit);
    expect(new Set(server.requests.map(({ path }) => path.split("/")[2])).size).toBe(runs);
    expect(server.requests).toHaveLength(runs);
    const byOne = server.requests.filter(({ path }) => path.startsWith("/one/")).length;
    expect(byOne).toBeGreaterThanOrEqual(runs / 4);
    expect(byOne).toBeLessThanOrEqual((runs * 3) / 4);
  });
});
