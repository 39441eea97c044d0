import postgres from "postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";
import type { ClaimedRun, Hold } from "../../src/engine/run-store.ts";
import { soonerThanByPolling } from "../support/polling.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";
import { canRunPostgres, startPostgres } from "../support/postgres-server.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const RUNS = 24;

async function open(url: string, options: EngineOptions = {}): Promise<DurableEngine> {
  const engine = await DurableEngine.connect(url, options);
  onTestFinished(() => engine.close());
  return engine;
}

/** The URL of a new database, and one that leads to it through a network that can be cut. */
async function openNetwork() {
  const direct = new URL(await newDatabase());
  const proxy = await startTcpProxy(Number(direct.port || 5432));
  const through = new URL(direct);
  through.port = String(proxy.port);
  return { direct: direct.href, through: through.href, proxy };
}

async function openStore(url: string): Promise<PostgresRunStore> {
  const store = await PostgresRunStore.open(url);
  onTestFinished(() => store.close());
  return store;
}

const claim = async (store: PostgresRunStore, most = 1, held: readonly Hold[] = []): Promise<readonly ClaimedRun[]> =>
  (await store.claim({ most, workflows: new Map([["echo", null]]), held })).runs;

/**
 * A gate that blocks work until the test opens it, and tells when the expected number has arrived.
 */
function gate(expected: number) {
  const arrived = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let count = 0;
  const pass = (): Promise<void> => {
    if (++count === expected) arrived.resolve();
    return opened.promise;
  };
  return { arrived: arrived.promise, open: opened.resolve, pass };
}

const submission = (n: number) => ({ key: `k${n}`, fingerprint: "f", input: n });

/**
 * A worker with `RUNS` runs in progress, four of them in the middle of their second step, and a
 * check of what must be true when they have ended, whatever happened to the database in between.
 */
async function underWay(url: string) {
  const worker = await open(url, { concurrency: 4 });
  const calls: string[] = [];
  const middle = gate(4);
  worker.register("three", async (input, { step }) => {
    await step("first", () => void calls.push(`${Number(input)} first`));
    await step("second", async () => {
      await middle.pass();
      calls.push(`${Number(input)} second`);
    });
    return step("third", () => calls.push(`${Number(input)} third`));
  });
  worker.register("echo", async (input) => input);
  const ids: string[] = [];
  for (let n = 0; n < RUNS; n++) ids.push((await worker.start("three", submission(n))).id);
  await middle.arrived;
  const completed = async (): Promise<void> => {
    for (const id of ids) expect(await worker.wait(id)).toMatchObject({ status: "completed" });
    const steps = ids.flatMap((_, n) => [`${n} first`, `${n} second`, `${n} third`]);
    expect(calls.toSorted()).toEqual(steps.toSorted());
  };
  const ended = async (): Promise<void> => {
    await completed();
    // It is notified of other processes again.
    const starter = await open(url, { worker: false });
    starter.register("echo", async () => null);
    await soonerThanByPolling(60, async (n) => starter.wait((await starter.start("echo", submission(n))).id));
  };
  return { worker, middle, completed, ended };
}

describe.skipIf(!serverUrl)("when connections to the database (skipped without TEST_DATABASE_URL)", () => {
  it("are all terminated in the middle of runs, nothing is lost and no step is repeated", async () => {
    const url = await newDatabase();
    const { middle, ended } = await underWay(url);
    const terminate = () =>
      statement(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    await terminate();
    middle.open();
    await terminate();
    await expect(ended()).resolves.toBeUndefined();
  });

  it("are terminated again and again while it reconnects, it is still notified of others", async () => {
    const url = await newDatabase();
    const worker = await open(url);
    worker.register("echo", async (input) => input);
    worker.startWorker();
    // The server warns about connections that have ended before it terminates them.
    const sql = postgres(url, { max: 1, onnotice: () => {} });
    onTestFinished(() => sql.end());
    for (let n = 0; n < 20; n++) {
      await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    }
    const starter = await open(url, { worker: false });
    starter.register("echo", async () => null);
    const echo = async (n: number) => starter.wait((await starter.start("echo", submission(n))).id);
    await expect(soonerThanByPolling(60, echo)).resolves.toBeUndefined();
  });

  it("break while a run is being claimed, it is due again when its lease has expired", async () => {
    const { direct, through, proxy } = await openNetwork();
    const starter = await open(direct, { worker: false });
    const { id } = await starter.start("echo", submission(0));
    const store = await openStore(through);
    const other = await openStore(direct);
    await claim(store, 0); // looks after the clock, so that the next look does nothing else
    proxy.loseAnswers();
    const lost = claim(store);
    lost.catch(() => {});
    await expect.poll(async () => (await starter.get(id))?.status).toBe("processing");
    const began = performance.now();
    proxy.cut();
    await expect(lost).rejects.toThrow("Connection terminated");
    expect(await claim(other)).toEqual([]);
    await expect.poll(async () => (await claim(other)).map(({ run }) => `workflow-${run.id}`)).toEqual([id]);
    expect(performance.now() - began).toBeLessThan(8000);
  });

  it("break and are refused for a while, nothing is lost and no step is repeated", async () => {
    const { through, proxy } = await openNetwork();
    const { worker, middle, ended } = await underWay(through);
    proxy.cut();
    // The steps end while nobody can store the result, and are retried often enough to give up.
    middle.open();
    await proxy.refused(30);
    await expect(worker.get("workflow-any")).rejects.toMatchObject({ code: "engine_unavailable", retriable: true });
    const starting = worker.start("echo", submission(1000));
    await proxy.refused(34);
    proxy.mend();
    expect(await starting).toMatchObject({ outcome: "created" });
    await ended();
  });

  it("are refused while it closes, it closes nevertheless", async () => {
    const { through, proxy } = await openNetwork();
    const { worker, middle } = await underWay(through);
    proxy.cut();
    middle.open();
    await expect(worker.close()).resolves.toBeUndefined();
  });

  it("stop answering, it closes nevertheless", async () => {
    const { through, proxy } = await openNetwork();
    const { worker, middle } = await underWay(through);
    proxy.silence();
    middle.open();
    await expect(worker.close()).resolves.toBeUndefined();
  });

  it("stop answering, waiting statements fail after a while, and later ones get a new connection", async () => {
    const fallsSilent = async (isAtWork: boolean, ask: (store: PostgresRunStore) => Promise<unknown>) => {
      const { direct, through, proxy } = await openNetwork();
      const engine = await open(direct, { worker: false });
      await engine.start("echo", submission(0));
      const store = await openStore(through);
      await claim(store, isAtWork ? 1 : 0);
      proxy.silence();
      await expect(ask(store)).rejects.toThrow(/timeout|Connection terminated/);
      proxy.mend();
      // Another statement that timed out at the same moment may break a connection once more.
      const works = () => claim(store).then(Array.isArray, () => false);
      await expect.poll(works).toBe(true);
    };
    await Promise.all([
      fallsSilent(false, (store) => store.byId("")),
      fallsSilent(false, (store) => claim(store)),
      // A list has no time limit: it fails together with the renewal of leases.
      fallsSilent(true, (store) => store.find({ limit: 1 })),
    ]);
  });
});

describe.skipIf(!canRunPostgres)("when the server of the database (skipped without PostgreSQL to run one)", () => {
  it.each(["fast", "immediate"] as const)(
    "is stopped (%s) in the middle of runs and started again, nothing is lost and no step is repeated",
    async (mode) => {
      const server = await startPostgres();
      const { worker, middle, ended } = await underWay(server.url);
      await server.stop(mode);
      middle.open();
      await expect(worker.get("workflow-any")).rejects.toMatchObject({ code: "engine_unavailable", retriable: true });
      await server.start();
      await ended();
      const sql = postgres(server.url, { max: 1 });
      onTestFinished(() => sql.end());
      expect((await sql`SELECT 1 FROM abi_workflows.runs WHERE status <> 'completed'`).count).toBe(0);
    },
  );
});
