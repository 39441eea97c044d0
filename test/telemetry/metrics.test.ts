import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { pino } from "pino";
import { z } from "zod";
import { DurableEngine, type EngineOptions } from "../../src/engine/durable-engine.ts";
import type { RunCounts } from "../../src/engine/engine.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { durable } from "../../src/framework/operation.ts";
import { Service } from "../../src/framework/service.ts";
import { Workflow } from "../../src/framework/workflow.ts";
import { feedback, startFeedback } from "../support/feedback.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serverUrl } from "../support/postgres.ts";
import { readMetrics } from "../support/prometheus.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { newDatabase } from "../support/test-database.ts";

const workflow = "parcel";

/** Parcels that arrive, arrive at the third attempt, are refused, or wait for a person. */
class Parcels extends Workflow {
  override readonly name = workflow;
  override readonly operations = [
    durable("send_parcel", {
      description: "Send a parcel.",
      input: z.strictObject({ id: z.string(), fate: z.enum(["arrives", "late", "refused", "waits", "many"]) }),
      output: z.object({}),
      key: "id",
      run: async ({ fate }, { step, decision }) => {
        await step("packed", () => null);
        if (fate === "waits") await decision("label-1");
        if (fate === "many") for (let n = 0; n < 300; n++) await step(`item_${n}`, () => null);
        await step("sent", (attempt) => {
          if (fate === "late" && attempt < 3) throw new IoError("away");
          if (fate === "refused") throw new ValidationError("no such address");
          return null;
        });
        return {};
      },
    }),
  ];

  approve(id: string): Promise<unknown> {
    return this.decide(id, "label-1", true);
  }
}

const retry = { attempts: 4, initialDelayMs: 1, maximumDelayMs: 1 };

async function measured(service: Service): Promise<Metrics> {
  const metrics = await createMetrics(service);
  onTestFinished(() => metrics.close());
  return metrics;
}

const scrape = async (metrics: Metrics) => readMetrics(await metrics.text());

describe.each<[string, boolean, () => Promise<(options: EngineOptions) => Promise<DurableEngine>>]>([
  [
    "SQLite",
    true,
    async () => {
      const path = join(temporaryFolder(), "runs.sqlite");
      return async (options) => new DurableEngine({ path, ...options });
    },
  ],
  [
    "PostgreSQL (skipped without TEST_DATABASE_URL)",
    Boolean(serverUrl),
    async () => {
      const url = await newDatabase();
      return (options) => DurableEngine.connect(url, options);
    },
  ],
])("metrics of runs on %s", (_, isThere, create) => {
  it.skipIf(!isThere)("reflect the runs in the database, and the steps that this process executed", async () => {
    const open = await create();
    const looker = await open({ worker: false });
    onTestFinished(() => looker.close());
    const submitting = new Parcels({ engine: looker });
    const idle = await measured(new Service({ engine: looker, workflows: [submitting] }));
    const atFirst = await scrape(idle);
    expect(atFirst.value("abi_up")).toBe(1);
    expect(atFirst.value("abi_workflow_runs", { workflow, status: "failed" })).toBe(0);
    expect(atFirst.value("abi_workflow_oldest_due_seconds", { workflow })).toBe(0);

    const before = Date.now();
    const ids = new Map<string, string>();
    for (const fate of ["arrives", "late", "refused", "waits"])
      ids.set(fate, await submitting.startWorkflow({ id: fate, fate }));
    await vi.waitUntil(() => Date.now() > before + 5);
    const submitted = await scrape(idle);
    expect(submitted.value("abi_workflow_runs", { workflow, status: "started" })).toBe(4);
    const due = submitted.value("abi_workflow_oldest_due_seconds", { workflow })!;
    expect(due).toBeGreaterThan(0);
    expect(due).toBeLessThanOrEqual((Date.now() - before) / 1000);

    const engine = await open({ retry });
    onTestFinished(() => engine.close());
    const parcels = new Parcels({ engine });
    const metrics = await measured(new Service({ engine, workflows: [parcels] }));
    engine.startWorker();
    for (const id of ids.values()) await engine.wait(id);
    const done = await scrape(metrics);
    for (const [status, count] of Object.entries({ completed: 2, failed: 1, waiting_for_approval: 1, started: 0 }))
      expect([status, done.value("abi_workflow_runs", { workflow, status })]).toEqual([status, count]);
    expect(done.value("abi_workflow_oldest_due_seconds", { workflow })).toBe(0);
    const steps = (labels: Record<string, string>) => done.value("abi_workflow_step_duration_seconds_count", labels);
    expect(steps({ workflow, step: "packed", outcome: "completed" })).toBe(4);
    expect(steps({ workflow, step: "sent", outcome: "completed" })).toBe(2);
    expect(steps({ workflow, step: "sent", outcome: "failed" })).toBe(3);
    const took = done.value("abi_workflow_step_duration_seconds_sum");
    expect(took).toBeGreaterThan(0);
    expect(took).toBeLessThan((Date.now() - before) / 1000);
    expect(done.value("abi_workflow_step_retries_total", { workflow, step: "sent" })).toBe(2);
    expect(done.value("abi_approvals_waiting", { workflow })).toBe(1);
    const waited = done.value("abi_approvals_oldest_seconds", { workflow })!;
    expect(waited).toBeGreaterThanOrEqual(0);
    expect(waited).toBeLessThanOrEqual((Date.now() - before) / 1000);

    await parcels.approve(ids.get("waits")!);
    await engine.wait(ids.get("waits")!);
    const decided = await scrape(metrics);
    expect(decided.value("abi_approvals_waiting", { workflow })).toBe(0);
    expect(decided.value("abi_approvals_oldest_seconds", { workflow })).toBe(0);
    expect(decided.value("abi_workflow_runs", { workflow, status: "completed" })).toBe(3);
  });
});

describe("metrics", () => {
  const inMemory = async () => {
    const engine = new DurableEngine({ path: ":memory:", retry });
    onTestFinished(() => engine.close());
    const parcels = new Parcels({ engine });
    return { engine, parcels, metrics: await measured(new Service({ engine, workflows: [parcels] })) };
  };

  it("follow the naming conventions, and have descriptions", async () => {
    const { engine, parcels, metrics } = await inMemory();
    await engine.wait(await parcels.startWorkflow({ id: "late", fate: "late" }));
    metrics.observeRequest({ method: "GET", route: "/runs", status: 200, seconds: 0.1 });
    const { families } = await scrape(metrics);
    const own = families.filter(({ name }) => name.startsWith("abi_"));
    expect(own.length).toBeGreaterThan(8);
    for (const { name, help, type, metrics: samples } of own) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*[a-z0-9]$/);
      expect(help).toMatch(/^\S.+\.$/);
      expect([name, name.endsWith("_total")]).toEqual([name, type === "COUNTER"]);
      // Names have base units, and don't contain their type.
      expect(name).not.toMatch(/_(?:ms|millis\w*|minutes|hours|gauge|counter|histogram|count|sum|bucket)(?:_|$)/);
      expect([name, type === "HISTOGRAM" && !name.endsWith("_seconds")]).toEqual([name, false]);
      for (const label of samples.flatMap(({ labels = {} }) => Object.keys(labels))) expect(label).toMatch(/^[a-z]+$/);
    }
    expect(families.map(({ name }) => name)).toContain("process_cpu_seconds_total");
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it("count requests by route, with all unknown methods and paths counted together", async () => {
    const { metrics } = await inMemory();
    const seen = { method: "GET", route: "/runs/:id", status: 200, seconds: 0.25 };
    metrics.observeRequest(seen);
    metrics.observeRequest({ ...seen, seconds: 0.5 });
    for (const method of ["BREW", "STEEP"]) metrics.observeRequest({ method, status: 404, seconds: 1 });
    const { value } = await scrape(metrics);
    const labels = { method: "GET", route: "/runs/:id", status: "200" };
    expect(value("abi_http_request_duration_seconds_count", labels)).toBe(2);
    expect(value("abi_http_request_duration_seconds_sum", labels)).toBe(0.75);
    const unmatched = { method: "_OTHER", route: "unmatched", status: "404" };
    expect(value("abi_http_request_duration_seconds_count", unmatched)).toBe(2);
  });

  it("use a limited number of step names, however many a workflow has", async () => {
    const { engine, parcels, metrics } = await inMemory();
    await engine.wait(await parcels.startWorkflow({ id: "many", fate: "many" }));
    const { labels, value } = await scrape(metrics);
    const name = "abi_workflow_step_duration_seconds_count";
    expect(new Set(labels(name).map(({ step }) => step)).size).toBe(201);
    expect(value(name, { step: "other" })).toBe(102);
  });

  it("stop counting once they are closed", async () => {
    const { engine, parcels, metrics } = await inMemory();
    metrics.close();
    await engine.wait(await parcels.startWorkflow({ id: "arrives", fate: "arrives" }));
    expect((await scrape(metrics)).value("abi_workflow_step_duration_seconds_count")).toBeUndefined();
  });

  it.skipIf(!serverUrl)(
    "report an unavailable database without old values, and return with it (skipped without TEST_DATABASE_URL)",
    async () => {
      const direct = new URL(await newDatabase());
      const proxy = await startTcpProxy(Number(direct.port || 5432));
      const through = new URL(direct);
      through.port = String(proxy.port);
      const engine = await DurableEngine.connect(through.href, { worker: false });
      onTestFinished(() => engine.close());
      const lines: string[] = [];
      const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
      const metrics = await measured(new Service({ engine, workflows: [new Parcels({ engine })], logger }));
      expect((await scrape(metrics)).value("abi_up")).toBe(1);
      proxy.cut();
      for (let n = 0; n < 2; n++) {
        const { value } = await scrape(metrics);
        expect(value("abi_up")).toBe(0);
        for (const name of ["abi_workflow_runs", "abi_workflow_oldest_due_seconds", "abi_approvals_waiting"])
          expect([name, value(name)]).toEqual([name, undefined]);
        expect(value("process_start_time_seconds")).toBeGreaterThan(0);
      }
      proxy.mend();
      await expect.poll(async () => (await scrape(metrics)).value("abi_up"), { timeout: 60_000 }).toBe(1);
      expect((await scrape(metrics)).value("abi_workflow_runs", { workflow, status: "started" })).toBe(0);
      expect(lines.filter((line) => line.includes("metrics don't include runs"))).toHaveLength(1);
    },
  );

  it("wait at most five seconds for a silent database, and don't query it again meanwhile", async () => {
    const answer = Promise.withResolvers<RunCounts[]>();
    const engine = new DurableEngine({ path: ":memory:" });
    onTestFinished(() => engine.close());
    const counts = vi.spyOn(engine, "counts").mockReturnValue(answer.promise);
    const metrics = await measured(new Service({ engine, workflows: [] }));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    for (let n = 0; n < 2; n++) {
      const text = metrics.text();
      await vi.advanceTimersByTimeAsync(5000);
      expect(readMetrics(await text).value("abi_up")).toBe(0);
    }
    expect(counts).toHaveBeenCalledTimes(1);
    answer.resolve([{ workflow, byStatus: { failed: 3 } }]);
    await answer.promise;
    expect((await scrape(metrics)).value("abi_workflow_runs", { workflow, status: "failed" })).toBe(3);
  });
});

describe("metrics of emails", () => {
  const by = "kim";
  const counted = async (configuration: Parameters<typeof startFeedback>[0] = {}) => {
    const started = await startFeedback(configuration);
    const metrics = await measured(new Service({ engine: started.engine, workflows: [started.workflow] }));
    const mails = async () => {
      const { families } = await scrape(metrics);
      const samples = families.find(({ name }) => name === "abi_mails_total")?.metrics ?? [];
      return Object.fromEntries(
        samples.map(({ labels, value }) => [[labels!["outcome"], labels!["reason"]].filter(Boolean).join(" "), value]),
      );
    };
    return { ...started, sent: mails };
  };

  it("count each sent, delayed and refused email once, however many attempts it took", async () => {
    const { workflow: feedbacks, mails, sent } = await counted();
    mails.script("rcpt", { code: 451 });
    await feedbacks.run(feedback());
    await feedbacks.run(feedback());
    expect(await sent()).toEqual({ delayed: "1", sent: "1" });
    mails.script("rcpt", { code: 550 });
    await feedbacks.run(feedback({ feedback_id: "F-2" }));
    expect(await sent()).toEqual({ delayed: "1", sent: "1", refused: "1" });
  });

  it("count withheld emails by reason", async () => {
    const { workflow: feedbacks, sent } = await counted({ responseCap: { responses: 1, minutes: 60 } });
    for (const [feedback_id, customer_id] of Object.entries({ A: "C-1", B: "C-1", C: "C-dnc", D: "C-noreply" }))
      await feedbacks.run(feedback({ feedback_id, customer_id }));
    const headers = { "auto-submitted": "auto-replied" };
    const automatic = { id: "E", customer_id: "C-5000", subject: "Away", text: "I am away.", headers };
    await feedbacks.handleEvent("new_feedback", automatic);
    expect(await sent()).toMatchObject({
      "withheld automatic_mail": "1",
      "withheld cap": "1",
      "withheld do_not_contact": "1",
      "withheld no_reply_address": "1",
    });
  });

  it("count an email that a person rejects once, even if the run is executed several times", async () => {
    const { workflow: feedbacks, sent } = await counted({ approval: true });
    const id = await feedbacks.startWorkflow(feedback());
    await feedbacks.getWorkflowResult(id);
    const { rendering } = (await feedbacks.getPendingResponse(id))!;
    expect(await sent()).toEqual({});
    await feedbacks.rejectResponse(id, { rendering, by, reason: "No." });
    await feedbacks.getWorkflowResult(id);
    expect(await sent()).toEqual({ "withheld rejected": "1" });
  });
});
