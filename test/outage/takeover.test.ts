import postgres from "postgres";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunHandler } from "../../src/engine/engine.ts";
import { OpenWorkflowEngine, type EngineOptions } from "../../src/engine/open-workflow/open-workflow-engine.ts";
import { connectPostgres } from "../../src/engine/open-workflow/postgres-database.ts";
import { IoError } from "../../src/errors.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { newDatabase } from "../support/test-database.ts";

const submission = { key: "k", fingerprint: "f", input: null };
const retry = { attempts: 3, initialDelayMs: 3_600_000, maximumDelayMs: 3_600_000 };
const DUE = "UPDATE openworkflow.workflow_runs SET available_at = now()";

/** The handler, and what resolves when its first execution has returned or thrown. */
function watched(handler: RunHandler) {
  const returned = Promise.withResolvers<void>();
  const watching: RunHandler = async (...args) => handler(...args).finally(returned.resolve);
  return { handler: watching, returned: returned.promise };
}

/**
 * A worker is cut off in the middle of a run when `entered` resolves, and its lease runs out. Another goes on with the run until that
 * must wait for its retry, and ends. Then the first is back, and has claimed the run when this resolves.
 */
async function takenUpAgain(first: RunHandler, other: RunHandler, entered: Promise<void>) {
  const direct = new URL(await newDatabase());
  const proxy = await startTcpProxy(Number(direct.port || 5432));
  const through = new URL(direct);
  through.port = String(proxy.port);
  const putOff = Promise.withResolvers<void>();
  const write = (line: string): void => void (line.includes("a run is put off") && putOff.resolve());
  const open = async (url: string, handler: RunHandler, options: EngineOptions = {}) => {
    const engine = await OpenWorkflowEngine.connect(url, { retry, ...options });
    onTestFinished(() => engine.close());
    engine.register("mails", handler);
    engine.resume();
    return engine;
  };
  const engine = await open(through.href, first);
  const { id } = await engine.start("mails", submission);
  await entered;
  proxy.cut();
  await statement(direct.href, DUE);
  const heir = await open(direct.href, other, { logger: pino({ level: "info" }, { write }) });
  await putOff.promise;
  await heir.close();
  await statement(direct.href, DUE);
  proxy.mend();
  const sql = postgres(direct.href, { max: 1 });
  onTestFinished(() => sql.end());
  const takenUp = () => sql`SELECT 1 FROM openworkflow.workflow_runs WHERE status = 'running' OR status = 'completed'`;
  await expect.poll(async () => (await takenUp()).count).toBe(1);
  return { engine, id };
}

describe.skipIf(!serverUrl)("a worker that comes back to a run (TEST_DATABASE_URL names no server: skipped)", () => {
  it("with which another went on does what is not recorded, and its old execution nothing more", async () => {
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
    const { engine, id } = await takenUpAgain(own.handler, other, entered.promise);
    answer.resolve();
    await own.returned;
    expect(await engine.wait(id)).toMatchObject({ status: "completed", stepsCompleted: ["ticket", "mail", "note"] });
    expect(mails).toEqual(["other"]);
  });

  it("with which another went on is not ended by what becomes of its old execution", async () => {
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
    const { engine, id } = await takenUpAgain(own.handler, other, entered.promise);
    answer.resolve();
    await own.returned;
    expect(await engine.get(id)).toMatchObject({ status: "processing" });
    rest.resolve(null);
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
  });

  it("whose lease ran out under it while nobody else took it goes on with it, also when a step ends just as it looks for work", async () => {
    const url = await newDatabase();
    const database = await connectPostgres(url);
    const entered = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const recorded = Promise.withResolvers<void>();
    let mails = 0;
    let ranOut = false;
    const claim: typeof database.claim = async (...args) => {
      const looksAfterwards = ranOut;
      const run = await database.claim(...args);
      const isAgain = run !== null && mails > 0;
      if (looksAfterwards || isAgain) answer.resolve();
      if (isAgain) await recorded.promise;
      return run;
    };
    const completeStepAttempt: typeof database.backend.completeStepAttempt = (params) =>
      database.backend.completeStepAttempt(params).finally(recorded.resolve);
    const backend = Object.assign(Object.create(database.backend) as typeof database.backend, { completeStepAttempt });
    const engine = new OpenWorkflowEngine({ database: { ...database, backend, claim } });
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
});
