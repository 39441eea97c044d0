import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RestedRun } from "../../src/engine/engine.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import type { Json } from "../../src/json.ts";
import type { EngineUnderTest, OpenEngine } from "./workflow-engine.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };

/** What an engine promises to observers: events, counts, and the order of due runs. */
export function engineRecords(open: OpenEngine, data: () => EngineUnderTest): void {
  describe("records of runs", () => {
    it("returns the events of a run in order, and continues after the last one that the caller knows", async () => {
      let isAway = true;
      const engine = await open({
        mail: async (_, { step, decision }) => {
          await step("drafted", () => null);
          await step.unlisted("noted", () => null);
          await decision("draft-1");
          return step("sent", () => {
            if (isAway) throw new ValidationError("no such address", { code: "address" });
            return null;
          });
        },
      });
      const { id } = await engine.start("mail", SUBMISSION);
      await engine.wait(id);
      const before = await engine.events(id);
      const told = (events: typeof before) =>
        events.map(({ type, step, subject }) => [type, step ?? subject].filter((part) => part !== undefined).join(" "));
      expect(told(before)).toEqual([
        "accepted",
        "step_started drafted",
        "step_completed drafted",
        "waiting_for_approval draft-1",
      ]);
      expect(before.map(({ n }) => n)).toEqual(before.map(({ n }) => n).toSorted((a, b) => a - b));
      expect(new Set(before.map(({ n }) => n)).size).toBe(before.length);
      await engine.decide(id, "draft-1", { by: "Ann" });
      await engine.wait(id);
      isAway = false;
      await engine.retry(id);
      await engine.wait(id);
      const after = await engine.events(id, before.at(-1)!.n);
      expect(told(after)).toEqual([
        "decided draft-1",
        "step_started sent",
        "step_failed sent",
        "failed",
        "resumed",
        "step_started sent",
        "step_completed sent",
        "completed",
      ]);
      const error = {
        error: "no such address",
        error_code: "address",
        error_type: "validation_error",
        retriable: false,
      };
      expect(after.filter((event) => event.error).map((event) => event.error)).toEqual([error, error]);
      expect(after.map(({ time }) => time.getTime())).toEqual(
        after.map(({ time }) => time.getTime()).toSorted((a, b) => a - b),
      );
      expect(await engine.events(id)).toEqual([...before, ...after]);
      expect(await engine.events(id, after.at(-1)!.n)).toEqual([]);
      expect(await engine.events("workflow-unknown")).toEqual([]);
      expect(JSON.stringify(after)).not.toContain("Ann");
    });

    it("records that a run was cancelled", async () => {
      const engine = await open({ later: async () => null });
      const { id } = await engine.start("later", { ...SUBMISSION, availableAt: new Date(Date.now() + 3_600_000) });
      await engine.cancel(id);
      expect((await engine.events(id)).map(({ type }) => type)).toEqual(["accepted", "cancelled"]);
    });

    it("counts runs by workflow and status, and reports how long the oldest has been due", async () => {
      const looker = await open({}, { worker: false });
      expect(await looker.counts()).toEqual([]);
      const later = new Date(Date.now() + 3_600_000);
      await looker.start("mail", { ...SUBMISSION, key: "later", availableAt: later });
      expect(await looker.counts()).toEqual([{ workflow: "mail", byStatus: { started: 1 } }]);
      await looker.start("mail", { ...SUBMISSION, key: "due" });
      const [waiting] = await looker.counts();
      expect(waiting).toMatchObject({ workflow: "mail", byStatus: { started: 2 } });
      expect(waiting!.oldestDueMs).toBeGreaterThanOrEqual(0);
      expect(waiting!.oldestDueMs).toBeLessThan(3_600_000);
      const engine = await open({
        mail: async () => null,
        bad: () => {
          throw new ValidationError("no");
        },
        asked: async (_, { decision }) => (await decision("draft-1")).value,
      });
      for (const workflow of ["bad", "asked"]) await engine.wait((await engine.start(workflow, SUBMISSION)).id);
      await engine.wait((await engine.find("mail", "due"))!.id);
      const counts = (await engine.counts()).toSorted((a, b) => (a.workflow < b.workflow ? -1 : 1));
      expect(counts).toEqual([
        { workflow: "asked", byStatus: { waiting_for_approval: 1 }, oldestWaitingMs: expect.any(Number) as number },
        { workflow: "bad", byStatus: { failed: 1 } },
        { workflow: "mail", byStatus: { started: 1, completed: 1 } },
      ]);
    });

    it("reports how long the oldest has waited for a person since it last began to wait", async () => {
      const engine = await open({
        asked: async (_, { decision }) => {
          await decision("draft-1");
          return (await decision("draft-2")).value;
        },
      });
      const { id } = await engine.start("asked", SUBMISSION);
      const waits = async (): Promise<number[]> => {
        await engine.wait(id);
        const events = await engine.events(id);
        return events.flatMap(({ type, time }) => (type === "waiting_for_approval" ? [time.getTime()] : []));
      };
      const [first] = await waits();
      while (Date.now() < first! + 10) await setImmediate();
      await engine.decide(id, "draft-1", true);
      const last = (await waits()).at(-1)!;
      const before = Date.now();
      const [{ oldestWaitingMs } = {}] = await engine.counts();
      expect(oldestWaitingMs).toBeGreaterThanOrEqual(before - last);
      expect(oldestWaitingMs).toBeLessThanOrEqual(Date.now() - last);
      await engine.decide(id, "draft-2", true);
      await engine.wait(id);
      expect(await engine.counts()).toEqual([{ workflow: "asked", byStatus: { completed: 1 } }]);
    });

    it("notifies listeners of changed runs", async () => {
      const engine = await open({
        asked: async (_, { step, decision }) => step("noted", async () => (await decision("draft-1")).value),
      });
      const told: (string | undefined)[] = [];
      const stop = engine.onChange((id) => told.push(id));
      const hears = async (id: string, act: () => Promise<unknown>): Promise<void> => {
        told.length = 0;
        await act();
        await expect.poll(() => told).toContain(id);
      };
      const { id } = await engine.start("asked", SUBMISSION);
      await expect.poll(() => told).toContain(id);
      expect((await engine.wait(id)).status).toBe("waiting_for_approval");
      await hears(id, () => engine.decide(id, "draft-1", true));
      await engine.wait(id);
      const { id: other } = await engine.start("asked", { ...SUBMISSION, key: "other" });
      await engine.wait(other);
      await hears(other, () => engine.cancel(other));
      await hears(other, () => engine.retry(other));
      stop();
      told.length = 0;
      await engine.wait((await engine.start("asked", { ...SUBMISSION, key: "unheard" })).id);
      expect(told).toEqual([]);
    });

    it("notifies listeners once it is stored that this process has ended a run or made it wait", async () => {
      const engine = await open({
        ended: async (input) => input,
        bad: () => {
          throw new ValidationError("no", { code: "bad_luck" });
        },
        asked: async (_, { decision }) => (await decision("draft-1")).value,
      });
      const told: RestedRun[] = [];
      const stop = engine.onRest((rested) => told.push(rested));
      const ids = new Map<string, string>();
      for (const workflow of ["ended", "bad", "asked"]) {
        const { id } = await engine.start(workflow, { ...SUBMISSION, input: { of: workflow } });
        await engine.wait(id);
        ids.set(workflow, id);
        await expect.poll(() => told.length).toBe(ids.size);
      }
      const { startTime, endTime: time } = (await engine.get(ids.get("ended")!))!;
      expect(told).toMatchObject([
        { id: ids.get("ended"), workflow: "ended", key: SUBMISSION.key, status: "completed", startTime, time },
        { id: ids.get("bad"), status: "failed", error: { error_code: "bad_luck" } },
        { id: ids.get("asked"), status: "waiting_for_approval", subject: "draft-1" },
      ]);
      expect(told.map(({ input }) => input())).toEqual([{ of: "ended" }, { of: "bad" }, { of: "asked" }]);
      await engine.cancel(ids.get("asked")!);
      expect(told.at(-1)).toMatchObject({ id: ids.get("asked"), status: "cancelled" });
      stop();
      await engine.wait((await engine.start("ended", { ...SUBMISSION, key: "unheard" })).id);
      expect(told).toHaveLength(4);
    });

    it("forgets a run that has ended, and its key may be used again", async () => {
      const engine = await open({
        echo: async (input) => input,
        asked: async (_, { decision }) => (await decision("d")).value,
      });
      const { id } = await engine.start("echo", { ...SUBMISSION, input: "one" });
      await engine.wait(id);
      const { id: asked } = await engine.start("asked", SUBMISSION);
      await engine.wait(asked);
      expect(await engine.forget(asked)).toBe(false);
      expect(await engine.forget(id)).toBe(true);
      expect(await engine.forget(id)).toBe(false);
      expect(await engine.forget("workflow-unknown")).toBe(false);
      expect([await engine.get(id), await engine.events(id), await engine.history(id)]).toEqual([undefined, [], []]);
      const again = await engine.start("echo", { ...SUBMISSION, fingerprint: "other", input: "two" });
      expect(again.outcome).toBe("created");
      expect(await engine.wait(again.id)).toMatchObject({ status: "completed", output: "two" });
      expect(await engine.get(asked)).toMatchObject({ status: "waiting_for_approval" });
    });

    it("claims the run with the highest priority first, and among equals the one that has been due longest", async () => {
      const looker = await open({}, { worker: false });
      const begun: Json[] = [];
      const priorities = [0, 5, -3, 5, undefined, 1000, -1000];
      for (const [n, priority] of priorities.entries()) {
        const run = { ...SUBMISSION, key: `k${n}`, input: n, ...(priority === undefined ? {} : { priority }) };
        await looker.start("queued", run);
      }
      const engine = await data().open({ concurrency: 1 });
      onTestFinished(() => engine.close());
      engine.register("queued", async (input, { step }) => step("only", () => (begun.push(input), null)));
      engine.startWorker();
      for (const n of priorities.keys()) await engine.wait((await engine.find("queued", `k${n}`))!.id);
      expect(begun).toEqual([5, 1, 3, 0, 4, 2, 6]);
    });

    it("does not let priority move a run before its start time, and keeps the priority after a retry", async () => {
      const engine = await data().open({
        concurrency: 1,
        retry: { attempts: 2, initialDelayMs: 1, maximumDelayMs: 1 },
      });
      onTestFinished(() => engine.close());
      let failures = 1;
      engine.register("queued", async (_, { step }) =>
        step("only", () => {
          if (failures-- > 0) throw new IoError("away");
          return null;
        }),
      );
      const later = { ...SUBMISSION, key: "later", priority: 9, availableAt: new Date(Date.now() + 3_600_000) };
      const { id } = await engine.start("queued", later);
      const { id: other } = await engine.start("queued", { ...SUBMISSION, key: "now", priority: 1 });
      expect(await engine.wait(other)).toMatchObject({ status: "completed" });
      expect(await engine.get(id)).toMatchObject({ status: "started" });
    });

    it.each([1.5, 1001, Number.NaN, -Infinity])("refuses %s as a priority", async (priority) => {
      const engine = await open({ echo: async (input) => input });
      await expect(engine.start("echo", { ...SUBMISSION, priority })).rejects.toMatchObject({
        code: "invalid_parameters",
        message: expect.stringContaining("priority"),
      });
      expect(await engine.list()).toEqual([]);
    });
  });
}
