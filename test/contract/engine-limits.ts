import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { WorkflowEngine } from "../../src/engine/engine.ts";
import type { Json } from "../../src/json.ts";
import type { OpenEngine } from "./workflow-engine.ts";

const SUBMISSION = { key: "k", fingerprint: "f", input: null };

const nested = (levels: number): Json => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as Json;

/**
 * What an engine promises about values that no database can store: it refuses them at once instead
 * of retrying them again and again.
 */
export function engineLimits(open: OpenEngine): void {
  describe("values that can't be stored", () => {
    const started = async (engine: WorkflowEngine, workflow: string) =>
      engine.wait((await engine.start(workflow, SUBMISSION)).id);

    it("accepts a key of 2000 bytes and refuses a longer one", async () => {
      const engine = await open({ echo: async (input) => input });
      // Random keys can't be compressed.
      for (const key of [randomBytes(1000).toString("hex"), "é".repeat(1000)]) {
        const { id } = await engine.start("echo", { ...SUBMISSION, key });
        expect(await engine.wait(id)).toMatchObject({ status: "completed", key });
        expect((await engine.find("echo", key))?.id).toBe(id);
        const longer = engine.start("echo", { ...SUBMISSION, key: `${key}x` });
        await expect(longer).rejects.toMatchObject({
          type: "validation_error",
          code: "invalid_parameters",
          message: expect.stringContaining("2000 bytes"),
        });
        expect(await engine.find("echo", `${key}x`)).toBeUndefined();
      }
    });

    it("stores values nested 500 deep, and refuses deeper ones", async () => {
      let effects = 0;
      const engine = await open({
        echo: async (input, { step }) => step("only", () => (++effects, input)),
        deep: async (_, { step }) => step("only", () => (++effects, nested(501))),
        waiting: async (_, { decision }) => (await decision("draft-1", nested(500))).value,
      });
      const { id } = await engine.start("echo", { ...SUBMISSION, input: nested(500) });
      expect(await engine.wait(id)).toMatchObject({ status: "completed", output: nested(500) });
      const deeper = engine.start("echo", { ...SUBMISSION, key: "deeper", input: { list: nested(500) } });
      await expect(deeper).rejects.toMatchObject({ type: "validation_error", message: expect.stringContaining("500") });
      expect(await started(engine, "deep")).toMatchObject({ status: "failed", error: { error_code: "not_storable" } });
      expect(effects).toBe(2);
      const waiting = await started(engine, "waiting");
      await expect(engine.decide(waiting.id, "draft-1", nested(501))).rejects.toMatchObject({
        type: "validation_error",
      });
      await engine.decide(waiting.id, "draft-1", nested(500));
      expect(await engine.wait(waiting.id)).toMatchObject({ status: "completed", output: nested(500) });
    });

    it.each<[string, unknown]>([
      ["a function", () => "sent"],
      ["a symbol", Symbol("sent")],
      ["something that writes itself as nothing", { toJSON: () => undefined }],
    ])("fails at once and permanently if a result is %s", async (_, value) => {
      let effects = 0;
      const engine = await open({
        step: async (_input, { step }) => (await step("only", () => (++effects, value as Json)), "done"),
        handler: async () => (++effects, value as Json),
      });
      for (const workflow of ["step", "handler"]) {
        expect(await started(engine, workflow)).toMatchObject({
          status: "failed",
          error: { error_code: "not_storable", retriable: false },
        });
      }
      expect(effects).toBe(2);
    });

    it("accepts a step without a result", async () => {
      const engine = await open({
        silent: async (_input, { step }) => (await step("only", () => undefined as never), "done"),
      });
      expect(await started(engine, "silent")).toMatchObject({ status: "completed", stepsCompleted: ["only"] });
    });

    it("reports two steps of a run with the same name", async () => {
      const engine = await open({
        twice: async (_input, { step }) => (await step("only", () => 1), step("only", () => 2)),
      });
      expect(await started(engine, "twice")).toMatchObject({
        status: "failed",
        error: {
          error: expect.stringContaining('named "only"'),
          error_code: "duplicate_step_name",
          retriable: false,
        },
      });
    });

    it.each([
      ["a NUL character", "a\u0000b"],
      ["half of a surrogate pair", "\ud800"],
      ["more than 1000 bytes", `${"é".repeat(500)}x`],
      ["nothing in it", ""],
      ["an underscore to begin with", "_sent"],
    ])("fails at once and permanently if the name of a step has %s", async (_, name) => {
      let effects = 0;
      const engine = await open({
        listed: async (_input, { step }) => step(name, () => ++effects),
        unlisted: async (_input, { step }) => step.unlisted(name, () => ++effects),
        longest: async (_input, { step }) => step("é".repeat(500), () => "done"),
      });
      for (const workflow of ["listed", "unlisted"]) {
        expect(await started(engine, workflow)).toMatchObject({
          status: "failed",
          error: {
            error: expect.stringContaining("name of a step"),
            error_code: "invalid_step_name",
            retriable: false,
          },
        });
      }
      expect(effects).toBe(0);
      expect(await started(engine, "longest")).toMatchObject({ status: "completed", output: "done" });
    });
  });
}
