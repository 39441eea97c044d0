import postgres from "postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { OpenWorkflowEngine, type EngineOptions } from "../../src/engine/open-workflow/open-workflow-engine.ts";
import type { EngineDatabase } from "../../src/engine/open-workflow/engine-database.ts";
import { connectPostgres } from "../../src/engine/open-workflow/postgres-database.ts";
import { soonerThanByPolling } from "../support/polling.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";
import { canRunPostgres, startPostgres } from "../support/postgres-server.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const RUNS = 24;

async function open(url: string, options: EngineOptions = {}): Promise<OpenWorkflowEngine> {
  const engine = await OpenWorkflowEngine.connect(url, options);
  onTestFinished(() => engine.close());
  return engine;
}

/** A gate that work waits at until the test opens it, and that tells when so many have come. */
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
 * A worker with `RUNS` runs under way, four of them in the middle of their second step, and what must be true when they have ended,
 * whatever has become of the database meanwhile.
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
    // And it hears again of what others do.
    const starter = await open(url, { worker: false });
    starter.register("echo", async () => null);
    await soonerThanByPolling(60, async (n) => starter.wait((await starter.start("echo", submission(n))).id));
  };
  return { worker, middle, completed, ended };
}

describe.skipIf(!serverUrl)("when connections to the database (skipped without TEST_DATABASE_URL)", () => {
  it("are all terminated in the middle of runs, nothing is lost and no step is repeated", async () => {
    const url = await newDatabase();
    const { middle, completed } = await underWay(url);
    const terminate = () =>
      statement(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    await terminate();
    middle.open();
    await terminate();
    // Whether it hears of others at once again is left open: a listening connection that is terminated while it is made anew is not
    // always made once more, and then others' runs are found by polling, each second.
    await expect(completed()).resolves.toBeUndefined();
  });

  it("break while a run is claimed, another slot of the same worker claims it at once", async () => {
    const direct = new URL(await newDatabase());
    const proxy = await startTcpProxy(Number(direct.port || 5432));
    const through = new URL(direct);
    through.port = String(proxy.port);
    const starter = await open(direct.href, { worker: false });
    const { id } = await starter.start("echo", submission(0));
    const database = await connectPostgres(through.href);
    onTestFinished(() => database.close());
    const claim = (workerId: string) =>
      database.claim({ workerId, leaseDurationMs: 30_000 }, new Map([["echo", null]]), new Map());
    const sql = postgres(direct.href, { max: 1 });
    onTestFinished(() => sql.end());
    await sql`SELECT pg_advisory_lock(hashtextextended('abi-workflows/claims', 0))`;
    const lost = claim("a");
    const queue = () => sql`SELECT 1 FROM pg_locks
      WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    await expect.poll(async () => (await queue()).count).toBe(1);
    proxy.cut();
    await expect(lost).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
    await sql`SELECT pg_advisory_unlock_all()`;
    await expect.poll(async () => (await starter.get(id))?.status).toBe("processing");
    proxy.mend();
    expect(await claim("b")).toMatchObject({ id: id.slice("workflow-".length), attempts: 1 });
    // What it has heard of is at work.
    await starter.start("echo", submission(1));
    expect(await claim("a")).not.toBeNull();
    expect(await claim("c")).toBeNull();
  });

  it("break while a run is claimed that then has to wait for a place, it is listed as started until it has one", async () => {
    const url = await newDatabase();
    const engine = await open(url, { worker: false });
    const { id } = await engine.start("echo", submission(0));
    const sql = postgres(url, { max: 1 });
    onTestFinished(() => sql.end());
    const claim = (slot: string, most: number, unanswered: string[]) => sql`
      SELECT id FROM openworkflow.claim_run_5('a', ${slot}, '30 seconds', ${sql.json({ echo: most })}, '{}', ${sql.json(unanswered)})`;
    expect(await claim("lost", 1, [])).toHaveLength(1);
    expect(await claim("next", 0, ["lost"])).toHaveLength(0);
    expect(await engine.get(id)).toMatchObject({ status: "started" });
    expect(await engine.list({ status: "started" })).toHaveLength(1);
    expect(await engine.list({ status: "processing" })).toEqual([]);
  });

  it("break and are refused for a while, nothing is lost and no step is repeated", async () => {
    const direct = new URL(await newDatabase());
    const proxy = await startTcpProxy(Number(direct.port || 5432));
    const through = new URL(direct);
    through.port = String(proxy.port);
    const { worker, middle, ended } = await underWay(through.href);
    proxy.cut();
    // Done while nobody can write it down, and tried often enough to give up.
    middle.open();
    await proxy.refused(60);
    await expect(worker.get("workflow-any")).rejects.toMatchObject({ code: "engine_unavailable", retriable: true });
    const starting = worker.start("echo", submission(1000));
    await proxy.refused(64);
    proxy.mend();
    expect(await starting).toMatchObject({ outcome: "created" });
    await ended();
  });

  it("are refused while it closes, it closes all the same", async () => {
    const direct = new URL(await newDatabase());
    const proxy = await startTcpProxy(Number(direct.port || 5432));
    const through = new URL(direct);
    through.port = String(proxy.port);
    const { worker, middle } = await underWay(through.href);
    proxy.cut();
    middle.open();
    await expect(worker.close()).resolves.toBeUndefined();
  });

  it("fall silent, it closes all the same", async () => {
    const direct = new URL(await newDatabase());
    const proxy = await startTcpProxy(Number(direct.port || 5432));
    const through = new URL(direct);
    through.port = String(proxy.port);
    const { worker, middle } = await underWay(through.href);
    proxy.silence();
    middle.open();
    await expect(worker.close()).resolves.toBeUndefined();
  });

  it("fall silent, a claim and the renewal of a lease fail after a while, and what comes next has a new connection", async () => {
    const slot = { workerId: "a", leaseDurationMs: 30_000 };
    const claim = (database: EngineDatabase) => database.claim(slot, new Map([["echo", null]]), new Map());
    const fallsSilent = async (work: (database: EngineDatabase, workflowRunId: string) => Promise<unknown>) => {
      const direct = new URL(await newDatabase());
      const proxy = await startTcpProxy(Number(direct.port || 5432));
      const through = new URL(direct);
      through.port = String(proxy.port);
      const engine = await open(direct.href, { worker: false });
      const { id } = await engine.start("echo", submission(0));
      const database = await connectPostgres(through.href);
      onTestFinished(() => database.close());
      const runId = (await claim(database))!.id;
      expect(id).toContain(runId);
      proxy.silence();
      const unanswered = work(database, runId);
      proxy.mend();
      await expect(unanswered).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
      // By then its lease may have run out.
      await expect(claim(database)).resolves.toBeDefined();
    };
    await Promise.all([
      fallsSilent(claim),
      fallsSilent(({ backend }, workflowRunId) => backend.extendWorkflowRunLease({ workflowRunId, ...slot })),
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
      expect((await sql`SELECT 1 FROM openworkflow.workflow_runs WHERE status <> 'completed'`).count).toBe(0);
    },
  );
});
