import { describe, expect, it } from "vitest";
import type { RunHandler, WorkflowEngine } from "../../src/engine/engine.ts";
import { IoError } from "../../src/errors.ts";
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
  });
}
