import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { RunnerTask } from "vitest";
import type { Run, RunFilter, RunHandler, StepEvent, WorkflowEngine } from "../../src/engine/engine.ts";
import type { EngineOptions } from "../../src/engine/durable-engine.ts";
import type { RetryPolicy } from "../../src/retry-policies.ts";
import { engineDecisions } from "./engine-decisions.ts";
import { engineFollowing } from "./engine-following.ts";
import { engineLimits } from "./engine-limits.ts";
import { engineRecords } from "./engine-records.ts";
import { engineRetryBudget } from "./engine-retry-budget.ts";
import { engineSteps } from "./engine-steps.ts";
import { ConflictError, IoError, ValidationError } from "../../src/errors.ts";
import type { Json } from "../../src/json.ts";
import { soonerThanByPolling } from "../support/polling.ts";

/** `open` with handlers registered; the engine is closed after the test. */
export type OpenEngine = (handlers: Record<string, RunHandler>, options?: EngineOptions) => Promise<OpenedEngine>;

export type OpenedEngine = WorkflowEngine & { startWorker(): void };

export interface EngineUnderTest {
  /** Opens an engine on the same data each time that it is called within one test. */
  open(options?: EngineOptions): Promise<OpenedEngine> | OpenedEngine;
  destroy(): Promise<void> | void;
}

const FAST: RetryPolicy = { attempts: 3, initialDelayMs: 1, maximumDelayMs: 2 };

/** The names of all cases of this contract. */
function casesBeside(task: RunnerTask, suiteName: string): string[] {
  let suite = task.suite;
  while (suite && suite.name !== suiteName) suite = suite.suite;
  const namesIn = (tasks: readonly RunnerTask[]): string[] =>
    tasks.flatMap((one) => (one.type === "suite" ? namesIn(one.tasks) : [one.name]));
  return namesIn(suite?.tasks ?? []);
}

/**
 * What every adapter of the engine port promises.
 * @param skip cases that can't pass on this engine's database, by name, each with the reason
 */
export function workflowEngineContract(
  name: string,
  create: () => EngineUnderTest,
  skip: Readonly<Record<string, string>> = {},
): void {
  describe(`${name} as a workflow engine`, () => {
    let data: EngineUnderTest;
    let cases: string[] = [];
    beforeEach((test) => {
      cases = casesBeside(test.task, `${name} as a workflow engine`);
      const reason = skip[test.task.name];
      test.skip(reason !== undefined, reason);
      data = create();
    });
    afterEach(() => data.destroy());
    afterAll(() => expect(cases).toEqual(expect.arrayContaining(Object.keys(skip))));

    const open: OpenEngine = async (handlers, options) => {
      const engine = await data.open({ retry: FAST, ...options });
      onTestFinished(() => engine.close());
      for (const [workflow, handler] of Object.entries(handlers)) engine.register(workflow, handler);
      return engine;
    };
    const runOnce = async (
      engine: WorkflowEngine,
      workflow: string,
      key = "k",
      input: Run["output"] = null,
    ): Promise<Run> => {
      const { id } = await engine.start(workflow, { key, fingerprint: JSON.stringify(input), input: input ?? null });
      const run = await engine.wait(id);
      // A caller that waited gets the same run as one that reads it.
      if (run.endTime) expect(await engine.get(id)).toEqual(run);
      return run;
    };

    it("runs steps in order and stores what they and the handler return", async () => {
      const engine = await open({
        greet: async (input, { step }) => {
          const name = await step("name_read", () => JSON.stringify(input));
          await step.unlisted("counted", () => 1);
          return { greeting: await step("greeted", async () => `Hello, ${name}`) };
        },
      });
      const run = await runOnce(engine, "greet", "k", 1815);
      expect(run).toMatchObject({
        workflow: "greet",
        key: "k",
        status: "completed",
        output: { greeting: "Hello, 1815" },
        stepsCompleted: ["name_read", "greeted"],
        currentStep: "greeted",
      });
      expect(run.id).toMatch(/^workflow-[0-9a-f-]{36}$/);
      expect(run.endTime!.getTime()).toBeGreaterThanOrEqual(run.startTime.getTime());
    });

    it("starts one run for one key, however many callers submit it at once", async () => {
      let executions = 0;
      const engine = await open({
        count: async (_, { step }) => step("counted", () => ++executions),
      });
      const started = await Promise.all(
        Array.from({ length: 64 }, () => engine.start("count", { key: "same", fingerprint: "f", input: null })),
      );
      expect(new Set(started.map(({ id }) => id)).size).toBe(1);
      expect(started.filter(({ outcome }) => outcome === "created")).toHaveLength(1);
      expect((await engine.wait(started[0]!.id)).output).toBe(1);
      expect(executions).toBe(1);
      expect(await engine.start("count", { key: "same", fingerprint: "f", input: null })).toMatchObject({
        outcome: "existing",
      });
      expect(executions).toBe(1);
    });

    it("refuses different content under a known key", async () => {
      const engine = await open({ echo: async (input) => input });
      await runOnce(engine, "echo", "k", "one");
      const other = engine.start("echo", { key: "k", fingerprint: "other", input: "two" });
      await expect(other).rejects.toBeInstanceOf(ConflictError);
      expect((await engine.find("echo", "k"))?.output).toBe("one");
    });

    it("keeps the keys of different workflows separate", async () => {
      const engine = await open({ a: async () => "a", b: async () => "b" });
      expect((await runOnce(engine, "a")).output).toBe("a");
      expect((await runOnce(engine, "b")).output).toBe("b");
    });

    it("retries a step after a retriable error and does not repeat the steps before it", async () => {
      let first = 0;
      let second = 0;
      const attempts: number[] = [];
      const engine = await open({
        flaky: async (_, { step }) => {
          await step("first", () => ++first);
          return step("second", (attempt) => {
            attempts.push(attempt);
            if (++second < 3) throw new IoError("The mail server is away.");
            return second;
          });
        },
      });
      const events: StepEvent[] = [];
      engine.onStep((event) => events.push(event));
      const run = await runOnce(engine, "flaky");
      expect(run).toMatchObject({ status: "completed", output: 3 });
      expect(first).toBe(1);
      expect(attempts).toEqual([1, 2, 3]);
      expect(events.filter(({ phase }) => phase === "failed").map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect(events.at(-1)).toMatchObject({ step: "second", phase: "completed", attempt: 3, runId: run.id });
      expect(events.every(({ workflow }) => workflow === "flaky")).toBe(true);
      const untimed = events.filter(({ durationMs }) => !(durationMs! >= 0));
      expect(untimed).toEqual(events.filter(({ phase }) => phase === "started"));
    });

    it("gives up after the last attempt, and a new submission continues from the failed step", async () => {
      let first = 0;
      let second = 0;
      let healthy = false;
      const engine = await open({
        outage: async (_, { step }) => {
          await step("first", () => ++first);
          return step("second", () => {
            second++;
            if (!healthy) throw new IoError("The mail server is away.", { code: "mail_unavailable" });
            return "sent";
          });
        },
      });
      const failed = await runOnce(engine, "outage");
      expect(failed).toMatchObject({ status: "failed", stepsCompleted: ["first"], currentStep: "second" });
      expect(failed.error).toEqual({
        error: "The mail server is away.",
        error_code: "mail_unavailable",
        error_type: "io_error",
        retriable: true,
      });
      expect(second).toBe(3);
      healthy = true;
      const again = await engine.start("outage", { key: "k", fingerprint: "null", input: null });
      expect(again).toEqual({ id: failed.id, outcome: "resumed" });
      expect(await engine.wait(failed.id)).toMatchObject({ status: "completed", output: "sent" });
      expect([first, second]).toEqual([1, 4]);
    });

    it("counts attempts anew after a new submission", async () => {
      let attempts = 0;
      const engine = await open({
        down: async (_, { step }) =>
          step("only", () => {
            attempts++;
            throw new IoError("away");
          }),
      });
      await runOnce(engine, "down");
      await runOnce(engine, "down");
      expect(attempts).toBe(6);
    });

    it("does not repeat a step whose error is final", async () => {
      let attempts = 0;
      const engine = await open({
        invalid: async (_, { step }) =>
          step("only", () => {
            attempts++;
            throw new ValidationError("Customer with ID X not found", { code: "customer_not_found" });
          }),
      });
      expect((await runOnce(engine, "invalid")).error).toMatchObject({
        error_code: "customer_not_found",
        retriable: false,
      });
      expect(attempts).toBe(1);
    });

    it("is not affected by a listener that throws", async () => {
      const engine = await open({ echo: async (input, { step }) => step("only", () => input) });
      engine.onStep(() => {
        throw new Error("the display broke");
      });
      expect(await runOnce(engine, "echo", "k", 7)).toMatchObject({ status: "completed", output: 7 });
    });

    it("reveals no internals when a step or a handler throws", async () => {
      const engine = await open({
        step: async (_, { step }) =>
          step("only", () => {
            throw new Error("password=hunter2");
          }),
        handler: async () => {
          throw new TypeError("x is not a function");
        },
      });
      for (const workflow of ["step", "handler"]) {
        const { error } = await runOnce(engine, workflow);
        expect(error).toMatchObject({ error_type: "unexpected_error", error_code: "internal", retriable: false });
        expect(JSON.stringify(error)).not.toMatch(/hunter2|not a function/);
      }
    });

    it("stops a cancelled run before its next step, keeps its results, and continues there when it is submitted again", async () => {
      const entered = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      let first = 0;
      let second = 0;
      const engine = await open({
        slow: async (_, { step }) => {
          await step("first", async () => {
            first++;
            entered.resolve();
            await gate.promise;
          });
          return step("second", () => ++second);
        },
      });
      const submission = { key: "k", fingerprint: "f", input: null };
      const { id } = await engine.start("slow", submission);
      await entered.promise;
      expect(await engine.cancel(id)).toBe(true);
      expect(await engine.start("slow", submission)).toEqual({ id, outcome: "existing" });
      gate.resolve();
      expect(await engine.wait(id)).toMatchObject({ status: "cancelled", stepsCompleted: ["first"] });
      expect(await engine.cancel(id)).toBe(false);
      expect(await engine.start("slow", submission)).toEqual({ id, outcome: "resumed" });
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
      expect([first, second]).toEqual([1, 1]);
    });

    it("cancels a run during an eager step, before its next step that is not eager", async () => {
      const entered = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      let sent = 0;
      const look = async (): Promise<void> => {
        entered.resolve();
        await gate.promise;
      };
      const engine = await open({
        eager: async (_, { step }) => {
          await step("look", look, { eager: true });
          return step("send", () => ++sent);
        },
      });
      const submission = { key: "k", fingerprint: "f", input: null };
      const { id } = await engine.start("eager", submission);
      await entered.promise;
      expect(await engine.cancel(id)).toBe(true);
      gate.resolve();
      expect(await engine.wait(id)).toMatchObject({ status: "cancelled", stepsCompleted: ["look"] });
      expect(await engine.start("eager", submission)).toEqual({ id, outcome: "resumed" });
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: 1 });
    });

    it("cancels a run at once if its step fails temporarily while the cancellation is requested", async () => {
      const entered = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const retry = { attempts: 3, initialDelayMs: 3_600_000, maximumDelayMs: 3_600_000 };
      const away: RunHandler = (_, { step }) =>
        step("only", async () => {
          entered.resolve();
          await answer.promise;
          throw new IoError("away");
        });
      const engine = await open({ away }, { retry });
      const { id } = await engine.start("away", { key: "k", fingerprint: "f", input: null });
      await entered.promise;
      expect(await engine.cancel(id)).toBe(true);
      answer.resolve();
      expect(await engine.wait(id)).toMatchObject({ status: "cancelled", stepsCompleted: [] });
    });

    it("lets a handler catch a step's final failure", async () => {
      const engine = await open({
        careful: async (_, { step }) => {
          try {
            return await step("risky", () => {
              throw new ValidationError("no such thing", { code: "missing" });
            });
          } catch (error) {
            if (error instanceof ValidationError) return step("instead", () => error.code);
            throw error;
          }
        },
      });
      expect(await runOnce(engine, "careful")).toMatchObject({
        status: "completed",
        output: "missing",
        stepsCompleted: ["instead"],
      });
    });

    it("permanently refuses two steps with one name in a run, and a result that is not JSON", async () => {
      let effects = 0;
      const engine = await open({
        twice: async (_, { step }) => {
          for (const _ of [1, 2]) await step("same", () => ++effects);
          return null;
        },
        unwritable: async (_, { step }) => step("big", () => (++effects, 1n)) as never,
      });
      expect(await runOnce(engine, "twice")).toMatchObject({
        status: "failed",
        error: { error_type: "unexpected_error" },
      });
      expect(effects).toBe(1);
      expect(await runOnce(engine, "unwritable")).toMatchObject({
        status: "failed",
        error: { error_type: "unexpected_error" },
      });
      expect(effects).toBe(2);
    });

    it.each([
      ["a NUL character", "x\u0000y"],
      ["half of a surrogate pair", "\ud800"],
      ["half of a surrogate pair in a name", { "\udfff": 1 }],
    ])("fails at once, permanently and with a clear message if a step or a handler returns %s", async (_, output) => {
      let effects = 0;
      const engine = await open({
        step: async (_input, { step }) => step("only", () => (++effects, output)),
        handler: async () => output,
        decision: async (_input, { decision }) => (await decision("draft-1", output)).value,
      });
      const maker = { step: 'The step "only" returned', handler: "The workflow returned", decision: "output must" };
      for (const [workflow, words] of Object.entries(maker)) {
        expect(await runOnce(engine, workflow)).toMatchObject({
          status: "failed",
          error: { error: expect.stringContaining(words), retriable: false },
        });
      }
      expect(effects).toBe(1);
    });

    it("stores every other character, and text that only looks like those", async () => {
      const engine = await open({ echo: async (input, { step }) => step("only", () => input) });
      const input = { "\u0001\u001f\u007f": "\\u0000 \\\\ud800 \\ \ufffe 😀", "\\ud800": ["\u202e"] };
      expect(await runOnce(engine, "echo", "\u0001 \\u0000", input)).toMatchObject({
        status: "completed",
        output: input,
      });
    });

    it.each(["x\u0000y", "\ud800"])(
      "refuses %j as a key, an input or a decision, and finds no run by it",
      async (text) => {
        const engine = await open({ mail: async (_, { decision }) => (await decision("draft-1")).value });
        const submission = { key: "k", fingerprint: "f", input: null };
        for (const bad of [{ key: text }, { input: [{ text }] }]) {
          const starting = engine.start("mail", { ...submission, ...bad });
          await expect(starting).rejects.toMatchObject({ type: "validation_error", code: "invalid_parameters" });
        }
        const { id } = await engine.start("mail", submission);
        await expect(engine.decide(id, "draft-1", text)).rejects.toBeInstanceOf(ValidationError);
        expect(await engine.find("mail", text)).toBeUndefined();
        expect(await engine.get(`workflow-${text}`)).toBeUndefined();
        expect(await engine.list({ input: { customer_id: text } })).toEqual([]);
        expect(await engine.list()).toHaveLength(1);
      },
    );

    it("stops waiting when the caller aborts, and lets the run finish", async () => {
      const gate = Promise.withResolvers<void>();
      const engine = await open({ slow: async (_, { step }) => step("only", () => gate.promise.then(() => "done")) });
      const { id } = await engine.start("slow", { key: "k", fingerprint: "f", input: null });
      const abort = new AbortController();
      const waiting = engine.wait(id, { signal: abort.signal });
      abort.abort(new Error("caller left"));
      await expect(waiting).rejects.toThrow("caller left");
      gate.resolve();
      expect((await engine.wait(id)).output).toBe("done");
    });

    it("leaves a run at a step boundary when it closes, and continues automatically when it is opened again", async () => {
      const entered = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const calls: string[] = [];
      const handler: RunHandler = async (_, { step, startTime }) => {
        await step("first", async () => {
          calls.push("first");
          entered.resolve();
          await gate.promise;
        });
        await step("second", () => void calls.push("second"));
        return startTime.toISOString();
      };
      const engine = await open({ slow: handler });
      const { id } = await engine.start("slow", { key: "k", fingerprint: "f", input: null });
      const before = (await engine.get(id))!;
      await entered.promise;
      const waiting = engine.wait(id);
      const closed = engine.close();
      gate.resolve();
      await expect(waiting).rejects.toMatchObject({ code: "interrupted", retriable: true });
      await closed;
      await expect(engine.wait(id)).rejects.toThrow("Unfinished runs continue when it is opened again.");
      const another = engine.start("slow", { key: "another", fingerprint: "f", input: null });
      await expect(another).rejects.toMatchObject({
        code: "interrupted",
        retriable: true,
        message: expect.stringContaining("has not accepted the run. Submit the run again"),
      });
      expect(calls).toEqual(["first"]);

      const reopened = await open({ slow: handler });
      reopened.startWorker();
      expect(await reopened.find("slow", "another")).toBeUndefined();
      const run = await reopened.wait(id);
      expect(run).toMatchObject({ status: "completed", output: before.startTime.toISOString() });
      expect(calls).toEqual(["first", "second"]);
    });

    it("lists runs newest first, by workflow and by status, and finds them by id and key", async () => {
      const engine = await open({
        good: async () => "ok",
        bad: async () => {
          throw new ValidationError("no");
        },
      });
      for (const key of ["1", "2", "3"]) await runOnce(engine, "good", key);
      const bad = await runOnce(engine, "bad", "4");
      expect(await engine.list()).toHaveLength(4);
      expect((await engine.list({ workflow: "good" })).map(({ key }) => key).sort()).toEqual(["1", "2", "3"]);
      expect(await engine.list({ status: "failed" })).toEqual([bad]);
      expect(await engine.list({ limit: 2 })).toHaveLength(2);
      expect(await engine.list({ withoutCompleted: ["good", "bad", "o\"'dd"] })).toEqual([bad]);
      expect(await engine.list({ withoutCompleted: ["bad"], limit: 4 })).toHaveLength(4);
      expect(await engine.find("bad", "4")).toEqual(bad);
      expect(await engine.find("bad", "unknown")).toBeUndefined();
      expect(await engine.get("workflow-unknown")).toBeUndefined();
      expect(await engine.get("nonsense")).toBeUndefined();
      expect(await engine.cancel("workflow-unknown")).toBe(false);
    });

    it("lists runs by input, by time, and page by page", async () => {
      const engine = await open({ echo: async (input) => input });
      const ids: string[] = [];
      for (const [n, owner] of ["me", "you", "me", "o\"'dd"].entries()) {
        ids.push((await runOnce(engine, "echo", `k${n}`, { owner, n })).id);
      }
      const keys = async (filter: RunFilter) => (await engine.list(filter)).map(({ key }) => key);
      expect(await keys({ input: { owner: "me" } })).toEqual(["k2", "k0"]);
      expect(await keys({ input: { owner: "o\"'dd" } })).toEqual(["k3"]);
      expect(await keys({ input: { "own\"er'": "me" } })).toEqual([]);
      const { startTime } = (await engine.get(ids[2]!))!;
      expect(await keys({ startedBefore: new Date(0) })).toEqual([]);
      expect(await keys({ startedSince: startTime })).toContain("k3");
      expect(await keys({ startedBefore: new Date(startTime.getTime() + 60_000) })).toHaveLength(4);
      for (const limit of [1.5, -1, Number.NaN]) {
        await expect(engine.list({ limit })).rejects.toMatchObject({ code: "invalid_parameters" });
      }
      const never = new Date(Number.NaN);
      await expect(engine.list({ startedSince: never })).rejects.toThrow(/startedSince/);
      await expect(engine.list({ startedBefore: never })).rejects.toThrow(/startedBefore/);
      const first = await engine.list({ limit: 3 });
      const rest = await engine.list({ after: first.at(-1)!.id });
      expect(new Set([...first, ...rest].map(({ key }) => key))).toEqual(new Set(["k0", "k1", "k2", "k3"]));
      expect(rest).toHaveLength(1);
      const oldest = await engine.list({ order: "oldest", limit: 3 });
      expect(oldest.map(({ key }) => key)).toEqual(["k0", "k1", "k2"]);
      expect(await keys({ order: "oldest", after: oldest.at(-1)!.id })).toEqual(["k3"]);
      expect(await keys({ order: "oldest", input: { owner: "me" } })).toEqual(["k0", "k2"]);
      expect(await keys({ order: "newest" })).toEqual(["k3", "k2", "k1", "k0"]);
    });

    it("lists runs by an indexed field, however long its value is", async () => {
      const engine = await open({});
      engine.register("echo", async () => null, { indexedFields: ["customer_id"] });
      const long = "é".repeat(20_000);
      const customers = ["C-1", long, `${long}2`, "o\"'dd", "C-1"];
      for (const [n, customer_id] of customers.entries()) await runOnce(engine, "echo", `k${n}`, { customer_id });
      await runOnce(engine, "echo", "number", { customer_id: 1 });
      const keys = async (customer_id: string) => (await engine.list({ input: { customer_id } })).map(({ key }) => key);
      expect(await keys("C-1")).toEqual(["k4", "k0"]);
      expect(await keys(long)).toEqual(["k1"]);
      expect(await keys(`${long}2`)).toEqual(["k2"]);
      expect(await keys("o\"'dd")).toEqual(["k3"]);
      expect(await keys("C-2")).toEqual([]);
    });

    it("keeps every attempt with its times and error, and resumes a failed run on request", async () => {
      let healthy = false;
      const engine = await open({
        outage: async (_, { step }) => {
          await step.unlisted("hidden", () => null);
          return step("only", () => {
            if (!healthy) throw new IoError("away");
            return "done";
          });
        },
      });
      const failed = await runOnce(engine, "outage");
      healthy = true;
      expect(await engine.retry(failed.id)).toBe(true);
      expect(await engine.wait(failed.id)).toMatchObject({ status: "completed" });
      const history = await engine.history(failed.id);
      expect(history.map(({ step, status }) => `${step} ${status}`)).toEqual([
        "only failed",
        "only failed",
        "only failed",
        "only completed",
      ]);
      expect(history[0]).toMatchObject({ error: { error: "away", error_type: "io_error", retriable: true } });
      for (const { startTime, endTime } of history)
        expect(endTime!.getTime()).toBeGreaterThanOrEqual(startTime.getTime());
      expect(await engine.retry(failed.id)).toBe(false);
      expect(await engine.retry("workflow-unknown")).toBe(false);
      expect(await engine.history("workflow-unknown")).toEqual([]);
    });

    it("tells a run when it was resumed, the same at every replay until it is resumed again", async () => {
      const told: (Date | undefined)[] = [];
      const engine = await open({
        outage: async (_, { step, resumedAt }) => {
          told.push(resumedAt);
          await step(`looked${resumedAt === undefined ? "" : `_${resumedAt.getTime()}`}`, () => null);
          await step("sent", () => {
            if (told.length < 5) throw told.length % 2 ? new IoError("away") : new ConflictError("no");
          });
          return null;
        },
      });
      const begin = Date.now();
      const { id } = await runOnce(engine, "outage");
      await engine.retry(id);
      await engine.wait(id);
      expect(await engine.retry(id)).toBe(true);
      const { status, stepsCompleted } = await engine.wait(id);
      const [first, replayed, second, replayedAgain, third] = told;
      expect([first, replayed, told.length, status]).toEqual([undefined, undefined, 5, "completed"]);
      expect(second!.getTime()).toBeGreaterThan(begin - 60_000);
      expect(replayedAgain).toEqual(second);
      expect(third!.getTime()).toBeGreaterThan(second!.getTime());
      const looked = ["looked", `looked_${second!.getTime()}`, `looked_${third!.getTime()}`];
      expect(stepsCompleted).toEqual([...looked, "sent"]);
    });

    it("gives a step the run's attempts so far, listed or not, its own included", async () => {
      let failures = 1;
      const engine = await open({
        teller: async (_, { step, history }) => {
          await step.unlisted("prepared", () => null);
          return step("told", async () => {
            if (failures-- > 0) throw new IoError("away");
            return (await history()).map(({ step, status }) => `${step} ${status}`);
          });
        },
      });
      const { output } = await runOnce(engine, "teller");
      expect(output).toEqual(["prepared completed", "told failed", "told running"]);
    });

    it("finishes more runs than it has slots", async () => {
      const engine = await open({ echo: async (input, { step }) => step("only", () => input) });
      const runs = await Promise.all(Array.from({ length: 60 }, (_, n) => runOnce(engine, "echo", `k${n}`, n)));
      expect(runs.map(({ output }) => output)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    });

    engineDecisions(open);
    engineSteps(open);
    engineLimits(open);

    engineFollowing(open);
    engineRetryBudget(open);
    engineRecords(open, () => data);

    it("leaves runs of unknown workflows to engines that know them", async () => {
      const submission = { key: "k", fingerprint: "f", input: null };
      const stranger = await open({ mine: async () => "mine" });
      const { id } = await stranger.start("theirs", submission);
      await runOnce(stranger, "mine");
      expect(await stranger.get(id)).toMatchObject({ status: "started" });
      await stranger.close();
      const owner = await open({ theirs: async () => "theirs" });
      owner.startWorker();
      expect(await owner.wait(id)).toMatchObject({ status: "completed", output: "theirs" });
    });

    it("keeps the limit of a workflow, claims its runs in order, and executes other workflows meanwhile", async () => {
      const engine = await open({ other: async () => "done" });
      const begun: Json[] = [];
      const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
      onTestFinished(() => gates.forEach(({ resolve }) => resolve()));
      const entered = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
      const few: RunHandler = async (input, { step }) =>
        step("only", async () => {
          begun.push(input);
          entered[begun.length - 1]!.resolve();
          await gates[Number(input)]!.promise;
          return null;
        });
      engine.register("few", few, { concurrency: 2 });
      const ids: string[] = [];
      for (const n of gates.keys()) {
        ids.push((await engine.start("few", { key: `k${n}`, fingerprint: "f", input: n })).id);
      }
      await entered[1]!.promise;
      expect((await runOnce(engine, "other")).output).toBe("done");
      // Both runs start at once, and either may be the first to learn that it was claimed.
      expect(new Set(begun)).toEqual(new Set([0, 1]));
      gates[1]!.resolve();
      await entered[2]!.promise;
      expect((await runOnce(engine, "other", "again")).output).toBe("done");
      expect(begun[2]).toBe(2);
      for (const { resolve } of gates) resolve();
      for (const id of ids) expect((await engine.wait(id)).status).toBe("completed");
      expect(new Set(begun)).toEqual(new Set([0, 1, 2, 3, 4]));
      expect(begun).toHaveLength(5);
    });

    it("gives the slot of a run that waits for its retry to another", async () => {
      const engine = await data.open({ retry: { attempts: 3, initialDelayMs: 3_600_000, maximumDelayMs: 3_600_000 } });
      onTestFinished(() => engine.close());
      const tried = Promise.withResolvers<void>();
      const single: RunHandler = async (input, { step }) =>
        step("only", () => {
          if (input !== "away") return input;
          tried.resolve();
          throw new IoError("away");
        });
      engine.register("single", single, { concurrency: 1 });
      const { id } = await engine.start("single", { key: "1", fingerprint: "f", input: "away" });
      await tried.promise;
      expect((await runOnce(engine, "single", "2", "here")).output).toBe("here");
      expect(await engine.get(id)).toMatchObject({ status: "processing" });
    });

    it("begins a run no earlier than its start time, and keeps that time after a restart and a second start", async () => {
      const begun: Date[] = [];
      const handlers: Record<string, RunHandler> = {
        warmUp: async () => null,
        later: async () => (begun.push(new Date()), null),
      };
      const engine = await open(handlers);
      const submission = { key: "k", fingerprint: "f", input: null };
      await engine.wait((await engine.start("warmUp", submission)).id);
      const availableAt = new Date(Date.now() + 2000);
      const { id } = await engine.start("later", { ...submission, availableAt });
      expect(await engine.start("later", submission)).toEqual({ id, outcome: "existing" });
      expect(await engine.start("later", { ...submission, key: "past", availableAt: new Date(0) })).toMatchObject({
        outcome: "created",
      });
      expect((await engine.wait((await engine.find("later", "past"))!.id)).status).toBe("completed");
      expect(await engine.get(id)).toMatchObject({ status: "started" });
      await engine.close();
      const reopened = await open(handlers);
      reopened.startWorker();
      expect(await reopened.wait(id)).toMatchObject({ status: "completed" });
      expect(begun[0]!.getTime()).toBeLessThan(availableAt.getTime());
      expect(begun[1]!.getTime()).toBeGreaterThanOrEqual(availableAt.getTime());
    });

    it("begins a run as soon as it is due", async () => {
      const engine = await open({ later: async () => null });
      await soonerThanByPolling(60, async (n) => {
        const run = { key: `k${n}`, fingerprint: "f", input: null, availableAt: new Date(Date.now() + 5) };
        expect((await engine.wait((await engine.start("later", run)).id)).status).toBe("completed");
      });
    });

    it("never begins a cancelled run that was to start later, and schedules it again when it is resubmitted", async () => {
      const engine = await open({ later: async () => "done" });
      const tomorrow = new Date(Date.now() + 86_400_000);
      const submission = { key: "k", fingerprint: "f", input: null };
      const { id } = await engine.start("later", { ...submission, availableAt: tomorrow });
      expect(await engine.cancel(id)).toBe(true);
      expect(await engine.wait(id)).toMatchObject({ status: "cancelled" });
      expect(await engine.start("later", { ...submission, availableAt: tomorrow })).toEqual({ id, outcome: "resumed" });
      expect((await runOnce(engine, "later", "now")).output).toBe("done");
      expect(await engine.get(id)).toMatchObject({ status: "started" });
    });

    it.each(["+010000-01-01T00:00:00Z", "never"])("refuses %s as a start time", async (time) => {
      const engine = await open({ later: async () => null });
      const starting = engine.start("later", { key: "k", fingerprint: "f", input: null, availableAt: new Date(time) });
      await expect(starting).rejects.toBeInstanceOf(ValidationError);
      expect(await engine.list()).toEqual([]);
      const last = { key: "last", fingerprint: "f", input: null, availableAt: new Date("9999-12-31T23:59:59.999Z") };
      const { id } = await engine.start("later", last);
      await runOnce(engine, "later", "now");
      expect(await engine.get(id)).toMatchObject({ status: "started" });
    });

    it("reports a failed run that is resubmitted for later as started until it begins, and counts its attempts anew", async () => {
      let attempts = 0;
      const events: StepEvent[] = [];
      const engine = await open({
        down: async (_, { step }) => {
          await step("first", () => null);
          return step("second", () => {
            attempts++;
            throw new IoError("away");
          });
        },
        other: async () => null,
      });
      engine.onStep((event) => events.push(event));
      const { id } = await runOnce(engine, "down");
      const again = { key: "k", fingerprint: "null", input: null };
      const availableAt = new Date(Date.now() + 86_400_000);
      expect(await engine.start("down", { ...again, availableAt })).toEqual({ id, outcome: "resumed" });
      await runOnce(engine, "other");
      expect(await engine.get(id)).toMatchObject({ status: "started", stepsCompleted: ["first"] });
      expect((await engine.list({ status: "started" })).map((run) => run.id)).toEqual([id]);
      expect(await engine.list({ status: "processing" })).toEqual([]);
      expect(attempts).toBe(3);
      await engine.cancel(id);
      expect(await engine.start("down", { ...again, availableAt: new Date(0) })).toEqual({ id, outcome: "resumed" });
      expect(await engine.wait(id)).toMatchObject({ status: "failed" });
      expect(attempts).toBe(6);
      const failed = events.filter(({ phase }) => phase === "failed");
      expect(failed.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1, 2, 3]);
    });

    it("refuses a second workflow with the same name", async () => {
      const engine = await open({ echo: async (input) => input });
      expect(() => engine.register("echo", async () => null)).toThrow(/registered already/);
    });
  });
}
