import { describe, expect, it } from "vitest";
import type { Run, RunHandler, WorkflowEngine } from "../../src/engine/engine.ts";
import type { Json } from "../../src/json.ts";
import type { OpenEngine } from "./workflow-engine.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };
const APPROVED = { decision: "approve", by: "Ann" };

/** What an engine promises about runs that wait for a person; part of its contract. */
export function engineDecisions(open: OpenEngine): void {
  describe("where a person decides", () => {
    /** A handler of three steps that waits between them, and how often each step ran. */
    const approval = () => {
      const calls = { handler: 0, drafted: 0, sent: 0 };
      const handler: RunHandler = async (_, { step, decision }) => {
        calls.handler++;
        await step("drafted", () => void calls.drafted++);
        const { value, time } = await decision("draft-1", { sentiment: "positive" });
        await step("sent", () => void calls.sent++);
        return { value, time: time.toISOString() };
      };
      return { calls, handler };
    };
    const startedRun = async (engine: WorkflowEngine, key = "k"): Promise<Run> => {
      const { id } = await engine.start("mail", { ...SUBMISSION, key });
      return engine.wait(id);
    };

    /** The run at its end, whether or not it is seen waiting before. */
    const settled = async (engine: WorkflowEngine, id: string): Promise<Run> => {
      const run = await engine.wait(id);
      return run.status === "waiting_for_approval" ? settled(engine, id) : run;
    };

    it("waits with what it knows so far, and continues with the decision", async () => {
      const { handler, calls } = approval();
      const engine = await open({ mail: handler });
      const waiting = await startedRun(engine);
      expect(waiting).toMatchObject({
        status: "waiting_for_approval",
        stepsCompleted: ["drafted"],
        waitingFor: { subject: "draft-1", output: { sentiment: "positive" } },
      });
      expect(waiting).not.toHaveProperty("endTime");
      const { value, time } = await engine.decide(waiting.id, "draft-1", APPROVED);
      expect(value).toEqual(APPROVED);
      const run = await engine.wait(waiting.id);
      expect(run).toMatchObject({
        status: "completed",
        stepsCompleted: ["drafted", "sent"],
        output: { value: APPROVED, time: time.toISOString() },
      });
      expect(run).not.toHaveProperty("waitingFor");
      expect(calls).toEqual({ handler: 2, drafted: 1, sent: 1 });
      const history = await engine.history(run.id);
      expect(history.map(({ step, status }) => `${step} ${status}`)).toEqual(["drafted completed", "sent completed"]);
    });

    it("takes a decision before the wait begins", async () => {
      const drafting = Promise.withResolvers<void>();
      const decided = Promise.withResolvers<void>();
      let executions = 0;
      const engine = await open({
        mail: async (_, { step, decision }) => {
          executions++;
          await step("drafted", async () => {
            drafting.resolve();
            await decided.promise;
          });
          return (await decision("draft-1")).value;
        },
      });
      const { id } = await engine.start("mail", SUBMISSION);
      await drafting.promise;
      await engine.decide(id, "draft-1", APPROVED);
      decided.resolve();
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: APPROVED });
      expect(executions).toBe(1);
    });

    it("misses no decision that is made at the moment when the run begins to wait", async () => {
      const { handler, calls } = approval();
      const engine = await open({ mail: handler });
      const ids = await Promise.all(
        Array.from({ length: 40 }, async (_, n) => {
          const { id } = await engine.start("mail", { ...SUBMISSION, key: `k${n}` });
          await engine.decide(id, "draft-1", n);
          return id;
        }),
      );
      for (const [n, id] of ids.entries()) expect(await settled(engine, id)).toMatchObject({ output: { value: n } });
      expect(calls).toMatchObject({ drafted: 40, sent: 40 });
    });

    it("keeps a waiting run over a restart, and a decision from a process that executes nothing", async () => {
      const { handler, calls } = approval();
      const first = await open({ mail: handler });
      const { id } = await startedRun(first);
      await first.close();
      const second = await open({ mail: handler, quick: async () => null });
      // By the end of this run, the worker has polled.
      await second.wait((await second.start("quick", SUBMISSION)).id);
      expect(calls.handler).toBe(1);
      const looker = await open({}, { worker: false });
      expect(await looker.get(id)).toMatchObject({ status: "waiting_for_approval", stepsCompleted: ["drafted"] });
      await looker.decide(id, "draft-1", APPROVED);
      expect(await second.wait(id)).toMatchObject({ status: "completed" });
      expect(calls).toMatchObject({ drafted: 1, sent: 1 });
    });

    it("accepts the same decision again, even after the run has ended, and refuses a different one", async () => {
      const { handler } = approval();
      const engine = await open({ mail: handler });
      const { id } = await startedRun(engine);
      const first = await engine.decide(id, "draft-1", APPROVED);
      await engine.wait(id);
      expect(await engine.decide(id, "draft-1", { by: "Ann", decision: "approve" })).toEqual(first);
      const other = engine.decide(id, "draft-1", { decision: "reject", by: "Bob" });
      await expect(other).rejects.toMatchObject({ type: "conflict", code: "already_decided" });
    });

    it("lets one decision win if many are made at the same time from two processes", async () => {
      const { handler, calls } = approval();
      const engine = await open({ mail: handler });
      const other = await open({}, { worker: false });
      const { id } = await startedRun(engine);
      const decisions = await Promise.allSettled(
        Array.from({ length: 32 }, (_, n) => (n % 2 ? engine : other).decide(id, "draft-1", { by: `person ${n}` })),
      );
      const won = decisions.filter(({ status }) => status === "fulfilled");
      expect(won).toHaveLength(1);
      const lost = decisions.flatMap((answer) => (answer.status === "rejected" ? [(answer.reason as Error).name] : []));
      expect(new Set(lost)).toEqual(new Set(["ConflictError"]));
      const { value } = (won[0] as PromiseFulfilledResult<{ value: unknown }>).value;
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: { value } });
      expect(calls.sent).toBe(1);
    });

    it("refuses a decision that the run no longer waits for, and goes from one wait to the next", async () => {
      const engine = await open({
        mail: async (_, { decision }) => [(await decision("draft-1")).value, (await decision("draft-2")).value],
      });
      const { id } = await startedRun(engine);
      const early = engine.decide(id, "draft-2", "yes");
      await expect(early).rejects.toMatchObject({ type: "conflict", code: "decision_outdated" });
      await engine.decide(id, "draft-1", "first");
      expect(await engine.wait(id)).toMatchObject({ waitingFor: { subject: "draft-2" } });
      await expect(engine.decide(id, "draft-0", "no")).rejects.toMatchObject({ code: "decision_outdated" });
      await engine.decide(id, "draft-2", "second");
      expect(await engine.wait(id)).toMatchObject({ output: ["first", "second"] });
    });

    it("cancels a waiting run at once, accepts no decision for it, and waits again when it is resumed", async () => {
      const { handler, calls } = approval();
      const engine = await open({ mail: handler });
      const { id } = await startedRun(engine);
      expect(await engine.cancel(id)).toBe(true);
      expect(await engine.get(id)).toMatchObject({ status: "cancelled", stepsCompleted: ["drafted"] });
      await expect(engine.decide(id, "draft-1", APPROVED)).rejects.toMatchObject({ code: "run_ended" });
      expect(await engine.retry(id)).toBe(true);
      expect(await engine.wait(id)).toMatchObject({ status: "waiting_for_approval" });
      await engine.decide(id, "draft-1", APPROVED);
      expect(await engine.wait(id)).toMatchObject({ status: "completed" });
      expect(calls).toMatchObject({ drafted: 1, sent: 1 });
    });

    it("does not count as waiting while it is executed again", async () => {
      const again = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      let executions = 0;
      const engine = await open({
        mail: async (_, { decision }) => {
          if (++executions === 2) {
            again.resolve();
            await gate.promise;
          }
          return (await decision("draft-1")).value;
        },
      });
      const { id } = await startedRun(engine);
      await engine.cancel(id);
      await engine.retry(id);
      await again.promise;
      expect(await engine.get(id)).toMatchObject({ status: "processing" });
      expect(await engine.get(id)).not.toHaveProperty("waitingFor");
      await engine.decide(id, "draft-1", APPROVED);
      gate.resolve();
      expect(await engine.wait(id)).toMatchObject({ output: APPROVED });
      expect(executions).toBe(2);
    });

    it("sees a cancellation that is requested just before it waits", async () => {
      const drafting = Promise.withResolvers<void>();
      const asked = Promise.withResolvers<void>();
      const engine = await open({
        mail: async (_, { step, decision }) => {
          await step("drafted", async () => {
            drafting.resolve();
            await asked.promise;
          });
          return (await decision("draft-1")).value;
        },
      });
      const { id } = await engine.start("mail", SUBMISSION);
      await drafting.promise;
      await engine.cancel(id);
      asked.resolve();
      expect(await engine.wait(id)).toMatchObject({ status: "cancelled" });
    });

    it("occupies no worker while it waits, and is not executed in the meantime", async () => {
      const { handler, calls } = approval();
      const engine = await open({ mail: handler, quick: async () => "done" }, { concurrency: 1 });
      const waiting = await Promise.all(["1", "2", "3"].map((key) => startedRun(engine, key)));
      for (const key of ["a", "b"]) {
        const { id } = await engine.start("quick", { ...SUBMISSION, key });
        expect(await engine.wait(id)).toMatchObject({ output: "done" });
      }
      expect(calls.handler).toBe(3);
      for (const { id } of waiting) await engine.decide(id, "draft-1", APPROVED);
      for (const { id } of waiting) expect(await engine.wait(id)).toMatchObject({ status: "completed" });
    });

    it("lists waiting runs separately from those being executed", async () => {
      const gate = Promise.withResolvers<void>();
      const working = Promise.withResolvers<void>();
      const engine = await open({
        mail: approval().handler,
        slow: async (_, { step }) =>
          step("only", async () => {
            working.resolve();
            await gate.promise;
            return null;
          }),
      });
      const { id } = await startedRun(engine);
      const { id: slow } = await engine.start("slow", SUBMISSION);
      await working.promise;
      const ids = async (status: Run["status"]) => (await engine.list({ status })).map((run) => run.id);
      expect(await ids("waiting_for_approval")).toEqual([id]);
      expect(await ids("processing")).toEqual([slow]);
      gate.resolve();
      await engine.wait(slow);
      await engine.decide(id, "draft-1", APPROVED);
      await engine.wait(id);
      expect(await ids("waiting_for_approval")).toEqual([]);
    });

    it("reports the outcome of a decision without making it", async () => {
      const { handler } = approval();
      const engine = await open({ mail: handler });
      const { id } = await startedRun(engine);
      const would = (subject: string, value: Json) => engine.standingDecision(id, subject, value);
      expect(await would("draft-1", APPROVED)).toBeUndefined();
      await expect(would("draft-2", APPROVED)).rejects.toMatchObject({ code: "decision_outdated" });
      await expect(would('a"b', APPROVED)).rejects.toMatchObject({ code: "invalid_subject" });
      expect(await engine.get(id)).toMatchObject({ status: "waiting_for_approval" });
      const decided = await engine.decide(id, "draft-1", APPROVED);
      await engine.wait(id);
      expect(await would("draft-1", APPROVED)).toEqual(decided);
      await expect(would("draft-1", "no")).rejects.toMatchObject({ code: "already_decided" });
      await expect(would("draft-2", "no")).rejects.toMatchObject({ code: "run_ended" });
      const unknown = engine.standingDecision("workflow-unknown", "draft-1", APPROVED);
      await expect(unknown).rejects.toMatchObject({ code: "unknown_run" });
    });

    it("waits for a person whatever the subject of the decision is called", async () => {
      const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
      const engine = await open({
        mail: async (_, { decision }) => {
          const values: Json[] = [(await decision("draft-1")).value];
          for (const name of names) values.push((await decision(name)).value);
          return values;
        },
      });
      const { id } = await startedRun(engine);
      await engine.decide(id, "draft-1", "first");
      for (const subject of names) {
        expect(await engine.wait(id)).toMatchObject({ waitingFor: { subject } });
        expect(await engine.decide(id, subject, `yes to ${subject}`)).toMatchObject({ value: `yes to ${subject}` });
        expect(await engine.decide(id, subject, `yes to ${subject}`)).toMatchObject({ value: `yes to ${subject}` });
      }
      expect(await engine.wait(id)).toMatchObject({ output: ["first", ...names.map((name) => `yes to ${name}`)] });
    });

    it("refuses decisions for unknown runs and on invalid subjects", async () => {
      const { handler } = approval();
      const engine = await open({ mail: handler });
      const { id } = await startedRun(engine);
      const unknown = engine.decide("workflow-unknown", "draft-1", APPROVED);
      await expect(unknown).rejects.toMatchObject({ type: "validation_error", code: "unknown_run" });
      for (const subject of ["", 'a"b', "$.x", "a".repeat(201)]) {
        await expect(engine.decide(id, subject, APPROVED)).rejects.toMatchObject({ code: "invalid_subject" });
      }
      expect(await engine.get(id)).toMatchObject({ status: "waiting_for_approval" });
    });
  });
}
