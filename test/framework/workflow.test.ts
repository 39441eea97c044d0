import { Hono } from "hono";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { RefundWorkflow } from "../../examples/refund-workflow.ts";
import type { WorkflowEngine } from "../../src/engine/engine.ts";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import { OxigraphOntologyStore } from "../../src/ontology/oxigraph/oxigraph-ontology-store.ts";
import type { WorkflowConfiguration } from "../../src/framework/configuration.ts";
import { direct, durable } from "../../src/framework/operation.ts";
import { Workflow } from "../../src/framework/workflow.ts";

function openEngine(): WorkflowEngine {
  const engine = new DurableEngine({
    path: ":memory:",
    retry: { attempts: 2, initialDelayMs: 1, maximumDelayMs: 1 },
  });
  onTestFinished(() => engine.close());
  return engine;
}

/** Doubles a number; the test defines what it does in the meantime. */
class Doubling extends Workflow<WorkflowConfiguration & { during?: (n: number) => Promise<void> | void }> {
  override readonly name = "doubling";
  override readonly operations = [
    durable("double", {
      description: "Double a number.",
      input: z.strictObject({ id: z.string().min(1), owner: z.string().optional(), n: z.number() }),
      output: z.object({ doubled: z.number() }),
      key: "id",
      echo: ["owner"],
      run: async ({ n }, { step }) => ({
        doubled: await step("doubled", async () => {
          await this.configuration.during?.(n);
          return n * 2;
        }),
      }),
    }),
    direct("halve", {
      description: "Halve a number.",
      input: z.strictObject({ n: z.number() }),
      output: z.object({ halved: z.number() }),
      run: ({ n }) => {
        if (n === 13) throw new Error("unlucky, says /etc/secret");
        return { halved: n / 2 };
      },
    }),
  ];
}

describe("a custom workflow", () => {
  it("gets tools, routes, durability and idempotency from the base class", async () => {
    const engine = openEngine();
    const ontologyStore = await OxigraphOntologyStore.open({ path: ":memory:" });
    onTestFinished(() => ontologyStore.close());
    const workflow = new RefundWorkflow({ engine, ontologyStore, limit: 100 });
    const refund = { refund_id: "R-1", order_id: "O-1", amount: 30 };
    expect(await workflow.run(refund)).toMatchObject({
      success: true,
      decision: "granted",
      steps_completed: ["amount_checked", "refund_stored"],
    });
    expect(await workflow.run(refund)).toMatchObject({ duplicate: true });
    expect(workflow.as_tools().map(({ name }) => name)).toEqual(["request_refund", "get_refund_limit"]);
    const app = new Hono();
    workflow.as_api(app);
    expect(await (await app.request("/workflows/refund/R-1")).json()).toMatchObject({
      status: "processed",
      refund_id: "R-1",
      decision: "granted",
    });
    expect(await ontologyStore.listStores()).toEqual(["refunds"]);
  });

  it("repeats the echoed fields in every result, with their types", async () => {
    const workflow = new (class extends Workflow {
      override readonly name = "echoing";
      override readonly operations = [
        durable("echo", {
          description: "Repeat.",
          input: z.strictObject({
            id: z.string(),
            lines: z.number(),
            urgent: z.boolean(),
            note: z.string().optional(),
          }),
          output: z.object({}),
          key: "id",
          echo: ["lines", "urgent", "note"],
          run: async () => ({}),
        }),
      ];
    })({ engine: openEngine() });
    const given = { id: "E-1", lines: 0, urgent: false };
    expect(await workflow.run(given)).toEqual({ ...given, success: true, steps_completed: [] });
    expect(await workflow.run({ ...given, lines: 1 })).toMatchObject({ ...given, lines: 1, error_type: "conflict" });
  });

  it("must have exactly one durable operation", () => {
    class Nothing extends Workflow {
      override readonly name = "nothing";
      override readonly operations = [];
    }
    expect(() => new Nothing({ engine: openEngine() }).register()).toThrow(/exactly one durable operation/);
  });

  it("can't have a parameter with the name under which a run's trace is stored", () => {
    class Tracing extends Workflow {
      override readonly name = "tracing";
      override readonly operations = [
        durable("trace", {
          description: "Trace a parcel.",
          input: z.strictObject({ id: z.string(), _trace: z.string().optional() }),
          output: z.object({}),
          key: "id",
          run: async () => ({}),
        }),
      ];
    }
    expect(() => new Tracing({ engine: openEngine() }).register()).toThrow(/parameter with the name _trace/);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses maxParallelRequests of %s at construction", (maxParallelRequests) => {
    expect(() => new Doubling({ engine: openEngine(), maxParallelRequests })).toThrow(/at least 1/);
  });

  it("shows the model a direct call's failure without internals, and logs the cause", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "error" }, { write: (line: string) => void lines.push(line) });
    const [, halve] = new Doubling({ engine: openEngine(), logger }).as_tools();
    expect(JSON.parse((await halve!.invoke({ n: 8 })) as string)).toEqual({ halved: 4 });
    const failed = (await halve!.invoke({ n: 13 })) as string;
    expect(JSON.parse(failed)).toMatchObject({ success: false, error_type: "unexpected_error", retriable: false });
    expect(failed).not.toMatch(/unlucky|secret/);
    expect(lines.join()).toMatch(/unlucky/);
  });
});

/** Spends money once a person approves. */
class Spending extends Workflow {
  override readonly name = "spending";
  override readonly operations = [
    durable("spend", {
      description: "Spend money when a person agrees.",
      input: z.strictObject({ id: z.string().min(1), owner: z.string(), amount: z.number() }),
      output: z.object({ spent: z.number() }),
      key: "id",
      echo: ["owner"],
      run: async ({ amount }, { step, decision }) => {
        await step("checked", () => null);
        const { value } = await decision(`spend-${amount}`, { amount });
        return { spent: value === "yes" ? amount : 0 };
      },
    }),
  ];
  answer(workflowId: string, amount: number, answer: "yes" | "no") {
    return this.decide(workflowId, `spend-${amount}`, answer);
  }
}

describe("a workflow that waits for a person", () => {
  it("answers with what it knows, shows everywhere that it waits, and continues with the decision", async () => {
    const workflow = new Spending({ engine: openEngine() });
    const app = new Hono();
    workflow.as_api(app);
    const waiting = await workflow.run({ id: "S-1", owner: "me", amount: 5 });
    expect(waiting).toEqual({
      id: "S-1",
      owner: "me",
      success: true,
      steps_completed: ["checked"],
      amount: 5,
      status: "waiting_for_approval",
      workflow_id: expect.stringMatching(/^workflow-/),
    });
    const id = waiting.workflow_id!;
    expect(await workflow.findWorkflow("S-1")).toMatchObject({ status: "waiting_for_approval", result: waiting });
    expect(await workflow.findWorkflow("S-404")).toBeUndefined();
    const told = await app.request("/workflows/spending/S-1");
    expect(await told.json()).toEqual({
      id: "S-1",
      amount: 5,
      status: "waiting_for_approval",
      workflow_id: id,
    });
    await workflow.answer(id, 5, "yes");
    expect(await workflow.getWorkflowResult(id)).toEqual({
      id: "S-1",
      owner: "me",
      success: true,
      steps_completed: ["checked"],
      spent: 5,
    });
  });

  it("accepts decisions for its own runs only", async () => {
    const engine = openEngine();
    engine.register("other", async (_, { decision }) => (await decision("spend-5")).value);
    const workflow = new Spending({ engine }).register();
    const { id } = await engine.start("other", { key: "x", fingerprint: "x", input: null });
    await engine.wait(id);
    for (const runId of [id, "workflow-unknown"]) {
      await expect(workflow.answer(runId, 5, "yes")).rejects.toMatchObject({ code: "unknown_run" });
      await expect(workflow.getWorkflowResult(runId)).rejects.toMatchObject({ code: "unknown_run" });
    }
    expect(await engine.get(id)).toMatchObject({ status: "waiting_for_approval" });
  });
});

describe("the content of a submission", () => {
  it("stays the same when a later version adds a field with a default", async () => {
    const engine = openEngine();
    const version = (fields: z.ZodRawShape) =>
      new (class extends Workflow {
        override readonly name = "growing";
        override readonly operations = [
          durable("grow", {
            description: "Grow.",
            input: z.strictObject({ id: z.string(), ...fields }),
            output: z.object({}),
            key: "id",
            run: async () => ({}),
          }),
        ];
      })({ engine });
    const first = version({});
    await first.run({ id: "G-1" });
    // The second version keeps the first one's handler, because an engine registers a workflow only
    // once.
    const register = engine.register.bind(engine);
    engine.register = () => {};
    const second = version({ channel: z.string().default("mail") });
    expect(await second.run({ id: "G-1" })).toMatchObject({ success: true, duplicate: true });
    expect(await second.run({ id: "G-1", channel: "mail" })).toMatchObject({ duplicate: true });
    expect(await second.run({ id: "G-1", channel: "phone" })).toMatchObject({ error_type: "conflict" });
    engine.register = register;
  });
});

describe("runs by id", () => {
  it("begin at their start time, which is not part of the content, and refuse an invalid date", async () => {
    const workflow = new Doubling({ engine: openEngine() });
    const tomorrow = new Date(Date.now() + 86_400_000);
    const id = await workflow.startWorkflow({ id: "D-1", n: 4 }, { startAt: tomorrow });
    expect(await workflow.startWorkflow({ id: "D-1", n: 4 })).toBe(id);
    expect(await workflow.run({ id: "D-2", n: 1 })).toMatchObject({ doubled: 2 });
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({ status: "started", steps_completed: [] });
    for (const startAt of [new Date("soon"), 5, "2027-01-01", null]) {
      await expect(workflow.startWorkflow({ id: "D-3", n: 4 }, { startAt: startAt as Date })).rejects.toMatchObject({
        type: "validation_error",
        issues: [{ path: "startAt", message: "must be a valid date before the year 10000" }],
      });
    }
  });

  it.each<[string, string, (workflow: Doubling) => Promise<unknown>]>([
    ["a status that there is not", "status", (workflow) => workflow.listWorkflows({ status: "nope" as "failed" })],
    ["part of a run", "limit", (workflow) => workflow.listWorkflows({ limit: 1.5 })],
    ["fewer than one", "limit", (workflow) => workflow.listWorkflows({ limit: -1 })],
    ["no number of runs", "limit", (workflow) => workflow.listWorkflows({ limit: NaN })],
    ["a place that is no id", "after", (workflow) => workflow.listWorkflows({ after: 5 as never })],
    ["a time that is none", "startedSince", (workflow) => workflow.listWorkflows({ startedSince: new Date("soon") })],
    ["a number for a text", "input.n", (workflow) => workflow.listWorkflows({ input: { n: 4 as never } })],
    ["no filter", "", (workflow) => workflow.listWorkflows(null as never)],
    ["a field that filters nothing", "foo", (workflow) => workflow.listWorkflows({ foo: 1 } as never)],
    ["no id", "workflowId", (workflow) => workflow.getWorkflowStatus(null as never)],
    ["a number for an id", "workflowId", (workflow) => workflow.cancelWorkflow(7 as never)],
    ["no key", "key", (workflow) => workflow.findWorkflow(undefined as never)],
    ["no parameters", "", (workflow) => workflow.startWorkflow(undefined)],
  ])("name the wrong argument: %s", async (_, path, work) => {
    const workflow = new Doubling({ engine: openEngine() });
    await workflow.startWorkflow({ id: "D-1", n: 4 });
    const error: unknown = await work(workflow).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      type: "validation_error",
      issues: [{ path }],
      message: expect.stringMatching(/must be|expected|there is no input|is missing|no such field/),
    });
  });

  it("execute no more at once than maxParallelRequests, however they were started", async () => {
    let atWork = 0;
    let most = 0;
    const during = async (): Promise<void> => {
      most = Math.max(most, ++atWork);
      await new Promise((resolve) => setImmediate(resolve));
      atWork -= 1;
    };
    const workflow = new Doubling({ engine: openEngine(), maxParallelRequests: 2, during });
    const results = await Promise.all(Array.from({ length: 12 }, (_, n) => workflow.run({ id: `D-${n}`, n })));
    expect(results.every(({ success }) => success)).toBe(true);
    expect(most).toBe(2);
  });

  it("have a status from their start to their end", async () => {
    const gate = Promise.withResolvers<void>();
    const entered = Promise.withResolvers<void>();
    const engine = openEngine();
    const during = () => (entered.resolve(), gate.promise);
    const workflow = new Doubling({ engine, during });
    const id = await workflow.startWorkflow({ id: "D-1", n: 4 });
    await entered.promise;
    const status = await workflow.getWorkflowStatus(id);
    expect(status).toEqual({
      workflow_id: id,
      status: "processing",
      current_step: "doubled",
      steps_completed: [],
      start_time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    gate.resolve();
    await engine.wait(id);
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({
      status: "completed",
      steps_completed: ["doubled"],
      start_time: status.start_time,
      end_time: expect.stringMatching(/Z$/),
      result: { id: "D-1", success: true, doubled: 8 },
    });
    expect(await workflow.listWorkflows({ status: "completed" })).toHaveLength(1);
    expect(await workflow.listWorkflows({ status: "failed" })).toEqual([]);
  });

  it("report why they failed, can be cancelled, and are separate from those of other workflows", async () => {
    const engine = openEngine();
    engine.register("other", async () => null);
    const other = (await engine.start("other", { key: "x", fingerprint: "x", input: null })).id;
    const gate = Promise.withResolvers<void>();
    const workflow = new Doubling({
      engine: openEngine(),
      during: (n) => {
        if (n === 1) throw new ValidationError("One is not doubled here.", { code: "no_ones" });
        return gate.promise;
      },
    });
    await workflow.run({ id: "D-1", n: 1 });
    const [failed] = await workflow.listWorkflows();
    expect(failed).toMatchObject({
      status: "failed",
      error: "One is not doubled here.",
      error_code: "no_ones",
      retriable: false,
    });
    expect(await workflow.getWorkflowHistory(failed!.workflow_id)).toEqual([
      {
        step: "doubled",
        status: "failed",
        start_time: expect.stringMatching(/Z$/),
        end_time: expect.stringMatching(/Z$/),
        error: "One is not doubled here.",
        error_code: "no_ones",
        error_type: "validation_error",
        retriable: false,
      },
    ]);
    expect(await workflow.listWorkflows({ input: { id: "D-1" } })).toHaveLength(1);
    expect(await workflow.listWorkflows({ input: { id: "D-9" } })).toEqual([]);
    expect(await workflow.retryWorkflow(failed!.workflow_id)).toBe(true);
    for (const id of ["workflow-unknown", other]) {
      expect(await workflow.retryWorkflow(id)).toBe(false);
      expect(await workflow.getWorkflowHistory(id)).toEqual([]);
      expect(await workflow.getWorkflowStatus(id)).toEqual({ workflow_id: id, status: "not_found" });
      expect(await workflow.cancelWorkflow(id)).toBe(false);
    }
    const id = await workflow.startWorkflow({ id: "D-2", n: 2 });
    expect(await workflow.cancelWorkflow(id)).toBe(true);
    gate.resolve();
    expect(await workflow.getWorkflowStatus(id)).toMatchObject({ status: "cancelled" });
  });
});

describe("a batch", () => {
  it("answers in the order of the items, with no more at once than allowed, for any iterable", async () => {
    let now = 0;
    let most = 0;
    const later: (() => void)[] = [];
    const during = async (n: number): Promise<void> => {
      most = Math.max(most, ++now);
      // The first of each pair waits for the second, so results arrive out of order.
      if (n % 2 === 0) await new Promise<void>((resolve) => later.push(resolve));
      else later.shift()?.();
      now--;
    };
    const workflow = new Doubling({ engine: openEngine(), during, maxParallelRequests: 3 });
    async function* items() {
      for (let n = 0; n < 20; n++) yield { id: `D-${n}`, n };
    }
    const progress: number[] = [];
    const results = await Array.fromAsync(
      workflow.runBatch(items(), { onProgress: ({ completed }) => progress.push(completed) }),
    );
    expect(results.map(({ doubled }) => doubled)).toEqual(Array.from({ length: 20 }, (_, n) => n * 2));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
    expect(progress).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it("turns an invalid item into one failed result that says which item it was", async () => {
    const during = (n: number) => {
      if (n === 3) throw new IoError("away");
    };
    const workflow = new Doubling({ engine: openEngine(), during });
    const items = [{ id: "a", n: 1 }, { id: "b", owner: "me", n: "x" }, null, { id: "c", n: 3 }, { id: "d", n: 4 }];
    const progress: unknown[] = [];
    const results = await Array.fromAsync(workflow.runBatch(items, { onProgress: (state) => progress.push(state) }));
    expect(results.map(({ success }) => success)).toEqual([true, false, false, false, true]);
    expect(results[1]).toMatchObject({ id: "b", owner: "me", error_type: "validation_error" });
    expect(results[3]).toMatchObject({ id: "c", error_type: "io_error", retriable: true });
    expect(progress.at(-1)).toEqual({ completed: 5, failed: 3 });
  });

  it("reads items as it needs them, not all at once", async () => {
    let taken = 0;
    const workflow = new Doubling({ engine: openEngine(), maxParallelRequests: 2 });
    function* endless() {
      for (;;) yield { id: `D-${taken}`, n: taken++ };
    }
    for await (const { doubled } of workflow.runBatch(endless())) {
      expect(taken).toBeLessThanOrEqual(Number(doubled) / 2 + 4);
      if (doubled === 200) break;
    }
  });

  it("ends when its caller aborts, and starts nothing more", async () => {
    const abort = new AbortController();
    const begun: number[] = [];
    const workflow = new Doubling({ engine: openEngine(), during: (n) => void begun.push(n), maxParallelRequests: 1 });
    const batch = workflow.runBatch(
      Array.from({ length: 50 }, (_, n) => ({ id: `D-${n}`, n })),
      { signal: abort.signal, onProgress: ({ completed }) => completed === 5 && abort.abort(new Error("enough")) },
    );
    await expect(Array.fromAsync(batch)).rejects.toThrow("enough");
    expect(begun.length).toBeLessThan(8);
  });

  it("stops waiting for the executing runs when its caller aborts", async () => {
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const abort = new AbortController();
    const workflow = new Doubling({ engine: openEngine(), during: () => (entered.resolve(), gate.promise) });
    const batch = Array.fromAsync(workflow.runBatch([{ id: "a", n: 1 }], { signal: abort.signal }));
    await entered.promise;
    abort.abort(new Error("gone"));
    await expect(batch).rejects.toThrow("gone");
    gate.resolve();
  });

  it("returns a result for an item that can't even be inspected", async () => {
    const hostile = {
      get id(): string {
        throw new Error("no");
      },
    };
    const workflow = new Doubling({ engine: openEngine() });
    const results = await Array.fromAsync(workflow.runBatch([hostile, { id: "b", n: 2 }]));
    expect(results).toMatchObject([{ success: false, error_type: "unexpected_error" }, { success: true }]);
  });

  it("throws what its source throws", async () => {
    const workflow = new Doubling({ engine: openEngine() });
    function* broken() {
      yield { id: "a", n: 1 };
      throw new Error("the file ended in the middle");
    }
    await expect(Array.fromAsync(workflow.runBatch(broken()))).rejects.toThrow("in the middle");
  });
});
