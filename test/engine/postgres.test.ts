import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import postgres from "postgres";
import { describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";
import { settlesWithin } from "../../src/concurrency/settles-within.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import { workflowEngineContract } from "../contract/workflow-engine.ts";
import { createDatabase, serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";
import { decideAfterKill, meanwhile } from "./waiting.ts";

describe.skipIf(!serverUrl)("with a PostgreSQL server (skipped without TEST_DATABASE_URL)", () => {
  workflowEngineContract("DurableEngine on PostgreSQL", () => {
    const created = createDatabase();
    return {
      open: async (options) => DurableEngine.connect((await created).url, { concurrency: 4, ...options }),
      destroy: async () => (await created).drop(),
    };
  });

  it("lets one worker finish a run that another, killed with SIGKILL, had begun, and repeats no completed step", async () => {
    const database = await newDatabase();
    const said: string[] = [];
    const waiting: { words: string; resolve: () => void }[] = [];
    const worker = (name: string) => {
      const child = spawn(process.execPath, [
        join(import.meta.dirname, "../support/worker-process.ts"),
        database,
        name,
      ]);
      onTestFinished(() => void child.kill("SIGKILL"));
      child.stdout.on("data", (chunk: Buffer) => {
        said.push(...chunk.toString().trim().split("\n"));
        for (const { words, resolve } of waiting) if (said.includes(words)) resolve();
      });
      return child;
    };
    const heard = (words: string) =>
      said.includes(words) ? undefined : new Promise<void>((resolve) => waiting.push({ words, resolve }));

    const victim = worker("victim");
    await heard("ready");
    const client = await DurableEngine.connect(database, { worker: false });
    client.register("shared", async () => null);
    const { id } = await client.start("shared", { key: "k", fingerprint: "f", input: { hold: true } });
    await heard("victim second");
    victim.kill("SIGKILL");
    // It need not wait for longer than a lease.
    const sql = postgres(database, { max: 1 });
    onTestFinished(() => sql.end());
    expect(
      await sql`SELECT 1 FROM abi_workflows.runs WHERE lease_ends_at <= abi_workflows.now_ms() + 5000`,
    ).toHaveLength(1);
    worker("heir");
    const run = await client.wait(id);
    await client.close();
    expect(run).toMatchObject({ status: "completed", output: "heir", stepsCompleted: ["first", "second"] });
    expect(said.filter((words) => words !== "ready")).toEqual(["victim first", "victim second", "heir second"]);
  });

  it("knows which runs a worker has claimed before, even if that worker stored nothing about them", async () => {
    const database = await newDatabase();
    const store = await PostgresRunStore.open(database);
    onTestFinished(() => store.close());
    const run = { workflow: "w", fingerprint: "f", inputJson: "null", priority: 0 };
    const claim = async () => {
      const { runs } = await store.claim({ most: 4, workflows: new Map([["w", null]]), held: [] });
      return runs.map(({ run: { key }, isFirstExecution }) => [key, isFirstExecution] as const);
    };
    await store.write({ accepts: [{ ...run, id: randomUUID(), key: "one" }], runs: [] });
    expect(await claim()).toEqual([["one", true]]);
    await store.write({ accepts: [{ ...run, id: randomUUID(), key: "two" }], runs: [] });
    expect(await claim()).toEqual([["two", true]]);
    // As if the leases had ended because the worker died.
    await statement(database, "UPDATE abi_workflows.runs SET lease_ends_at = 0");
    expect(Object.fromEntries(await claim())).toEqual({ one: false, two: false });
  });

  it("keeps a run that waits for a person when its process is killed with SIGKILL", async () => {
    const database = await newDatabase();
    const { run, steps } = await decideAfterKill(database, () => DurableEngine.connect(database));
    expect(run).toMatchObject({ status: "completed", output: "approved", stepsCompleted: ["drafted", "sent"] });
    expect(steps).toEqual(["sent"]);
  });

  it("sees a decision and a cancellation made between its last check and the wait", async () => {
    const database = await newDatabase();
    const connected = async () => PostgresRunStore.open(database);
    const decided = await meanwhile(await connected(), (engine, id) => engine.decide(id, "draft-1", "yes"));
    expect(decided).toMatchObject({ status: "completed", output: "yes" });
    const cancelled = await meanwhile(await connected(), (engine, id) => engine.cancel(id));
    expect(cancelled).toMatchObject({ status: "cancelled" });
  });

  it("reports at once that characters outside the database's encoding can't be stored, and repeats no effect because of them", async () => {
    const url = await newDatabase("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    const engine = await DurableEngine.connect(url, {
      retry: { attempts: 3, initialDelayMs: 1, maximumDelayMs: 1 },
    });
    onTestFinished(() => engine.close());
    let effects = 0;
    engine.register("step", async (_, { step }) => step("sent", () => (++effects, "😀")));
    engine.register("name", async (_, { step }) => step("😀", () => ++effects));
    engine.register("handler", async () => "😀");
    const fails = (): never => {
      throw new IoError("😀");
    };
    engine.register("failing_step", async (_, { step }) => step("sent", fails));
    engine.register("failing_handler", fails);
    engine.register("decision", async (_, { decision }) => (await decision("draft-1")).value);
    const submission = { key: "k", fingerprint: "f", input: "é" };
    const refused = { type: "validation_error", code: "not_storable", message: expect.stringContaining("encoding") };
    await expect(engine.start("step", { ...submission, input: "😀" })).rejects.toMatchObject(refused);
    for (const workflow of ["step", "name", "handler", "failing_step", "failing_handler"]) {
      const { id } = await engine.start(workflow, submission);
      expect(await engine.wait(id)).toMatchObject({
        status: "failed",
        error: { error_code: "not_storable", error_type: "unexpected_error", retriable: false },
      });
    }
    expect(effects).toBe(1);
    const { id } = await engine.start("decision", submission);
    await engine.wait(id);
    await expect(engine.decide(id, "draft-1", "😀")).rejects.toMatchObject(refused);
  });

  it("never answers a submission with a run that is forgotten at the same time", async () => {
    const url = await newDatabase();
    const engine = await DurableEngine.connect(url);
    onTestFinished(() => engine.close());
    let isAway = true;
    engine.register("mail", async () => {
      if (isAway) throw new ValidationError("no");
      return "sent";
    });
    const submission = { key: "k", fingerprint: "f", input: null };
    const first = await engine.start("mail", submission);
    await engine.wait(first.id);
    isAway = false;
    // Between finding the run and claiming it again.
    await statement(
      url,
      `ALTER FUNCTION abi_workflows.resume RENAME TO resume_at_once;
       CREATE FUNCTION abi_workflows.resume(run_id text, available_at bigint) RETURNS boolean LANGUAGE plpgsql AS $$
       BEGIN
         PERFORM pg_advisory_xact_lock(1);
         RETURN abi_workflows.resume_at_once(run_id, available_at);
       END $$`,
    );
    const sql = postgres(url, { max: 1 });
    onTestFinished(() => sql.end());
    await sql`SELECT pg_advisory_lock(1)`;
    const starting = engine.start("mail", submission);
    const waiting = async (): Promise<number> =>
      (await sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).count;
    await expect.poll(waiting).toBe(1);
    const forgetting = engine.forget(first.id);
    // It waits for the submission; if it doesn't, it has deleted the run by now.
    while ((await waiting()) < 2 && !(await settlesWithin(forgetting, 20)));
    await sql`SELECT pg_advisory_unlock(1)`;
    const { id } = await starting;
    expect(await forgetting).toBe(id !== first.id);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "sent" });
  });

  it.each(["new", "older"])(
    "opens safely if ten processes open a database that is %s at the same time",
    async (age) => {
      const database = await newDatabase();
      if (age === "older") {
        const store = await PostgresRunStore.open(database);
        await store.index("customer_id");
        await store.close();
        await statement(database, "DROP INDEX abi_workflows.in_customer_id");
      }
      const engines = await Promise.all(Array.from({ length: 10 }, () => DurableEngine.connect(database)));
      for (const engine of engines) {
        engine.register("once", async (_, { runId }) => runId, { indexedFields: ["customer_id"] });
      }
      const started = await Promise.all(
        Array.from({ length: 64 }, (_, n) =>
          engines[n % 10]!.start("once", { key: "same", fingerprint: "f", input: null }),
        ),
      );
      expect(new Set(started.map(({ id }) => id)).size).toBe(1);
      expect(started.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
      expect(await engines[7]!.wait(started[0]!.id)).toMatchObject({ status: "completed", output: started[0]!.id });
      for (const engine of engines) await engine.close();
      // This fails if the index is missing.
      await statement(database, "DROP INDEX abi_workflows.in_customer_id");
    },
  );
});
