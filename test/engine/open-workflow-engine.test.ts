import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { pino } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { RunHandler } from "../../src/engine/engine.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import { silentLogger } from "../../src/log.ts";
import { WorkerLoop } from "../../src/engine/open-workflow/worker-loop.ts";
import { OpenWorkflowEngine } from "../../src/engine/open-workflow/open-workflow-engine.ts";
import { openSqliteDatabase } from "../../src/engine/open-workflow/sqlite-database.ts";
import { workflowEngineContract } from "../contract/workflow-engine.ts";
import { temporaryFolder } from "../support/folder.ts";
import { decideAfterKill, meanwhile } from "./waiting.ts";

workflowEngineContract("OpenWorkflowEngine on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "abi-engine-"));
  return {
    open: (options) => new OpenWorkflowEngine({ path: join(folder, "runs.sqlite"), concurrency: 4, ...options }),
    destroy: () => rmSync(folder, { recursive: true, force: true }),
  };
});

describe("OpenWorkflowEngine", () => {
  it("works in memory", async () => {
    const engine = new OpenWorkflowEngine({ path: ":memory:" });
    engine.register("echo", async (input) => input);
    const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    expect((await engine.wait(id)).output).toBe("hi");
    await engine.close();
  });

  it("refuses a second worker on the same file; a reader is welcome", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new OpenWorkflowEngine({ path });
    engine.register("echo", async (input) => input);
    const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    await engine.wait(id);
    expect(() => new OpenWorkflowEngine({ path })).toThrow(/already open in this process/);
    const reader = new OpenWorkflowEngine({ path, worker: false });
    expect((await reader.get(id))?.status).toBe("completed");
    await reader.close();
    await engine.close();
    await new OpenWorkflowEngine({ path }).close();
  });

  it("says so when the file is no database", () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    writeFileSync(path, "this is not a database, whatever its name says. ".repeat(50));
    expect(() => new OpenWorkflowEngine({ path })).toThrow(/cannot be opened/);
  });

  it("waits for another process that makes the tables of a new file", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const other = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       const database = new (require("node:sqlite").DatabaseSync)(workerData);
       database.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; CREATE TABLE a (b)");
       parentPort.postMessage("begun");
       setTimeout(() => database.exec("COMMIT"), 300);`,
      { eval: true, workerData: path },
    );
    const ended = once(other, "exit");
    await once(other, "message");
    const engine = new OpenWorkflowEngine({ path, worker: false });
    expect(await engine.list()).toEqual([]);
    await engine.close();
    await ended;
  });

  it("goes on after kill -9 from the step that was at work, at once, repeating no completed step", async () => {
    const folder = temporaryFolder();
    const child = (): ReturnType<typeof spawn> =>
      spawn(process.execPath, [join(import.meta.dirname, "../support/engine-process.ts"), folder], {
        stdio: ["ignore", "pipe", "inherit"],
      });
    const calls = (): string[] => readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
    const said = async (process: ReturnType<typeof spawn>, word: string): Promise<void> => {
      for await (const chunk of process.stdout!) if (String(chunk).includes(word)) return;
      throw new Error(`the process ended without saying ${word}`);
    };
    writeFileSync(join(folder, "calls"), "");

    for (const at of ["second", "third"]) {
      const victim = child();
      await said(victim, at);
      victim.kill("SIGKILL");
      await once(victim, "exit");
      writeFileSync(join(folder, `let-${at}-pass`), "");
    }
    const last = child();
    await said(last, "completed");
    await once(last, "exit");
    expect(calls()).toEqual(["first", "second", "second", "third", "third"]);
  });

  it("keeps a run that waits for a person when its process is killed with -9", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const { run, steps } = await decideAfterKill(path, () => new OpenWorkflowEngine({ path }));
    expect(run).toMatchObject({ status: "completed", output: "approved", stepsCompleted: ["drafted", "sent"] });
    expect(steps).toEqual(["sent"]);
  });

  it("leaves a waiting run alone however far the clock goes", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new OpenWorkflowEngine({ path });
    onTestFinished(() => engine.close());
    let executions = 0;
    engine.register("mail", async (_, { decision }) => {
      executions++;
      return (await decision("draft-1")).value;
    });
    engine.register("quick", async () => null);
    const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
    await engine.wait(id);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("9999-12-30T00:00:00Z") });
    onTestFinished(() => void vi.useRealTimers());
    for (const key of ["1", "2"]) {
      const quick = await engine.start("quick", { key, fingerprint: "f", input: null });
      expect(await engine.wait(quick.id)).toMatchObject({ status: "completed" });
    }
    expect(await engine.get(id)).toMatchObject({ status: "waiting_for_approval" });
    expect(executions).toBe(1);
  });

  it("sees a decision between its last look and the wait", async () => {
    const run = await meanwhile(openSqliteDatabase(":memory:", true), (engine, id) =>
      engine.decide(id, "draft-1", "yes"),
    );
    expect(run).toMatchObject({ status: "completed", output: "yes" });
  });

  it("sees a cancellation between its last look and the wait", async () => {
    const run = await meanwhile(openSqliteDatabase(":memory:", true), (engine, id) => engine.cancel(id));
    expect(run).toMatchObject({ status: "cancelled" });
  });

  it("goes on although the decision comes before the engine has heard that the run waits", async () => {
    const database = openSqliteDatabase(":memory:", true);
    const { queries } = database;
    const again = Promise.withResolvers<void>();
    const park = queries.park.bind(queries);
    queries.park = async (...args) => {
      const parked = await park(...args);
      await engine.decide((await engine.list())[0]!.id, "draft-1", "yes");
      await again.promise;
      return parked;
    };
    const engine = new OpenWorkflowEngine({ database });
    onTestFinished(() => engine.close());
    let executions = 0;
    engine.register("mail", async (_, { decision }) => {
      if (++executions === 2) again.resolve();
      return (await decision("draft-1")).value;
    });
    const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
    await expect.poll(async () => (await engine.get(id))?.output).toBe("yes");
  });

  it("gives up a step that kills its process every time, and says so", async () => {
    const folder = temporaryFolder();
    const attempt = () =>
      spawnSync(process.execPath, [join(import.meta.dirname, "../support/dying-process.ts"), folder], {
        encoding: "utf8",
      });
    for (const _ of [1, 2, 3]) expect(attempt()).toMatchObject({ signal: "SIGKILL", stdout: "" });
    const last = attempt();
    expect(last.status).toBe(0);
    expect(JSON.parse(last.stdout)).toMatchObject({
      status: "failed",
      error: {
        error: expect.stringMatching(/^The step die was at work 3 times when its process ended/),
        error_code: "step_died",
        retriable: false,
      },
      history: ["died", "died", "died", "failed"],
    });
  });

  it("goes on by itself after the database was out of order in the middle of a run", async () => {
    const database = openSqliteDatabase(":memory:", true);
    const { backend } = database;
    let healthy = false;
    let effects = 0;
    const createStepAttempt: typeof backend.createStepAttempt = async (params) => {
      if (!healthy && params.stepName === "second") throw new Error("SQLITE_FULL: database or disk is full");
      return backend.createStepAttempt(params);
    };
    const troubled = Object.assign(Object.create(backend) as typeof backend, { createStepAttempt });
    const engine = new OpenWorkflowEngine({ database: { ...database, backend: troubled } });
    engine.register("two", async (_, { step }) => {
      await step("first", () => ++effects);
      return step("second", () => ++effects);
    });
    const { id } = await engine.start("two", { key: "k", fingerprint: "f", input: null });
    const waiting = engine.wait(id);
    await expect.poll(async () => (await engine.get(id))?.stepsCompleted).toEqual(["first"]);
    healthy = true;
    expect(await waiting).toMatchObject({ status: "completed", output: 2 });
    await engine.close();
  });

  it("writes a step's result down although the database fails at first, says so once, and does not repeat the step", async () => {
    const database = openSqliteDatabase(":memory:", true);
    const { backend } = database;
    let failures = 7;
    const completeStepAttempt: typeof backend.completeStepAttempt = async (params) => {
      if (failures-- > 0) throw new Error("database is locked");
      return backend.completeStepAttempt(params);
    };
    const troubled = Object.assign(Object.create(backend) as typeof backend, { completeStepAttempt });
    const warned: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => void warned.push(line) });
    const engine = new OpenWorkflowEngine({ database: { ...database, backend: troubled }, logger });
    let mails = 0;
    engine.register("mail", async (_, { step }) => step("sent", () => ++mails));
    const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
    expect(mails).toBe(1);
    expect(warned).toEqual([expect.stringContaining("does not take what a run has done; trying on")]);
    await engine.close();
  });

  it("tries a step that has failed for good again each time that its run is taken up, though the clock stands still", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const engine = new OpenWorkflowEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    let attempts = 0;
    engine.register("mail", async (_, { step }) =>
      step("sent", () => {
        if (++attempts < 4) throw new ValidationError("no");
        return "sent";
      }),
    );
    const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
    for (const expected of [1, 2, 3]) {
      expect(await engine.wait(id)).toMatchObject({ status: "failed" });
      expect(attempts).toBe(expected);
      await engine.retry(id);
    }
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "sent" });
  });

  it("tries a step that has failed for good again where a version that counted no attempts has taken its run up", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new OpenWorkflowEngine({ path });
    onTestFinished(() => engine.close());
    let attempts = 0;
    engine.register("mail", async (_, { step }) =>
      step("sent", () => {
        if (++attempts === 1) throw new ValidationError("no");
        return "sent";
      }),
    );
    const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
    expect(await engine.wait(id)).toMatchObject({ status: "failed" });
    const other = new DatabaseSync(path);
    other
      .prepare(
        `UPDATE workflow_runs SET status = 'pending', attempts = 0, available_at = $now, finished_at = NULL, error = NULL, worker_id = NULL,
           config = json_set('{}', '$.resubmitted_at', $now)`,
      )
      .run({ $now: new Date().toISOString() });
    other.close();
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "sent" });
  });

  it("does not cancel a run that another has by now", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new OpenWorkflowEngine({ path });
    onTestFinished(() => engine.close());
    const entered = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const left = Promise.withResolvers<unknown>();
    engine.register("looked_at", async (_, { decision }) => {
      entered.resolve();
      await answer.promise;
      await decision("draft-1").catch(left.resolve);
      return null;
    });
    const { id } = await engine.start("looked_at", { key: "k", fingerprint: "f", input: null });
    await entered.promise;
    await engine.cancel(id);
    const other = new DatabaseSync(path);
    other.exec("UPDATE workflow_runs SET worker_id = 'another'");
    answer.resolve();
    await left.promise;
    await setTimeout(20);
    expect(await engine.get(id)).toMatchObject({ status: "processing" });
    other.exec("UPDATE workflow_runs SET worker_id = NULL, available_at = '2000-01-01T00:00:00.000Z'");
    other.close();
    expect(await engine.wait(id)).toMatchObject({ status: "cancelled" });
  });

  it("says of a step that it did not begin it where another has the run by then, and not that it could not be recorded", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const messages: unknown[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => void messages.push(JSON.parse(line)) });
    const database = openSqliteDatabase(path, true);
    const { backend } = database;
    let begun = 0;
    const createStepAttempt: typeof backend.createStepAttempt = async (params) => {
      // As another worker leaves the run whose lease has run out, at the last moment.
      if (++begun === 1) {
        const other = new DatabaseSync(path);
        other.exec("UPDATE workflow_runs SET worker_id = 'another', available_at = '2000-01-01T00:00:00.000Z'");
        other.close();
      }
      return backend.createStepAttempt(params);
    };
    const troubled = Object.assign(Object.create(backend) as typeof backend, { createStepAttempt });
    const engine = new OpenWorkflowEngine({ database: { ...database, backend: troubled }, logger });
    onTestFinished(() => engine.close());
    let executions = 0;
    engine.register("mail", async (_, { step }) => {
      executions += 1;
      return step("sent", () => executions);
    });
    const { id } = await engine.start("mail", { key: "k", fingerprint: "f", input: null });
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 2 });
    expect(messages).toEqual([expect.objectContaining({ level: 40, step: "sent", msg: "a step was not begun" })]);
  });

  it("writes nothing to the console when the answer to a run's end is lost and the database fails again", async () => {
    const database = openSqliteDatabase(":memory:", true);
    const { backend } = database;
    let answered = false;
    const ended = Promise.withResolvers<void>();
    const completeWorkflowRun: typeof backend.completeWorkflowRun = async (params) => {
      const run = await backend.completeWorkflowRun(params).finally(() => answered && ended.resolve());
      answered = true;
      throw new Error(`write CONNECTION_CLOSED after ${run.id}`);
    };
    const getWorkflowRun: typeof backend.getWorkflowRun = async (params) => {
      if (answered) throw new Error("connect ECONNREFUSED");
      return backend.getWorkflowRun(params);
    };
    const troubled = Object.assign(Object.create(backend) as typeof backend, { completeWorkflowRun, getWorkflowRun });
    const engine = new OpenWorkflowEngine({ database: { ...database, backend: troubled } });
    engine.register("echo", async (input) => input);
    const written = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => written.mockRestore());
    await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    await ended.promise;
    await engine.close();
    expect(written).not.toHaveBeenCalled();
  });

  it.each([
    ["completeWorkflowRun", "a run has ended"],
    ["rescheduleWorkflowRunAfterFailedStepAttempt", "a run is put off"],
  ] as const)("acts on what %s has done although its answer was lost", async (method, words) => {
    const database = openSqliteDatabase(":memory:", true);
    let lost = false;
    const losing = async (params: never) => {
      const run = await database.backend[method](params);
      if (lost) return run;
      lost = true;
      throw new Error("write CONNECTION_CLOSED");
    };
    const backend = Object.assign(Object.create(database.backend) as typeof database.backend, { [method]: losing });
    const acted = Promise.withResolvers<void>();
    const write = (line: string): void => void (line.includes(words) && acted.resolve());
    const logger = pino({ level: "info" }, { write });
    const retry = { attempts: 2, initialDelayMs: 3_600_000, maximumDelayMs: 3_600_000 };
    const engine = new OpenWorkflowEngine({ database: { ...database, backend }, logger, retry });
    onTestFinished(() => engine.close());
    engine.register("away", (waits, { step }) =>
      step("only", () => {
        if (waits) throw new IoError("away");
        return null;
      }),
    );
    const input = method !== "completeWorkflowRun";
    await engine.start("away", { key: "k", fingerprint: "f", input });
    await expect(acted.promise).resolves.toBeUndefined();
  });

  it("does not take its own run a second time when the lease ran out under it", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new OpenWorkflowEngine({ path });
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let effects = 0;
    engine.register("slow", async (_, { step }) =>
      step("only", async () => {
        effects++;
        entered.resolve();
        await gate.promise;
        return effects;
      }),
    );
    engine.register("quick", async () => null);
    const { id } = await engine.start("slow", { key: "k", fingerprint: "f", input: null });
    await entered.promise;
    // As a jump of the clock leaves it.
    const other = new DatabaseSync(path);
    other.exec("UPDATE workflow_runs SET available_at = '2000-01-01T00:00:00.000Z'");
    other.close();
    // A look for work has happened when this has ended.
    const { id: quick } = await engine.start("quick", { key: "k", fingerprint: "f", input: null });
    await engine.wait(quick);
    gate.resolve();
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
    expect(effects).toBe(1);
    await engine.close();
  });

  it("submits a run although the database fails for a moment, and makes it once where only the answer was lost", async () => {
    const database = openSqliteDatabase(":memory:", true);
    const { backend } = database;
    let failures = 2;
    const createWorkflowRun: typeof backend.createWorkflowRun = async (params) => {
      if (failures === 1) await backend.createWorkflowRun(params);
      if (failures-- > 0) throw new Error("write CONNECTION_CLOSED");
      return backend.createWorkflowRun(params);
    };
    const troubled = Object.assign(Object.create(backend) as typeof backend, { createWorkflowRun });
    const engine = new OpenWorkflowEngine({ database: { ...database, backend: troubled } });
    engine.register("echo", async (input) => input);
    const started = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    expect(started.outcome).toBe("created");
    expect(await engine.wait(started.id)).toMatchObject({ status: "completed", output: "hi" });
    expect(await engine.list()).toHaveLength(1);
    await engine.close();
  });

  it("says that the database does not answer as an error that may pass", async () => {
    const database = openSqliteDatabase(":memory:", true);
    let tries = 0;
    const createWorkflowRun = async () => {
      tries += 1;
      throw new Error("connect ECONNREFUSED 10.0.0.1:5432");
    };
    const backend = Object.assign(Object.create(database.backend) as typeof database.backend, { createWorkflowRun });
    const engine = new OpenWorkflowEngine({ database: { ...database, backend } });
    engine.register("echo", async (input) => input);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const starting = engine.start("echo", { key: "k", fingerprint: "f", input: null });
    starting.catch(() => {}); // until it is looked at
    await vi.advanceTimersByTimeAsync(16_000);
    await expect(starting).rejects.toMatchObject({ type: "io_error", retriable: true });
    await expect(starting).rejects.toThrow(/^(?!.*10\.0).*database does not answer.*Submit it again/s);
    expect(tries).toBeGreaterThan(10);
    vi.useRealTimers();
    await engine.close();
  });
});

describe("the worker's loop", () => {
  it("says for how long the database has failed, whatever the clock is set to meanwhile", async () => {
    const failed = Promise.withResolvers<void>();
    const loop = new WorkerLoop({ logger: silentLogger, pollIntervalMs: 3_600_000 });
    const tick = async (): Promise<number> => {
      loop.claimFailed(new Error("connect ECONNREFUSED"));
      failed.resolve();
      return 0;
    };
    loop.start({ tick, stop: async () => {} } as never);
    await failed.promise;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect(loop.failingForMs).toBeLessThan(60_000);
    await loop.stopClaiming();
  });

  it("looks again at once when something is announced while it looks", async () => {
    const looked = Promise.withResolvers<void>();
    let looks = 0;
    const loop = new WorkerLoop({ logger: silentLogger, pollIntervalMs: 3_600_000 });
    const tick = async (): Promise<number> => {
      looks++;
      if (looks === 1) loop.wakeNow();
      else looked.resolve();
      return 0;
    };
    loop.start({ tick, stop: async () => {} } as never);
    await looked.promise;
    await loop.stopClaiming();
    expect(looks).toBe(2);
  });
});

it("asks no slot for a run while one of its claims is on its way, whatever becomes of the others", async () => {
  const database = openSqliteDatabase(":memory:", true);
  const failed = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let claims = 0;
  const claim: typeof database.claim = async (...args) => {
    claims += 1;
    if (claims === 1) {
      failed.resolve();
      throw new Error("connect ECONNREFUSED");
    }
    if (claims === 2) await answer.promise;
    const run = await database.claim(...args);
    if (run) taken.push(args[0].workerId);
    return run;
  };
  const engine = new OpenWorkflowEngine({ database: { ...database, claim }, concurrency: 3 });
  const taken: string[] = [];
  const end = Promise.withResolvers<null>();
  onTestFinished(() => (end.resolve(null), engine.close()));
  engine.register("held", (_, { step }) => step("only", () => end.promise));
  const start = (n: number) => engine.start("held", { key: `k${n}`, fingerprint: "f", input: null });
  const ids = [(await start(0)).id];
  await failed.promise;
  // Each has the engine look for work.
  for (let n = 1; n < 6; n++) ids.push((await start(n)).id);
  answer.resolve();
  await expect.poll(() => taken.length).toBeGreaterThanOrEqual(3);
  expect(taken).toHaveLength(3);
  expect(new Set(taken).size).toBe(3);
  end.resolve(null);
  for (const id of ids) expect(await engine.wait(id)).toMatchObject({ status: "completed" });
});

it("has room for as many runs as one of its workflows may have at work, where it is not told otherwise", async () => {
  const engine = new OpenWorkflowEngine({ path: ":memory:" });
  onTestFinished(() => engine.close());
  const all = Promise.withResolvers<null>();
  let atWork = 0;
  const wide: RunHandler = (_, { step }) =>
    step("only", () => {
      if (++atWork === 20) all.resolve(null);
      return all.promise;
    });
  engine.register("wide", wide, { concurrency: 20 });
  const start = (n: number) => engine.start("wide", { key: `k${n}`, fingerprint: "f", input: null });
  const started = await Promise.all(Array.from({ length: 20 }, (_, n) => start(n)));
  const runs = await Promise.all(started.map(({ id }) => engine.wait(id)));
  expect(runs.map(({ status }) => status)).toEqual(runs.map(() => "completed"));
});
