import { describe, expect, it } from "vitest";
import type { RunHandler, WorkflowEngine } from "../../src/engine/engine.ts";
import { IoError } from "../../src/errors.ts";
import type { OpenEngine } from "./workflow-engine.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };
const HOUR = 3_600_000;

/** What an engine promises about steps that are retried for longer than any caller waits. */
export function engineRetryBudget(open: OpenEngine): void {
  describe("steps with a retry budget", () => {
    /** A step that fails until `isBack`; on the budget, its attempts are hours apart. */
    const service = ({ forMs = 24 * HOUR }: { forMs?: number } = {}) => {
      const state = { isBack: false, attempts: 0, before: 0 };
      const call: RunHandler = async (_, { step }) => {
        await step("before", () => ++state.before);
        return step(
          "called",
          () => {
            state.attempts += 1;
            if (!state.isBack) throw new IoError("The service is away.", { retryAfterMs: HOUR });
            return "answered";
          },
          { retryBudget: { forMs, maximumDelayMs: HOUR } },
        );
      };
      return { state, call };
    };
    const submitted = async (engine: WorkflowEngine, key = "k") => {
      const { id } = await engine.start("call", { ...SUBMISSION, key });
      return engine.wait(id);
    };

    it("answers waiting callers once the next attempt is far off, while the run continues automatically", async () => {
      const { state, call } = service();
      const engine = await open({ call });
      const run = await submitted(engine);
      expect(run).toMatchObject({
        status: "processing",
        currentStep: "called",
        stepsCompleted: ["before"],
        failing: {
          step: "called",
          attempts: 1,
          error: { error: "The service is away.", error_code: "unavailable", error_type: "io_error", retriable: true },
        },
      });
      const { since, until } = run.failing!;
      expect(until!.getTime() - since.getTime()).toBeGreaterThanOrEqual(23 * HOUR);
      expect(until!.getTime() - since.getTime()).toBeLessThanOrEqual(24 * HOUR);
      // If it is read before it has left its worker, its next attempt has no time yet.
      const nextTry = async () => (await engine.get(run.id))?.failing?.nextTry?.getTime();
      await expect.poll(nextTry).toBeGreaterThanOrEqual(since.getTime() + HOUR - 1000);
      expect(await engine.wait(run.id)).toMatchObject({ status: "processing", failing: { attempts: 1 } });
      expect(state).toMatchObject({ attempts: 1, before: 1 });
    });

    it("makes the ordinary attempts first, while callers wait", async () => {
      let attempts = 0;
      const engine = await open({
        call: (_, { step }) =>
          step(
            "called",
            () => {
              attempts += 1;
              if (attempts < 3) throw new IoError("away");
              return attempts;
            },
            { retryBudget: { forMs: 24 * HOUR, maximumDelayMs: HOUR } },
          ),
      });
      expect(await submitted(engine)).toMatchObject({ status: "completed", output: 3 });
    });

    it("continues when the same content is submitted again, and when it is retried", async () => {
      const { state, call } = service();
      const engine = await open({ call });
      const { id } = await submitted(engine);
      expect(await submitted(engine)).toMatchObject({ id, status: "processing", failing: { attempts: 2 } });
      expect(await engine.start("call", SUBMISSION)).toMatchObject({ id, outcome: "resumed" });
      expect(await engine.wait(id)).toMatchObject({ failing: { attempts: 3 } });
      state.isBack = true;
      expect(await engine.retry(id)).toBe(true);
      const run = await engine.wait(id);
      expect(run).toMatchObject({ status: "completed", output: "answered" });
      expect(run.failing).toBeUndefined();
      expect(state).toEqual({ isBack: true, attempts: 4, before: 1 });
      expect(await engine.retry(id)).toBe(false);
    });

    it("are retried at once when an engine is opened on their data", async () => {
      const { state, call } = service();
      const first = await open({ call });
      const { id } = await submitted(first);
      await first.close();
      state.isBack = true;
      const second = await open({ call });
      const completed = new Promise<void>((resolve) => {
        second.onStep(({ step, phase }) => void (step === "called" && phase === "completed" && resolve()));
      });
      second.startWorker();
      await completed;
      expect(await second.wait(id)).toMatchObject({ status: "completed", output: "answered" });
      expect(state).toMatchObject({ attempts: 2, before: 1 });
    });

    it("occupy no slot of their workflow or the engine", async () => {
      const { state, call } = service();
      const engine = await open({}, { concurrency: 1 });
      engine.register("call", call, { concurrency: 1 });
      for (const key of ["1", "2", "3"]) expect(await submitted(engine, key)).toMatchObject({ status: "processing" });
      state.isBack = true;
      expect(await submitted(engine, "4")).toMatchObject({ status: "completed" });
    });

    it("are cancelled at once, and get a new budget when their run is submitted again", async () => {
      const { state, call } = service();
      const engine = await open({ call });
      const { id } = await submitted(engine);
      expect(await engine.cancel(id)).toBe(true);
      const cancelled = await engine.wait(id);
      expect(cancelled).toMatchObject({ status: "cancelled" });
      expect(cancelled.failing).toBeUndefined();
      expect(await submitted(engine)).toMatchObject({ id, failing: { attempts: 1 } });
      expect(state).toMatchObject({ attempts: 2, before: 1 });
    });

    it("fail permanently when the budget is spent and the ordinary attempts are used up", async () => {
      const { state, call } = service({ forMs: 0 });
      const engine = await open({
        call,
        impatient: (_, { step }) =>
          step(
            "called",
            () => {
              throw new IoError("away");
            },
            { retryBudget: { forMs: 20, maximumDelayMs: 1 } },
          ),
      });
      const { id } = await engine.start("impatient", SUBMISSION);
      await expect.poll(async () => (await engine.get(id))?.status, { timeout: 30_000 }).toBe("failed");
      const failures = await engine.history(id);
      expect(failures.length).toBeGreaterThanOrEqual(3);
      const [first, last] = [failures[0]!.endTime!, failures.at(-1)!.endTime!];
      expect(last.getTime() - first.getTime()).toBeGreaterThanOrEqual(20);
      expect((await engine.get(id))?.failing).toBeUndefined();
      // Without a budget it is like any other step: callers wait for it, however late the other
      // side wants to be asked again.
      const { id: other } = await engine.start("call", SUBMISSION);
      await expect.poll(async () => (await engine.get(other))?.failing?.nextTry).toBeInstanceOf(Date);
      expect((await engine.get(other))?.failing?.until).toBeUndefined();
      expect(await engine.retry(other)).toBe(false);
      expect(state.attempts).toBe(1);
    });

    it("report which step is failing even during the ordinary attempts", async () => {
      const engine = await open(
        {
          call: (_, { step }) =>
            step("called", () => {
              throw new IoError("away");
            }),
        },
        { retry: { attempts: 2, initialDelayMs: HOUR, maximumDelayMs: HOUR } },
      );
      const { id } = await engine.start("call", SUBMISSION);
      await expect.poll(async () => (await engine.get(id))?.failing?.nextTry).toBeInstanceOf(Date);
      expect(await engine.get(id)).toMatchObject({ status: "processing", failing: { step: "called", attempts: 1 } });
    });
  });
}
