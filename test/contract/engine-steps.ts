import { describe, expect, it } from "vitest";
import type { RunHandler, WorkflowEngine } from "../../src/engine/engine.ts";
import { ConflictError, IoError, isAbiError, ValidationError, type AbiError } from "../../src/errors.ts";
import type { OpenEngine } from "./workflow-engine.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };

/** What an engine promises about the steps of a run, and of how many there may be; part of its contract. */
export function engineSteps(open: OpenEngine): void {
  describe("where steps are recorded", () => {
    const started = async (engine: WorkflowEngine, workflow: string) =>
      engine.wait((await engine.start(workflow, SUBMISSION)).id);
    /** All at once, which is quicker. */
    const many = (count: number, work: (n: number) => Promise<unknown>) =>
      Promise.all(Array.from({ length: count }, (_, n) => work(n)));

    it("goes on when it is told, however many attempts and steps of earlier submissions there are", async () => {
      let away = true;
      const mail: RunHandler = async (_, { step, resumedAt }) => {
        await many(600, (n) => step.unlisted(`looked_${n}_${resumedAt?.getTime()}`, () => null));
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
    }, 60_000);

    it("says so where a run makes more steps than it may", async () => {
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
    }, 60_000);

    /** A card that is refused at first and would be taken later, and a ledger that is away when the refusal is to be noted. */
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
    ])(
      "takes the same way at every replay after a failure that was handled: %s",
      async (_, kind, refusal, attempts) => {
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
      },
    );

    it("tries a step again that may go well, and does nothing else before, whatever the handler makes of its failure", async () => {
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

    it("tries a step whose failure was handled again where the run has failed later and is taken up again", async () => {
      const { handler, did } = purchase(() => new ValidationError("No."));
      const engine = await open({ handler }, { retry: { attempts: 2, initialDelayMs: 1, maximumDelayMs: 2 } });
      const { id, error } = await started(engine, "handler");
      expect(error).toMatchObject({ error: "The ledger is away." });
      await engine.retry(id);
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: "charged" });
      expect(did).toEqual(["refusal told", "charged"]);
    });
  });
}
