import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { trace } from "@opentelemetry/api";
import { describe, expect, it, onTestFinished } from "vitest";
import { DurableEngine } from "../../src/engine/durable-engine.ts";
import { temporaryFolder } from "../support/folder.ts";
import { serverUrl, statement } from "../support/postgres.ts";
import { newDatabase } from "../support/test-database.ts";
import { spansOf, traceInMemory } from "../support/tracing.ts";
import { InvoiceWorkflow } from "./invoices.ts";

function startProcess(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "traced-process.ts"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const said = async (pattern: RegExp): Promise<string> => {
    const find = () => lines.find((line) => pattern.test(line));
    await expect.poll(find, { timeout: 60_000 }).toBeDefined();
    return find()!;
  };
  const killed = async (): Promise<void> => {
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
  };
  return { said, killed };
}

describe.each<[string, boolean, () => Promise<string>]>([
  ["SQLite", true, async () => join(temporaryFolder(), "runs.sqlite")],
  ["PostgreSQL (skipped without TEST_DATABASE_URL)", Boolean(serverUrl), () => newDatabase()],
])("a run on %s that one process begins, a person approves and another process ends", (_, isThere, create) => {
  it.skipIf(!isThere)("leads to one trace, with each step once", async () => {
    const place = await create();
    const folder = temporaryFolder();
    const [ofVictim, ofHeir] = [join(folder, "victim.jsonl"), join(folder, "heir.jsonl")];
    const victim = startProcess(place, ofVictim, "hang");
    const id = await victim.said(/^workflow-/);
    await victim.said(/^waiting_for_approval$/);
    const decider = await decideElsewhere(place, id);
    await victim.said(/^sending$/);
    await victim.killed();
    if (place.startsWith("postgres:"))
      await statement(place, "UPDATE abi_workflows.runs SET lease_ends_at = 0 WHERE lease_ends_at > 0");
    const heir = startProcess(place, ofHeir);
    await heir.said(/^completed$/);
    await heir.killed();

    const [before, after] = [spansOf(ofVictim), spansOf(ofHeir)];
    const names = (spans: typeof before) => spans.map(({ name }) => name);
    expect(names(before).sort()).toEqual(["accept invoice", "request", "step drafted", "wait invoice"]);
    expect(names(after).sort()).toEqual(["run invoice", "step sent"]);
    const traces = new Set([...before, ...after].map(({ traceId }) => traceId));
    expect(traces.size).toBe(1);
    const accepted = before.find(({ name }) => name === "accept invoice")!;
    expect(accepted.parent).toBe(before.find(({ name }) => name === "request")!.spanId);
    const ofRun = [...before, ...after].filter(({ name }) => /^(?:step|wait|run)/.test(name));
    expect(ofRun.map(({ parent }) => parent)).toEqual(ofRun.map(() => accepted.spanId));
    const sent = after.find(({ name }) => name === "step sent")!;
    expect(sent.attributes).toMatchObject({ "abi.step.attempt": 2, "abi.step.outcome": "completed" });
    const run = after.find(({ name }) => name === "run invoice")!;
    expect(run.startTime).toBeLessThanOrEqual(before.find(({ name }) => name === "step drafted")!.startTime);
    expect(run.endTime).toBeGreaterThanOrEqual(sent.startTime);
    // The decision belongs to the trace of the person who made it, and links to the run's trace.
    expect([...traces]).toEqual(decider.links);
    expect(decider.traceId).not.toBe(run.traceId);
  });
});

async function decideElsewhere(place: string, id: string) {
  const engine = place.startsWith("postgres:")
    ? await DurableEngine.connect(place, { worker: false })
    : new DurableEngine({ path: place, worker: false });
  const { spans, tearDown } = traceInMemory();
  try {
    const workflow = new InvoiceWorkflow({ engine });
    await trace.getTracer("test").startActiveSpan("click", async (span) => {
      await workflow.approve(id);
      span.end();
    });
  } finally {
    tearDown();
    await engine.close();
  }
  const click = spans().find(({ name }) => name === "click")!;
  const decided = spans().find(({ name }) => name === "decide invoice")!;
  expect(decided).toMatchObject({ traceId: click.traceId, parent: click.spanId });
  expect(decided.attributes).toEqual({ "abi.workflow.name": "invoice", "abi.workflow.id": id });
  return decided;
}
