import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { Worker as Thread } from "node:worker_threads";
import { pino } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import type { RunHandler } from "../../src/engine/engine.ts";
import type { RunStore, RunWrite } from "../../src/engine/run-store.ts";
import { mustBeFlushed } from "../../src/engine/run-writes.ts";
import { SqliteRunStore } from "../../src/engine/sqlite/sqlite-run-store.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import { workflowEngineContract } from "../contract/workflow-engine.ts";
import { temporaryFolder } from "../support/folder.ts";
import { hasKind, troubledStore, writesOf } from "../support/troubled-store.ts";
import { decideAfterKill, meanwhile } from "./waiting.ts";

workflowEngineContract("DurableEngine on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "abi-engine-"));
  return {
    open: (options) => new DurableEngine({ path: join(folder, "runs.sqlite"), concurrency: 4, ...options }),
    destroy: () => rmSync(folder, { recursive: true, force: true }),
  };
});

const SUBMISSION = { key: "k", fingerprint: "f", input: null };

describe("DurableEngine", () => {
  it("works in memory", async () => {
    const engine = new DurableEngine({ path: ":memory:" });
    engine.register("echo", async (input) => input);
    const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    expect((await engine.wait(id)).output).toBe("hi");
    await engine.close();
  });

  it("does not query a run that it has accepted and executed itself", async () => {
    const store = new SqliteRunStore(":memory:");
    const byId = vi.fn<RunStore["byId"]>((id) => store.byId(id));
    const engine = new DurableEngine({ store: troubledStore(store, { byId }) });
    onTestFinished(() => engine.close());
    engine.register("echo", async (input, { step }) => step("echoed", () => input));
    const { id } = await engine.start("echo", { ...SUBMISSION, input: "hi" });
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "hi", stepsCompleted: ["echoed"] });
    expect(byId).not.toHaveBeenCalled();
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "hi" });
    expect(byId).toHaveBeenCalledOnce();
  });

  /** An engine that logs what it writes, and a step's work that logs its name. */
  function loggingEngine(options: Partial<EngineOptions> = {}) {
    const store = new SqliteRunStore(":memory:");
    const log: string[] = [];
    const write: RunStore["write"] = async (batch) => {
      const outcome = await store.write(batch);
      const what = writesOf(batch).map((one) => ("step" in one ? `${one.kind} ${one.step}` : one.kind));
      if (what.length > 0) log.push(`${mustBeFlushed(batch) ? "flushed" : "not flushed"}: ${what.join(", ")}`);
      return outcome;
    };
    const engine = new DurableEngine({ ...options, store: troubledStore(store, { write }) });
    onTestFinished(() => engine.close());
    const work = (name: string) => async () => {
      log.push(name);
      return null;
    };
    return { engine, log, work };
  }

  it("flushes earlier results before it begins a step that relies on them", async () => {
    const { engine, log, work } = loggingEngine();
    engine.register("work", async (_, { step }) => {
      for (const name of ["read", "judge"]) await step(name, work(name), { flush: false });
      for (const name of ["send", "tell"]) await step(name, work(name));
      await step("note", work("note"), { flush: false });
      await step("store", work("store"), { flush: "earlier" });
      return step("count", work("count"), { flush: false });
    });
    await engine.wait((await engine.start("work", SUBMISSION)).id);
    expect(log).toEqual([
      "not flushed: begin read",
      "read",
      "not flushed: complete read, begin judge",
      "judge",
      "flushed: complete judge, begin send",
      "send",
      "flushed: complete send, begin tell",
      "tell",
      "flushed: complete tell, begin note",
      "note",
      "flushed: complete note, begin store",
      "store",
      "not flushed: complete store, begin count",
      "count",
      "flushed: complete count, end",
    ]);
  });

  it("stores nothing before the work of an eager step, and what it did together with what follows", async () => {
    const { engine, log, work } = loggingEngine();
    engine.register("work", async (_, { step }) => {
      for (const name of ["read", "judge"]) await step(name, work(name), { eager: true });
      await step("send", work("send"));
      return step("check", work("check"), { eager: true });
    });
    const { id } = await engine.start("work", SUBMISSION);
    await engine.wait(id);
    expect(log).toEqual([
      "read",
      "judge",
      "flushed: begin read, complete read, begin judge, complete judge, begin send",
      "send",
      "check",
      "flushed: complete send, begin check, complete check, end",
    ]);
    expect((await engine.history(id)).map(({ step, status }) => `${step} ${status}`)).toEqual([
      "read completed",
      "judge completed",
      "send completed",
      "check completed",
    ]);
  });

  it("starts no step's work after its handler has ended", async () => {
    const { engine, log, work } = loggingEngine();
    const fails = (): never => {
      throw new ValidationError("no");
    };
    engine.register("work", async (_, { step }) => {
      await Promise.all([step("check", fails, { eager: true }), step("charge", work("charge"))]);
      return null;
    });
    engine.register("careless", async (_, { step }) => {
      void step("left", work("left"));
      return null;
    });
    for (const name of ["work", "careless"]) await engine.wait((await engine.start(name, SUBMISSION)).id);
    await engine.close();
    expect(log).not.toContain("charge");
    expect(log).not.toContain("left");
  });

  it("stores soon that an eager step is running", async () => {
    const { engine } = loggingEngine();
    const end = Promise.withResolvers<null>();
    engine.register("work", async (_, { step }) => step("ask", () => end.promise, { eager: true }));
    const { id } = await engine.start("work", SUBMISSION);
    await expect.poll(() => engine.history(id)).toMatchObject([{ step: "ask", status: "running" }]);
    end.resolve(null);
    expect((await engine.wait(id)).status).toBe("completed");
  });

  it("stores the beginning of eager steps before their work if the run was interrupted before", async () => {
    const { engine, log, work } = loggingEngine({ retry: { attempts: 2, initialDelayMs: 1, maximumDelayMs: 1 } });
    let tries = 0;
    engine.register("work", async (_, { step }) => {
      await step("fetch", async () => {
        if (++tries === 1) throw new IoError("away");
      });
      return step("read", work("read"), { eager: true });
    });
    await engine.wait((await engine.start("work", SUBMISSION)).id);
    expect(log.slice(-3)).toEqual(["flushed: complete fetch, begin read", "read", "flushed: complete read, end"]);
  });

  it("polls for more work after a run has ended only if more is due", async () => {
    const store = new SqliteRunStore(":memory:");
    const claim = vi.fn<RunStore["claim"]>((request) => store.claim(request));
    const engine = new DurableEngine({ store: troubledStore(store, { claim }) });
    onTestFinished(() => engine.close());
    engine.register("work", async () => null, { concurrency: 1 });
    vi.useFakeTimers({ toFake: ["setTimeout"] }); // disables polling
    onTestFinished(() => void vi.useRealTimers());
    const started = await Promise.all(["1", "2", "3"].map((key) => engine.start("work", { ...SUBMISSION, key })));
    for (const { id } of started) await engine.wait(id);
    const looks = claim.mock.calls.length;
    const later = await engine.start("work", { ...SUBMISSION, key: "4" });
    await engine.wait(later.id);
    for (let turns = 0; turns < 20; turns++) await setImmediate();
    expect(claim).toHaveBeenCalledTimes(looks + 1);
  });

  it("gives a slot that becomes free during a poll to a due run, without waiting for the next poll", async () => {
    const store = new SqliteRunStore(":memory:");
    const { promise: isLooked, resolve: looked } = Promise.withResolvers<void>();
    const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
    const engine = new DurableEngine({
      store: troubledStore(store, {
        claim: async (request) => {
          const claimed = await store.claim(request);
          // This poll found no free slot; one becomes free before the worker gets the answer.
          if (claimed.isMoreDue && claimed.runs.length === 0) {
            looked();
            await isFree;
          }
          return claimed;
        },
      }),
    });
    onTestFinished(() => engine.close());
    const { promise: isAtWork, resolve: atWork } = Promise.withResolvers<void>();
    const work = async (): Promise<null> => {
      atWork();
      await isLooked;
      return null;
    };
    engine.register("work", async (_, { step }) => step("worked", work), { concurrency: 1 });
    engine.onRest(() => void setImmediate().then(setImmediate).then(free));
    vi.useFakeTimers({ toFake: ["setTimeout"] }); // disables polling
    onTestFinished(() => void vi.useRealTimers());
    await engine.start("work", { ...SUBMISSION, key: "first" });
    await isAtWork;
    const { id } = await engine.start("work", { ...SUBMISSION, key: "second" });
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
  });

  it("refuses a second worker on the same file, but admits a reader", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new DurableEngine({ path });
    engine.register("echo", async (input) => input);
    const { id } = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    await engine.wait(id);
    expect(() => new DurableEngine({ path })).toThrow(/already open in this process/);
    const reader = new DurableEngine({ path, worker: false });
    expect((await reader.get(id))?.status).toBe("completed");
    await reader.close();
    await engine.close();
    await new DurableEngine({ path }).close();
  });

  it("reports a file that is not a database", () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    writeFileSync(path, "this is not a database, whatever its name says. ".repeat(50));
    expect(() => new DurableEngine({ path })).toThrow(/cannot be opened/);
  });

  it.each([
    ["another application's", "CREATE TABLE a (b)", /another application.s data/],
    [
      "an earlier version's",
      "PRAGMA application_id = 0x61626977; CREATE TABLE runs (id)",
      /earlier build of abi-workflows.*Move the file away/,
    ],
    [
      "a newer version's",
      "PRAGMA application_id = 0x61626977; CREATE TABLE parts (name, version); INSERT INTO parts VALUES ('runs', 99)",
      /newer version/,
    ],
  ])("refuses %s file and does not change it", (_, sql, words) => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const other = new DatabaseSync(path);
    other.exec(sql);
    other.close();
    const before = readFileSync(path);
    expect(() => new DurableEngine({ path })).toThrow(words);
    expect(readFileSync(path)).toEqual(before);
  });

  it("waits for another process that has just begun to create the tables of a new file", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const other = new Thread(
      `const { parentPort, workerData } = require("node:worker_threads");
       const database = new (require("node:sqlite").DatabaseSync)(workerData);
       database.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; CREATE TABLE a (b)");
       parentPort.postMessage("begun");
       setTimeout(() => database.exec("ROLLBACK"), 300);`,
      { eval: true, workerData: path },
    );
    const ended = once(other, "exit");
    await once(other, "message");
    const engine = new DurableEngine({ path, worker: false });
    expect(await engine.list()).toEqual([]);
    await engine.close();
    await ended;
  });

  it("resumes at once after kill -9 at the interrupted step and repeats no completed step", async () => {
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

  it("keeps a run that waits for a person when its process is killed with SIGKILL", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const { run, steps } = await decideAfterKill(path, () => new DurableEngine({ path }));
    expect(run).toMatchObject({ status: "completed", output: "approved", stepsCompleted: ["drafted", "sent"] });
    expect(steps).toEqual(["sent"]);
  });

  it("leaves a waiting run alone however far the clock advances", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new DurableEngine({ path });
    onTestFinished(() => engine.close());
    let executions = 0;
    engine.register("mail", async (_, { decision }) => {
      executions++;
      return (await decision("draft-1")).value;
    });
    engine.register("quick", async () => null);
    const { id } = await engine.start("mail", SUBMISSION);
    await engine.wait(id);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("9999-12-30T00:00:00Z") });
    onTestFinished(() => void vi.useRealTimers());
    for (const key of ["1", "2"]) {
      const quick = await engine.start("quick", { ...SUBMISSION, key });
      expect(await engine.wait(quick.id)).toMatchObject({ status: "completed" });
    }
    expect(await engine.get(id)).toMatchObject({ status: "waiting_for_approval" });
    expect(executions).toBe(1);
  });

  it("sees a decision made between its last check and the wait", async () => {
    const run = await meanwhile(new SqliteRunStore(":memory:"), (engine, id) => engine.decide(id, "draft-1", "yes"));
    expect(run).toMatchObject({ status: "completed", output: "yes" });
  });

  it("sees a cancellation made between its last check and the wait", async () => {
    const run = await meanwhile(new SqliteRunStore(":memory:"), (engine, id) => engine.cancel(id));
    expect(run).toMatchObject({ status: "cancelled" });
  });

  it("continues even if the decision is made before the engine knows that the run waits", async () => {
    const store = new SqliteRunStore(":memory:");
    const again = Promise.withResolvers<void>();
    let executions = 0;
    const write: RunStore["write"] = async (batch) => {
      const outcome = await store.write(batch);
      if (hasKind(batch, "park")) {
        await engine.decide((await engine.list())[0]!.id, "draft-1", "yes");
        // Another slot claims the run before this one knows that it has left it.
        if (executions === 1) await Promise.race([again.promise, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      return outcome;
    };
    const engine = new DurableEngine({ store: troubledStore(store, { write }) });
    onTestFinished(() => engine.close());
    engine.register("mail", async (_, { decision }) => {
      if (++executions === 2) again.resolve();
      return (await decision("draft-1")).value;
    });
    const { id } = await engine.start("mail", SUBMISSION);
    await expect.poll(async () => (await engine.get(id))?.output).toBe("yes");
  });

  it.each([
    ["a step", 3],
    // Nothing is stored about it when it kills the process for the first time.
    ["an eager step", 4],
  ])("gives up %s that kills its process every time, with an error that says so", async (kind, deaths) => {
    const folder = temporaryFolder();
    const attempt = () =>
      spawnSync(
        process.execPath,
        [join(import.meta.dirname, "../support/dying-process.ts"), folder, kind.split(" ")[1]!],
        { encoding: "utf8" },
      );
    for (let death = 0; death < deaths; death++) expect(attempt()).toMatchObject({ signal: "SIGKILL", stdout: "" });
    const last = attempt();
    expect(last.status).toBe(0);
    expect(JSON.parse(last.stdout)).toMatchObject({
      status: "failed",
      error: {
        error: expect.stringMatching(/^The step "die" was given up, because its process ended 3 times/),
        error_code: "step_died",
        retriable: false,
      },
      history: ["died", "died", "died", "failed"],
    });
  });

  it("continues automatically after a database failure in the middle of a run", async () => {
    const store = new SqliteRunStore(":memory:");
    let healthy = false;
    const tried = Promise.withResolvers<void>();
    const effects: string[] = [];
    const write: RunStore["write"] = async (batch) => {
      if (!healthy && writesOf(batch).some((one) => one.kind === "begin" && one.step === "second")) {
        tried.resolve();
        throw new Error("SQLITE_FULL: database or disk is full");
      }
      return store.write(batch);
    };
    const engine = new DurableEngine({ store: troubledStore(store, { write }) });
    onTestFinished(() => engine.close());
    engine.register("two", async (_, { step }) => {
      await step("first", () => void effects.push("first"));
      return step("second", () => effects.push("second"));
    });
    const { id } = await engine.start("two", SUBMISSION);
    const waiting = engine.wait(id);
    await tried.promise;
    // The first step's result is not on disk, so the second has not begun.
    expect(effects).toEqual(["first"]);
    healthy = true;
    expect(await waiting).toMatchObject({ status: "completed", output: 2, stepsCompleted: ["first", "second"] });
    expect(effects).toEqual(["first", "second"]);
  });

  it("stores a step's result even if the database fails at first, logs that once, and does not repeat the step", async () => {
    const store = new SqliteRunStore(":memory:");
    let failures = 7;
    const write: RunStore["write"] = async (batch) => {
      if (hasKind(batch, "complete") && failures-- > 0) throw new Error("database is locked");
      return store.write(batch);
    };
    const warned: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => void warned.push(line) });
    const engine = new DurableEngine({ store: troubledStore(store, { write }), logger });
    onTestFinished(() => engine.close());
    let mails = 0;
    engine.register("mail", async (_, { step }) => step("sent", () => ++mails));
    const { id } = await engine.start("mail", SUBMISSION);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
    expect(mails).toBe(1);
    expect(warned).toEqual([expect.stringContaining("does not store what a run has done; retrying")]);
  });

  it("logs that it can't store what a run has done even if it couldn't accept runs before", async () => {
    const store = new SqliteRunStore(":memory:");
    let fails = false;
    const write: RunStore["write"] = async (batch) => {
      if (fails) throw new Error("database is locked");
      return store.write(batch);
    };
    const warned = Promise.withResolvers<string>();
    const logger = pino({ level: "warn" }, { write: (line: string) => warned.resolve(line) });
    const engine = new DurableEngine({ store: troubledStore(store, { write }), logger });
    onTestFinished(() => engine.close());
    const gate = Promise.withResolvers<void>();
    engine.register("mail", async (_, { step }) => step("sent", () => gate.promise.then(() => 1)));
    const { id } = await engine.start("mail", SUBMISSION);
    fails = true;
    for (let nth = 0; nth < 10; nth += 1) {
      await expect(engine.start("mail", { ...SUBMISSION, key: `k${nth}` })).rejects.toMatchObject({ type: "io_error" });
    }
    gate.resolve();
    expect(await warned.promise).toContain("does not store what a run has done; retrying");
    fails = false;
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
  });

  it("groups the writes of many runs", async () => {
    const store = new SqliteRunStore(":memory:");
    let batches = 0;
    const write: RunStore["write"] = (batch) => {
      batches += 1;
      return store.write(batch);
    };
    const engine = new DurableEngine({ store: troubledStore(store, { write }) });
    onTestFinished(() => engine.close());
    const five: RunHandler = async (_, { step }) => {
      for (const n of [1, 2, 3, 4, 5]) await step(`step_${n}`, () => null);
      return null;
    };
    engine.register("five", five);
    const runs = await Promise.all(
      Array.from({ length: 16 }, (_, n) => engine.start("five", { ...SUBMISSION, key: `k${n}` })),
    );
    for (const { id } of runs) expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    // One for all submissions, one for each step that begins (with the previous step's result), one
    // for the ends.
    expect(batches).toBeLessThanOrEqual(10);
  });

  it("stores the other writes of a batch if one of them can't be stored", async () => {
    const store = new SqliteRunStore(":memory:");
    const write: RunStore["write"] = async (batch) => {
      if (writesOf(batch).some((one) => one.kind === "complete" && one.outputJson === '"large"'))
        throw new RangeError("too large");
      return store.write(batch);
    };
    const isUnwritable = (error: unknown): boolean => error instanceof RangeError;
    const engine = new DurableEngine({ store: troubledStore(store, { write, isUnwritable }) });
    onTestFinished(() => engine.close());
    let effects = 0;
    engine.register("echo", async (input, { step }) => {
      const output = await step("read", () => input);
      await step("sent", () => ++effects);
      return output;
    });
    engine.register("last", async (input, { step }) => step("read", () => input));
    const started = await Promise.all(
      ["a", "large", "b"].flatMap((input) => [
        engine.start("echo", { key: input, fingerprint: "f", input }),
        engine.start("last", { key: input, fingerprint: "f", input }),
      ]),
    );
    const runs = await Promise.all(started.map(({ id }) => engine.wait(id)));
    expect(runs.map(({ status }) => status)).toEqual([
      "completed",
      "completed",
      "failed",
      "failed",
      "completed",
      "completed",
    ]);
    for (const run of [runs[2]!, runs[3]!]) {
      expect(run.error).toMatchObject({
        error: expect.stringContaining('the step "read"'),
        error_code: "not_storable",
      });
    }
    expect(effects).toBe(2);
  });

  it.each(["write down what it has done", "read how it stands"])(
    "keeps trying the database after a step that took long while the engine closed: to %s",
    async (what) => {
      const path = join(temporaryFolder(), "runs.sqlite");
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      let failures = 1;
      let mails = 0;
      const open = () => {
        const store = new SqliteRunStore(path);
        const write: RunStore["write"] = async (batch) => {
          if (what.startsWith("write") && hasKind(batch, "complete") && failures-- > 0) throw new Error("cut");
          return store.write(batch);
        };
        const events: RunStore["events"] = async (...args) => {
          if (what.startsWith("read") && failures-- > 0) throw new Error("cut");
          return store.events(...args);
        };
        const engine = new DurableEngine({ store: troubledStore(store, { write, events }) });
        onTestFinished(() => engine.close());
        engine.register("mail", async (_, { step, history }) =>
          step("sent", async () => {
            begun.resolve();
            await gate.promise;
            mails += 1;
            await history();
            return mails;
          }),
        );
        return engine;
      };
      const engine = open();
      const { id } = await engine.start("mail", SUBMISSION);
      await begun.promise;
      vi.useFakeTimers({ toFake: ["performance"] });
      onTestFinished(() => void vi.useRealTimers());
      const closed = engine.close();
      vi.advanceTimersByTime(10_000);
      gate.resolve();
      await closed;
      vi.useRealTimers();
      const heir = open();
      heir.startWorker();
      expect(await heir.wait(id)).toMatchObject({ status: "completed", output: 1 });
      expect(mails).toBe(1);
    },
  );

  it("fails no run because its engine closes while the database is unavailable", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let isAway = true;
    const open = () => {
      const store = new SqliteRunStore(path);
      const write: RunStore["write"] = async (batch) => {
        // It is available again as soon as the engine has given up.
        if (isAway && writesOf(batch).some((one) => one.kind === "end" && !("error" in one))) {
          isAway = performance.now() < 7000;
          throw new Error("cut");
        }
        return store.write(batch);
      };
      const engine = new DurableEngine({ store: troubledStore(store, { write }) });
      onTestFinished(() => engine.close());
      engine.register("mail", async () => (begun.resolve(), gate.promise.then(() => "done")));
      return engine;
    };
    const engine = open();
    const { id } = await engine.start("mail", SUBMISSION);
    await begun.promise;
    vi.useFakeTimers({ toFake: ["performance"], now: 0 });
    onTestFinished(() => void vi.useRealTimers());
    const closed = engine.close();
    gate.resolve();
    const ticking = setInterval(() => vi.advanceTimersByTime(1000), 20);
    await closed;
    clearInterval(ticking);
    vi.useRealTimers();
    isAway = false;
    const heir = open();
    heir.startWorker();
    expect(await heir.wait(id)).toMatchObject({ status: "completed", output: "done" });
  });

  it("stops a run whose step has a result that can't be stored, and keeps the results before it", async () => {
    const store = new SqliteRunStore(":memory:");
    const refused = new Set(['"large"']);
    let isHeldUp = false;
    const write: RunStore["write"] = async (batch) => {
      const isLarge = (one: RunWrite): boolean =>
        ((one.kind === "complete" || one.kind === "end") && "outputJson" in one && refused.has(one.outputJson!)) ||
        (one.kind === "begin" && refused.has(one.step));
      if (isHeldUp) await new Promise((resolve) => setTimeout(resolve, 30));
      if (writesOf(batch).some(isLarge)) throw new RangeError("too large");
      return store.write(batch);
    };
    const isUnwritable = (error: unknown): boolean => error instanceof RangeError;
    const engine = new DurableEngine({ store: troubledStore(store, { write, isUnwritable }) });
    onTestFinished(() => engine.close());
    const did: string[] = [];
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
    const large = (): string => ((isHeldUp = true), "large");
    engine.register("ends", async (_, { step }) => (await step("read", large), await pause(), "done"));
    engine.register("goes_on", async (_, { step }) => {
      await step("read", large);
      await pause();
      return step("sent", () => did.push("sent"));
    });
    engine.register("name", async (_, { step }) => {
      await step("charged", () => did.push("charged"));
      return step('"large"', () => did.push("told"));
    });
    engine.register("output", async (_, { step }) => (await step("charged", () => did.push("charged")), "large"));
    for (const workflow of ["ends", "goes_on"]) {
      const { id } = await engine.start(workflow, SUBMISSION);
      expect(await engine.wait(id)).toMatchObject({
        status: "failed",
        error: { error: expect.stringContaining('the step "read"'), error_code: "not_storable" },
      });
    }
    expect(did).toEqual([]);
    for (const [workflow, culprit] of [
      ["name", 'the step ""large""'],
      ["output", "the workflow"],
    ] as const) {
      const { id } = await engine.start(workflow, SUBMISSION);
      expect(await engine.wait(id)).toMatchObject({
        status: "failed",
        stepsCompleted: ["charged"],
        error: { error: expect.stringContaining(culprit), error_code: "not_storable" },
      });
    }
  });

  it("retries a permanently failed step each time its run is resumed, even if the clock stands still", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    let attempts = 0;
    engine.register("mail", async (_, { step }) =>
      step("sent", () => {
        if (++attempts < 4) throw new ValidationError("no");
        return "sent";
      }),
    );
    const { id } = await engine.start("mail", SUBMISSION);
    for (const expected of [1, 2, 3]) {
      expect(await engine.wait(id)).toMatchObject({ status: "failed" });
      expect(attempts).toBe(expected);
      await engine.retry(id);
    }
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "sent" });
  });

  it("writes nothing about a run that another worker has taken over, and does not cancel it", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const engine = new DurableEngine({ path });
    onTestFinished(() => engine.close());
    const entered = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const left = Promise.withResolvers<unknown>();
    engine.register("looked_at", async (_, { step, decision }) => {
      entered.resolve();
      await answer.promise;
      await step("noted", () => null).catch(left.resolve);
      await decision("draft-1");
      return null;
    });
    const { id } = await engine.start("looked_at", SUBMISSION);
    await entered.promise;
    const other = new DatabaseSync(path);
    other.exec("UPDATE runs SET epoch = epoch + 1");
    answer.resolve();
    await left.promise;
    await expect.poll(() => engine.events(id)).toHaveLength(1);
    expect(await engine.get(id)).toMatchObject({ status: "processing", stepsCompleted: [] });
    await engine.cancel(id);
    other.exec("UPDATE runs SET is_held = 0, due_at = 0, due_since = 0");
    other.close();
    expect(await engine.wait(id)).toMatchObject({ status: "cancelled" });
  });

  it("begins no step of a run that another worker has taken over, and logs that", async () => {
    const path = join(temporaryFolder(), "runs.sqlite");
    const messages: unknown[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => void messages.push(JSON.parse(line)) });
    const store = new SqliteRunStore(path);
    let begun = 0;
    const write: RunStore["write"] = async (batch) => {
      // As if another worker left the run, whose lease has just expired.
      if (hasKind(batch, "begin") && ++begun === 1) {
        const other = new DatabaseSync(path);
        other.exec("UPDATE runs SET epoch = epoch + 1, is_held = 0, due_at = 0, due_since = 0");
        other.close();
      }
      return store.write(batch);
    };
    const engine = new DurableEngine({ store: troubledStore(store, { write }), logger });
    onTestFinished(() => engine.close());
    let executions = 0;
    let effects = 0;
    engine.register("mail", async (_, { step }) => {
      executions += 1;
      return step("sent", () => ++effects);
    });
    const { id } = await engine.start("mail", SUBMISSION);
    expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
    expect([executions, effects]).toEqual([2, 1]);
    const msg = "a step was not started: another worker now has its run";
    expect(messages).toEqual([expect.objectContaining({ level: 40, step: "sent", msg })]);
  });

  it("submits a run even if the database fails for a moment, and creates it once if only the answer was lost", async () => {
    const store = new SqliteRunStore(":memory:");
    let failures = 2;
    const write: RunStore["write"] = async (batch) => {
      if (batch.accepts.length > 0 && failures-- > 0) {
        if (failures === 0) await store.write(batch);
        throw new Error("write CONNECTION_CLOSED");
      }
      return store.write(batch);
    };
    const engine = new DurableEngine({ store: troubledStore(store, { write }) });
    onTestFinished(() => engine.close());
    engine.register("echo", async (input) => input);
    const started = await engine.start("echo", { key: "k", fingerprint: "f", input: "hi" });
    expect(started.outcome).toBe("created");
    expect(await engine.wait(started.id)).toMatchObject({ status: "completed", output: "hi" });
    expect(await engine.list()).toHaveLength(1);
  });

  it("reports an unavailable database as a retriable error", async () => {
    const store = new SqliteRunStore(":memory:");
    let tries = 0;
    const write: RunStore["write"] = async () => {
      tries += 1;
      throw new Error("connect ECONNREFUSED 10.0.0.1:5432");
    };
    const engine = new DurableEngine({ store: troubledStore(store, { write }) });
    onTestFinished(() => engine.close());
    engine.register("echo", async (input) => input);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const starting = engine.start("echo", SUBMISSION);
    starting.catch(() => {}); // until it is awaited
    for (let second = 0; second < 20; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      await setImmediate();
    }
    await expect(starting).rejects.toMatchObject({ type: "io_error", retriable: true });
    await expect(starting).rejects.toThrow(
      /^(?!.*10\.0).*database does not answer.*Submit the run again once the database answers/s,
    );
    expect(tries).toBeGreaterThan(1);
    vi.useRealTimers();
  });

  it("polls again at once if something is announced during a poll", async () => {
    const store = new SqliteRunStore(":memory:");
    // Disables the regular poll.
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const looking = Promise.withResolvers<void>();
    const accepted = Promise.withResolvers<void>();
    const claim: RunStore["claim"] = async (request) => {
      const claimed = await store.claim(request);
      looking.resolve();
      await accepted.promise;
      return claimed;
    };
    const engine = new DurableEngine({ store: troubledStore(store, { claim }) });
    onTestFinished(() => engine.close());
    engine.register("echo", async (input) => input);
    engine.startWorker();
    await looking.promise;
    // The first poll has found nothing and has not returned yet.
    const { id } = await engine.start("echo", SUBMISSION);
    accepted.resolve();
    expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    vi.useRealTimers();
  });

  it("has as many slots by default as the highest limit of its workflows", async () => {
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    const all = Promise.withResolvers<null>();
    let atWork = 0;
    const wide: RunHandler = (_, { step }) =>
      step("only", () => {
        if (++atWork === 20) all.resolve(null);
        return all.promise;
      });
    engine.register("wide", wide, { concurrency: 20 });
    const start = (n: number) => engine.start("wide", { ...SUBMISSION, key: `k${n}` });
    const started = await Promise.all(Array.from({ length: 20 }, (_, n) => start(n)));
    const runs = await Promise.all(started.map(({ id }) => engine.wait(id)));
    expect(runs.map(({ status }) => status)).toEqual(runs.map(() => "completed"));
  });

  it("executes as many runs of all workflows as the highest limit if limits apply to each process", async () => {
    const engine = new DurableEngine({ path: ":memory:", concurrencyPer: "process" });
    onTestFinished(() => engine.close());
    const two = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<null>();
    let atWork = 0;
    const work: RunHandler = (_, { step }) =>
      step("only", () => {
        if (++atWork === 2) two.resolve();
        return gate.promise;
      });
    engine.register("one", work, { concurrency: 1 });
    engine.register("other", work, { concurrency: 2 });
    const start = (n: number) => engine.start(n % 2 === 0 ? "one" : "other", { ...SUBMISSION, key: `k${n}` });
    const started = await Promise.all(Array.from({ length: 8 }, (_, n) => start(n)));
    await two.promise;
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(atWork).toBe(2);
    gate.resolve(null);
    for (const { id } of started) expect(await engine.wait(id)).toMatchObject({ status: "completed" });
  });

  it.each([0, -1, 1.5, Number.NaN])(
    "refuses a concurrency of %d, with which no run would ever begin",
    (concurrency) => {
      const refusal = `concurrency must be a whole number of at least 1, not ${concurrency}.`;
      expect(() => new DurableEngine({ path: ":memory:", concurrency })).toThrow(refusal);
      const engine = new DurableEngine({ path: ":memory:" });
      onTestFinished(() => engine.close());
      expect(() => engine.register("echo", async (input) => input, { concurrency })).toThrow(refusal);
    },
  );

  it.each(["", "a b", 'a"b', "é", "x".repeat(61)])("refuses %j as an indexed field", (field) => {
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    expect(() => engine.register("echo", async (input) => input, { indexedFields: [field] })).toThrow(/indexed field/);
  });
});
