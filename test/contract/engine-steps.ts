import { setTimeout } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunHandler, WorkflowEngine } from "../../src/engine/engine.ts";
import { ConflictError, IoError, isAbiError, ValidationError, type AbiError } from "../../src/errors.ts";
import type { OpenEngine } from "./workflow-engine.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };

/** What an engine promises about the steps of a run and their number; part of its contract. */
export function engineSteps(open: OpenEngine): void {
  describe("recorded steps", () => {
    const started = async (engine: WorkflowEngine, workflow: string) =>
      engine.wait((await engine.start(workflow, SUBMISSION)).id);
    /** All at once, which is faster. */
    const many = (count: number, work: (n: number) => Promise<unknown>) =>
      Promise.all(Array.from({ length: count }, (_, n) => work(n)));

    it("continues when it is retried, however many attempts and steps earlier submissions had", async () => {
      let away = true;
      let looks = 0;
      const mail: RunHandler = async (_, { step, resumedAt }) => {
        await many(600, (n) => step.unlisted(`looked_${n}_${resumedAt?.getTime()}`, () => ++looks));
        return step("sent", () => {
          if (away) throw new IoError("The mail server is away.");
          return "sent";
        });
      };
      const engine = await open({ mail });
      const { id, error } = await started(engine, "mail");
      expect(error).toMatchObject({ error: "The mail server is away." });
      await engine.retry(id);
      expect(await engine.wait(id)).toMatchObject({ error: { error: "The mail server is away." } });
      away = false;
      await engine.retry(id);
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "sent" });
      expect(looks).toBe(1800);
    });

    it("reports a run that makes more steps than it may", async () => {
      let effects = 0;
      const engine = await open({
        endless: async (_, { step }) => {
          await many(1000, (n) => step(`s${n}`, () => void effects++));
          return step("one_more", () => void effects++) as never;
        },
      });
      expect(await started(engine, "endless")).toMatchObject({
        status: "failed",
        error: {
          error: expect.stringContaining("more than 1000 steps"),
          error_code: "too_many_steps",
          error_type: "unexpected_error",
          retriable: false,
        },
      });
      expect(effects).toBe(1000);
    });

    /**
     * A card that is refused at first and would be accepted later, and a ledger that is unavailable
     * when the refusal should be noted.
     */
    const purchase = (refusal: () => AbiError, untilTaken = 1) => {
      const did: string[] = [];
      const caught: unknown[] = [];
      let refusals = 0;
      let failures = 0;
      const handler: RunHandler = async (_, { step }) => {
        try {
          await step("charged", () => {
            if (++refusals <= untilTaken) throw refusal();
            did.push("charged");
          });
        } catch (error) {
          if (!isAbiError(error)) throw error;
          caught.push([error.constructor, error.type, error.code, error.message]);
          await step("refusal_told", () => void did.push("refusal told"));
          await step("refusal_noted", () => {
            if (++failures < 3) throw new IoError("The ledger is away.");
          });
          return "refused";
        }
        return "charged";
      };
      return { handler, did, caught };
    };

    class CardRefused extends ValidationError {}

    it.each([
      ["an error of an author's own class", ValidationError, () => new CardRefused("No.", { code: "card_refused" }), 1],
      ["a conflict", ConflictError, () => new ConflictError("No.", { code: "card_refused" }), 1],
      ["an error that has not passed", IoError, () => new IoError("No.", { code: "card_refused" }), 3],
    ])("takes the same branch at every replay after a handled failure: %s", async (_, kind, refusal, attempts) => {
      const { handler, did, caught } = purchase(refusal, attempts);
      const engine = await open({ handler });
      expect(await started(engine, "handler")).toMatchObject({
        status: "completed",
        output: "refused",
        stepsCompleted: ["refusal_told", "refusal_noted"],
      });
      expect(did).toEqual(["refusal told"]);
      const same = [kind, refusal().type, "card_refused", "No."];
      expect(caught).toEqual([same, same, same]);
    });

    it("reports the last completed step as current if the handler ignores a failed one", async () => {
      const engine = await open({
        handler: async (_, { step }) => {
          await step("ordered", () => "ordered");
          return step("charged", () => {
            throw new ValidationError("No.", { code: "card_refused" });
          }).catch(() => "refused");
        },
      });
      expect(await started(engine, "handler")).toMatchObject({ status: "completed", currentStep: "ordered" });
    });

    it("retries a step before anything else, whatever the handler does about its failure", async () => {
      const did: string[] = [];
      const flaky = () => {
        let failures = 0;
        return () => {
          if (++failures < 3) throw new IoError("away");
          return "sent";
        };
      };
      const [first, second, third] = [flaky(), flaky(), flaky()];
      const engine = await open({
        passed_over: async (_, { step }) => step("sent", first).catch(() => "not sent"),
        made_another: async (_, { step }) =>
          step("sent", second).catch((cause: unknown) => {
            throw new ValidationError("not sent", { cause });
          }),
        gone_on: async (_, { step, decision }) => {
          const sent = await step("sent", third).catch(() => "not sent");
          await step.unlisted("noted", () => void did.push(sent)).catch(() => {});
          if (sent === "not sent") await decision("what_now").catch(() => {});
          return sent;
        },
      });
      for (const workflow of ["passed_over", "made_another", "gone_on"]) {
        expect(await started(engine, workflow)).toMatchObject({ status: "completed", output: "sent" });
      }
      expect(did).toEqual(["sent"]);
    });

    it("leaves a run even if its handler ignores all errors in a loop", async () => {
      let failures = 0;
      const polled = () => {
        if (++failures < 3) throw new IoError("not yet");
        return "there";
      };
      const engine = await open({
        polling: async (_, { step }) => {
          for (let n = 0; ; n++) {
            try {
              return await step(`polled_${n}`, polled);
            } catch {
              continue;
            }
          }
        },
        same: async (_, { step, decision }) => {
          for (;;) {
            try {
              await decision("draft-1");
              return await step("sent", () => {
                throw new ValidationError("no");
              });
            } catch {
              continue;
            }
          }
        },
      });
      expect(await started(engine, "polling")).toMatchObject({ status: "completed", output: "there" });
      const waiting = await started(engine, "same");
      expect(waiting).toMatchObject({ status: "waiting_for_approval" });
      await engine.decide(waiting.id, "draft-1", "yes");
      expect(await engine.wait(waiting.id)).toMatchObject({
        status: "failed",
        error: { error_code: "too_many_steps" },
      });
    });

    it("retries a step whose failure was handled if the run failed later and is resumed", async () => {
      const { handler, did } = purchase(() => new ValidationError("No."));
      const engine = await open({ handler }, { retry: { attempts: 2, initialDelayMs: 1, maximumDelayMs: 2 } });
      const { id, error } = await started(engine, "handler");
      expect(error).toMatchObject({ error: "The ledger is away." });
      await engine.retry(id);
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "charged" });
      expect(did).toEqual(["refusal told", "charged"]);
    });

    /** A slow step concurrent with a quick one; a third may follow. */
    const sideBySide = (quick: (attempt: number) => unknown, after?: (attempt: number) => unknown) => {
      const quickBegan = Promise.withResolvers<void>();
      const slowBegan = Promise.withResolvers<void>();
      const counts = { quick: 0, slow: 0, after: 0 };
      const handler: RunHandler = async (_, { step }) => {
        const first = async () => {
          await step("quick", async () => {
            counts.quick += 1;
            quickBegan.resolve();
            await quick(counts.quick);
          });
          if (after) await step("after", async () => void (await after(++counts.after)));
        };
        const slow = step("slow", async () => {
          counts.slow += 1;
          slowBegan.resolve();
          await setTimeout(150);
        });
        await Promise.all([first(), slow]);
        return "done";
      };
      return { handler, counts, bothBegan: Promise.all([quickBegan.promise, slowBegan.promise]) };
    };

    it.each(["for now", "for good"])("keeps the result of a step while a concurrent one fails %s", async (how) => {
      const { handler, counts } = sideBySide((attempt) => {
        if (attempt > 2) return;
        throw how === "for now" ? new IoError("away") : new ValidationError("no");
      });
      const engine = await open({ handler });
      const { id } = await started(engine, "handler");
      for (const _ of how === "for good" ? [1, 2] : []) {
        await engine.retry(id);
        await engine.wait(id);
      }
      expect(await engine.get(id)).toMatchObject({ status: "completed", stepsCompleted: ["slow", "quick"] });
      expect(counts).toMatchObject({ quick: 3, slow: 1 });
      const attempts = (await engine.history(id)).map(({ step, status }) => `${step} ${status}`);
      expect(attempts.sort()).toEqual(["quick completed", "quick failed", "quick failed", "slow completed"]);
    });

    it("does not count a step as having killed its process because a concurrent one is retried", async () => {
      const { handler, counts } = sideBySide(
        () => {},
        (attempt) => {
          if (attempt < 3) throw new IoError("away");
        },
      );
      const engine = await open({ handler }, { retry: { attempts: 3, initialDelayMs: 1, maximumDelayMs: 1 } });
      expect(await started(engine, "handler")).toMatchObject({ status: "completed" });
      expect(counts).toEqual({ quick: 1, slow: 1, after: 3 });
    });

    it("hands a run over, or cancels it, only once none of its steps is running", async () => {
      const closing = Promise.withResolvers<void>();
      const cancelling = Promise.withResolvers<void>();
      const given = sideBySide(
        () => closing.promise,
        () => {},
      );
      const cancelled = sideBySide(
        () => cancelling.promise,
        () => {},
      );
      const handlers = { given: given.handler, cancelled: cancelled.handler };
      const engine = await open(handlers);
      const other = await engine.start("cancelled", SUBMISSION);
      await cancelled.bothBegan;
      await engine.cancel(other.id);
      cancelling.resolve();
      expect(await engine.wait(other.id)).toMatchObject({
        status: "cancelled",
        stepsCompleted: expect.arrayContaining(["quick", "slow"]),
      });
      await engine.retry(other.id);
      expect(await engine.wait(other.id)).toMatchObject({ status: "completed" });
      expect(cancelled.counts).toEqual({ quick: 1, slow: 1, after: 1 });

      const { id } = await engine.start("given", SUBMISSION);
      await given.bothBegan;
      const closed = engine.close();
      closing.resolve();
      await closed;
      const heir = await open(handlers);
      heir.startWorker();
      expect(await heir.wait(id)).toMatchObject({ status: "completed" });
      expect(given.counts).toEqual({ quick: 1, slow: 1, after: 1 });
    });

    it("begins to wait for a person only once no concurrent step is running", async () => {
      let effects = 0;
      const handler: RunHandler = async (_, { step, decision }) => {
        const begun = Promise.withResolvers<void>();
        const ticket = step("ticket", async () => {
          begun.resolve();
          await setTimeout(50);
          return ++effects;
        });
        await Promise.race([begun.promise, ticket]);
        const [{ value }] = await Promise.all([decision("draft-1"), ticket]);
        return value;
      };
      const engine = await open({ handler });
      const run = await started(engine, "handler");
      expect(run).toMatchObject({ status: "waiting_for_approval", stepsCompleted: ["ticket"] });
      await engine.decide(run.id, "draft-1", "yes");
      expect(await engine.wait(run.id)).toMatchObject({ status: "completed", output: "yes" });
      expect(effects).toBe(1);
    });

    it("does not record a step that a handler left running for another run, even after its own run was forgotten", async () => {
      const left = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      let over: Promise<unknown> = Promise.resolve();
      const handler: RunHandler = async (input, { step }) => {
        if (input === "hasty") {
          over = step("left", () => (begun.resolve(), left.promise.then(() => "of another run")));
          await begun.promise;
          return null;
        }
        return step("gate", () => gate.promise.then(() => "done"));
      };
      const engine = await open({ handler });
      const hasty = await engine.start("handler", { ...SUBMISSION, input: "hasty" });
      await engine.wait(hasty.id);
      expect(await engine.forget(hasty.id)).toBe(true);
      const { id } = await engine.start("handler", SUBMISSION);
      await expect.poll(async () => (await engine.history(id)).length).toBe(1);
      left.resolve();
      await over;
      gate.resolve();
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "done", stepsCompleted: ["gate"] });
    });

    it("does not end the process if a step fails before it is awaited, or is never awaited", async () => {
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
      process.on("unhandledRejection", onUnhandled);
      onTestFinished(() => void process.off("unhandledRejection", onUnhandled));
      let failures = 0;
      const engine = await open({
        later: async (_, { step }) => {
          const slow = step("slow", () => setTimeout(20, "slow"));
          const quick = step("quick", () => {
            if (++failures < 2) throw new IoError("away");
            return "quick";
          });
          return [await slow, await quick];
        },
        never: async (_, { step }) => {
          void step("left", () => {
            throw new ValidationError("no");
          });
          return step("only", () => setTimeout(20, "done"));
        },
      });
      expect(await started(engine, "later")).toMatchObject({ status: "completed", output: ["slow", "quick"] });
      expect(await started(engine, "never")).toMatchObject({ status: "completed", output: "done" });
      expect(unhandled).toEqual([]);
    });

    it("does not record a step as failed if the run is left inside it", async () => {
      let failures = 0;
      const begun = Promise.withResolvers<void>();
      const closing = Promise.withResolvers<void>();
      const handlers: Record<string, RunHandler> = {
        retried: async (_, { step }) =>
          step("outer", () =>
            step("inner", () => {
              if (++failures < 3) throw new IoError("away");
              return "done";
            }),
          ),
        given: async (_, { step }) =>
          step("outer", async () => {
            begun.resolve();
            await closing.promise;
            return step("inner", () => "done");
          }),
      };
      const engine = await open(handlers);
      expect(await started(engine, "retried")).toMatchObject({ status: "completed", output: "done" });
      const { id } = await engine.start("given", SUBMISSION);
      await begun.promise;
      const closed = engine.close();
      closing.resolve();
      await closed;
      const heir = await open(handlers);
      heir.startWorker();
      expect(await heir.wait(id)).toMatchObject({ status: "completed", output: "done" });
    });

    it("records eager steps like all others: their results, failures and history", async () => {
      let tries = 0;
      const handler: RunHandler = async (_, { step, decision, history }) => {
        const one = await step("one", () => 1, { eager: true });
        const two = await step(
          "two",
          () => {
            if (++tries === 1) throw new IoError("away");
            return one + 1;
          },
          { eager: true },
        );
        const known = (await history()).map(({ step, status }) => `${step} ${status}`);
        const { value } = await decision("draft-1");
        return [two, await step("three", () => value), known];
      };
      const engine = await open({ handler }, { retry: { attempts: 2, initialDelayMs: 1, maximumDelayMs: 1 } });
      const { id, status } = await started(engine, "handler");
      expect(status).toBe("waiting_for_approval");
      await engine.decide(id, "draft-1", "yes");
      expect(await engine.wait(id)).toMatchObject({
        status: "completed",
        output: [2, "yes", ["one completed", "two failed", "two completed"]],
      });
      expect((await engine.history(id)).map(({ step, status }) => `${step} ${status}`)).toEqual([
        "one completed",
        "two failed",
        "two completed",
        "three completed",
      ]);
    });

    it("does not ask a person about an ended run, even if its handler left work running", async () => {
      const left = Promise.withResolvers<unknown>();
      const ended = Promise.withResolvers<void>();
      const handler: RunHandler = async (_, { step, decision }) => {
        void ended.promise.then(() => decision("draft-1").then(left.resolve, left.resolve));
        return step("only", () => "done");
      };
      const engine = await open({ handler });
      const { id } = await started(engine, "handler");
      ended.resolve();
      expect(await left.promise).toMatchObject({ code: "interrupted" });
      expect(await engine.get(id)).toMatchObject({ status: "completed", output: "done" });
    });
  });
}
