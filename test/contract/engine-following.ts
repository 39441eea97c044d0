import { describe, expect, it } from "vitest";
import type { RestingRun, RunHandler, WorkflowEngine } from "../../src/engine/engine.ts";
import { ValidationError } from "../../src/errors.ts";
import type { Json } from "../../src/json.ts";
import type { OpenEngine } from "./workflow-engine.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };

/** What an engine promises about runs that follow others; part of its contract. */
export function engineFollowing(open: OpenEngine): void {
  describe("following runs", () => {
    const handlers: Record<string, RunHandler> = {
      good: async (_, { step }) => step("done", () => "fine"),
      bad: async (_, { step }) =>
        step("refused", () => {
          throw new ValidationError("No such thing.", { code: "nothing_there" });
        }),
      asking: async (_, { decision }) => (await decision("draft-1")).value,
    };

    /** Opens an engine whose runs are followed by those of the workflow "told". */
    const following = async (told: RunHandler = async (input) => input) => {
      const plans: RestingRun[] = [];
      const engine = await open({ ...handlers, told });
      engine.follow((resting) => {
        plans.push(resting);
        if (resting.workflow === "told") return undefined;
        const key = `${resting.id} ${resting.status}`;
        return { workflow: "told", key, fingerprint: key, input: resting.key };
      });
      return { engine, plans };
    };
    const run = async (engine: WorkflowEngine, workflow: string) => {
      const { id } = await engine.start(workflow, SUBMISSION);
      return engine.wait(id);
    };
    const follower = async (engine: WorkflowEngine, key: string) => {
      const found = await engine.find("told", key);
      return found && engine.wait(found.id);
    };

    it.each([
      ["good", "completed", {}],
      ["bad", "failed", { error: expect.objectContaining({ error_code: "nothing_there" }) }],
      ["asking", "waiting_for_approval", { subject: "draft-1" }],
    ])(
      "passes the outcome of %s to the plan, and starts the run that the plan returns",
      async (workflow, status, facts) => {
        const { engine, plans } = await following();
        const { id } = await run(engine, workflow);
        expect(plans[0]).toEqual({
          id,
          workflow,
          key: "k",
          input: expect.any(Function) as () => Json,
          status,
          ...facts,
        });
        // It was accepted before the other run ended or began to wait, so it exists.
        expect(await follower(engine, `${id} ${status}`)).toMatchObject({ status: "completed", output: "k" });
      },
    );

    it("follows a run that continues after it waited or was resumed", async () => {
      const { engine, plans } = await following();
      const waiting = await run(engine, "asking");
      await engine.decide(waiting.id, "draft-1", "yes");
      while ((await engine.wait(waiting.id)).status !== "completed");
      expect(await follower(engine, `${waiting.id} completed`)).toMatchObject({ status: "completed" });
      const failed = await run(engine, "bad");
      await engine.retry(failed.id);
      await engine.wait(failed.id);
      const ofFailed = plans.filter(({ id }) => id === failed.id);
      expect(ofFailed.map(({ resumedAt }) => resumedAt !== undefined)).toEqual([false, true]);
    });

    it("lets a run end whatever the plan throws", async () => {
      const engine = await open(handlers);
      engine.follow(() => {
        throw new Error("no plan");
      });
      expect(await run(engine, "good")).toMatchObject({ status: "completed" });
    });

    it("must be set up before the first run is claimed", async () => {
      const engine = await open(handlers);
      await run(engine, "good");
      expect(() => engine.follow(() => undefined)).toThrow("before the first run");
    });

    it("can have only one plan", async () => {
      const { engine } = await following();
      expect(() => engine.follow(() => undefined)).toThrow("was called already");
    });
  });
}
