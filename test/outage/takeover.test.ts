import { spawn } from "node:child_process";
import { join } from "node:path";
import postgres from "postgres";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunHandler } from "../../src/engine/engine.ts";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import { PostgresRunStore } from "../../src/engine/postgres/postgres-run-store.ts";
import type { RunStore } from "../../src/engine/run-store.ts";
import { IoError } from "../../src/errors.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { newDatabase } from "../support/test-database.ts";
import { troubledStore } from "../support/troubled-store.ts";

const submission = { key: "k", fingerprint: "f", input: null };
const retry = { attempts: 3, initialDelayMs: 3_600_000, maximumDelayMs: 3_600_000 };
/** Makes leases expire and retries due. */
const DUE = `UPDATE abi_workflows.runs SET due_at = CASE WHEN due_at IS NOT NULL THEN 0 END,
  lease_ends_at = CASE WHEN lease_ends_at IS NOT NULL THEN 0 END`;

/** The handler, and a promise that resolves when its first execution has returned or thrown. */
function watched(handler: RunHandler) {
  const returned = Promise.withResolvers<void>();
  const watching: RunHandler = async (...args) => handler(...args).finally(returned.resolve);
  return { handler: watching, returned: returned.promise };
}

/**
 * A worker is cut off in the middle of a run when `entered` resolves, and its lease expires.
 * Another continues the run until it must wait for its retry, and ends. When this resolves, the
 * first worker is back and has claimed the run.
 */
async function claimedAgain(first: RunHandler, other: RunHandler, entered: Promise<void>) {
  const direct = new URL(await newDatabase());
  const proxy = await startTcpProxy(Number(direct.port || 5432));
  const through = new URL(direct);
  through.port = String(proxy.port);
  const rescheduled = Promise.withResolvers<void>();
  const write = (line: string): void => void (line.includes("a run is rescheduled") && rescheduled.resolve());
  const open = async (url: string, handler: RunHandler, options: EngineOptions = {}) => {
    const engine = await DurableEngine.connect(url, { retry, ...options });
    onTestFinished(() => engine.close());
    engine.register("mails", handler);
    engine.startWorker();
    return engine;
  };
  const engine = await open(through.href, first);
  const { id } = await engine.start("mails", submission);
  await entered;
  proxy.cut();
  await statement(direct.href, DUE);
  const heir = await open(direct.href, other, { logger: pino({ level: "info" }, { write }) });
  await rescheduled.promise;
  await heir.close();
  await statement(direct.href, DUE);
  proxy.mend();
  const sql = postgres(direct.href, { max: 1 });
  onTestFinished(() => sql.end());
  const claimed = () => sql`SELECT 1 FROM abi_workflows.runs WHERE lease_ends_at IS NOT NULL OR status = 'completed'`;
  await expect.poll(async () => (await claimed()).count).toBe(1);
  return { engine, id };
}

describe.skipIf(!serverUrl)("a worker that comes back to a run (TEST_DATABASE_URL names no server: skipped)", () => {
  it("that another worker has continued does the unrecorded steps, and its old execution does nothing more", async () => {
    const entered = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    onTestFinished(() => answer.resolve());
    const mails: string[] = [];
    const sending = (name: string, { ticket, note }: { ticket: () => unknown; note: () => void }): RunHandler => {
      return async (_, { step }) => {
        await step("ticket", async () => void (await ticket()));
        await step("mail", () => void mails.push(name));
        await step("note", note);
        return null;
      };
    };
    const own = watched(sending("first", { ticket: () => (entered.resolve(), answer.promise), note: () => {} }));
    const away = (): void => {
      throw new IoError("away");
    };
    const other = sending("other", { ticket: () => {}, note: away });
    const { engine, id } = await claimedAgain(own.handler, other, entered.promise);
    answer.resolve();
    await own.returned;
    expect(await engine.wait(id)).toMatchObject({ status: "completed", stepsCompleted: ["ticket", "mail", "note"] });
    expect(mails).toEqual(["other"]);
  });

  it("that another worker has continued does not let its old execution end the run", async () => {
    const entered = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<null>();
    onTestFinished(() => (answer.resolve(), rest.resolve(null)));
    let executions = 0;
    const own = watched(async (_, { step }) => {
      executions += 1;
      if (executions > 1) return step("mail", () => rest.promise);
      entered.resolve();
      await answer.promise;
      throw new TypeError("a broken handler");
    });
    const other: RunHandler = (_, { step }) =>
      step("mail", () => {
        throw new IoError("away");
      });
    const { engine, id } = await claimedAgain(own.handler, other, entered.promise);
    answer.resolve();
    await own.returned;
    expect(await engine.get(id)).toMatchObject({ status: "processing" });
    rest.resolve(null);
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
  });

  it("whose lease expired while no other worker claimed it continues the run, even if a step ends just as it polls", async () => {
    const url = await newDatabase();
    const store = await PostgresRunStore.open(url);
    const entered = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    let mails = 0;
    let ranOut = false;
    const claim: RunStore["claim"] = async (request) => {
      const looksAfterwards = ranOut;
      const claimed = await store.claim(request);
      if (looksAfterwards || (claimed.runs.length > 0 && mails > 0)) answer.resolve();
      return claimed;
    };
    const engine = new DurableEngine({ store: troubledStore(store, { claim }) });
    onTestFinished(() => (answer.resolve(), engine.close()));
    engine.register("mails", (_, { step }) =>
      step("mail", async () => {
        mails += 1;
        entered.resolve();
        await answer.promise;
        return mails;
      }),
    );
    const { id } = await engine.start("mails", submission);
    await entered.promise;
    await statement(url, DUE);
    ranOut = true;
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
    expect(mails).toBe(1);
  });

  it("keeps its runs while all its slots are busy for longer than a lease", async () => {
    const url = await newDatabase();
    const answer = Promise.withResolvers<string>();
    const entered = Promise.withResolvers<void>();
    onTestFinished(() => answer.resolve("late"));
    const handler =
      (): RunHandler =>
      (_, { step }) =>
        step("mail", () => (entered.resolve(), answer.promise));
    const [holder, other] = [await DurableEngine.connect(url, { concurrency: 1 }), await DurableEngine.connect(url)];
    onTestFinished(async () => void (await Promise.all([holder.close(), other.close()])));
    holder.register("mails", handler());
    const { id } = await holder.start("mails", submission);
    await entered.promise;
    const took: string[] = [];
    other.register("mails", (_, { step }) => step("mail", () => took.push("other")));
    other.startWorker();
    const sql = postgres(url, { max: 1 });
    onTestFinished(() => sql.end());
    const lease = async (): Promise<number> => {
      const [run] = await sql<{ lease: number }[]>`SELECT lease_ends_at::float8 AS lease FROM abi_workflows.runs`;
      return run!.lease;
    };
    const first = await lease();
    // It was renewed more than once since the first lease would have ended.
    await expect.poll(lease).toBeGreaterThan(first + 8000);
    answer.resolve("here");
    expect(await holder.wait(id)).toMatchObject({ output: "here" });
    expect(took).toEqual([]);
  });

  it("after being stopped begins no step once another worker has taken the run over, which takes at most eight seconds", async () => {
    const url = await newDatabase();
    const script = join(import.meta.dirname, "../support/worker-process.ts");
    const victim = spawn(process.execPath, [script, url, "victim"]);
    onTestFinished(() => void victim.kill("SIGKILL"));
    const said: string[] = [];
    const waiting: { words: string; resolve: () => void }[] = [];
    victim.stdout.on("data", (chunk: Buffer) => {
      said.push(...chunk.toString().trim().split("\n"));
      for (const { words, resolve } of waiting) if (said.includes(words)) resolve();
    });
    const heard = (words: string) =>
      said.includes(words) ? undefined : new Promise<void>((resolve) => waiting.push({ words, resolve }));
    await heard("ready");
    const heir = await DurableEngine.connect(url, { concurrency: 4 });
    onTestFinished(() => heir.close());
    const { id } = await heir.start("shared", { ...submission, input: { hold: true } });
    await heard("victim second");
    victim.kill("SIGSTOP");
    const stopped = performance.now();
    const steps: string[] = [];
    const another = await DurableEngine.connect(url, { concurrency: 4 });
    onTestFinished(() => another.close());
    another.register("shared", async (_, { step }) => {
      await step("first", () => steps.push("first"));
      await step("second", () => steps.push("second"));
      return "heir";
    });
    another.startWorker();
    expect(await another.wait(id)).toMatchObject({ status: "completed", output: "heir" });
    expect(performance.now() - stopped).toBeLessThan(8000);
    victim.kill("SIGCONT");
    // It continues to execute the runs that it holds.
    const { id: later } = await another.start("shared", { ...submission, key: "later", input: { hold: false } });
    expect(await another.wait(later)).toMatchObject({ status: "completed" });
    expect(steps.slice(0, 1)).toEqual(["second"]);
    expect((await another.history(id)).map(({ step, status }) => `${step} ${status}`)).toEqual([
      "first completed",
      "second died",
      "second completed",
    ]);
  });
});
