// Do more worker processes do more work? Runs are in PostgreSQL and the knowledge graph is behind
// one SPARQL endpoint, all on this machine.
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DurableEngine, openApplication, readSettings } from "../src/index.ts";
import type { Bench } from "./support/bench.ts";
import { Child } from "./support/child.ts";
import { feedback, writeCustomers } from "./support/feedback.ts";
import { figure, quantile, table } from "./support/measure.ts";
import type { Role } from "./workers-process.ts";

export const about = "1, 2 and 4 worker processes on PostgreSQL with one SPARQL endpoint";

const WORKERS = [1, 2, 4];
const ITEMS = 600;
const AT_ONCE = 32;

interface Figures {
  runs: number;
  processor: number;
  endpoint: number;
}

export async function run(bench: Bench): Promise<void> {
  const server = await bench.postgres();
  if ("missing" in server) return console.log(`\nSkipped: ${server.missing}`);
  const all = new Map<number, Figures[]>(WORKERS.map((count) => [count, []]));
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const count of WORKERS) {
      bench.progress(`round ${round + 1} of ${bench.options.rounds}: ${count} workers`);
      all.get(count)!.push(await measure(bench, await server.newDatabase(), count));
    }
  }
  bench.progress("");
  const median = (count: number, key: keyof Figures): number =>
    quantile(all.get(count)!.map((figures) => figures[key]));
  const rows = WORKERS.map((count) => [
    String(count),
    figure(median(count, "runs")),
    `${figure(median(count, "runs") / median(1, "runs"))} ×`,
    figure(median(count, "processor")),
    figure(median(count, "endpoint")),
  ]);
  console.log(`\n${table(["workers", "runs/s", "of one", "ms processor, all workers", "ms of the endpoint"], rows)}`);
}

async function measure(bench: Bench, databaseUrl: string, count: number): Promise<Figures> {
  const folder = mkdtempSync(join(bench.folder, "workers-"));
  const children: Child[] = [];
  const start = async (role: Role, ...args: string[]): Promise<Child> => {
    const child = new Child(role, args, bench.shimEnv);
    children.push(child);
    await child.ready;
    return child;
  };
  try {
    const endpoint = await start("endpoint");
    const ontologyUrl = await endpoint.ready;
    const customerSource = writeCustomers(folder);
    const settings = { databaseUrl, ontologyUrl, customerSource, responseCap: 1_000_000, worker: false };
    const items = bench.options.items ?? ITEMS;
    await submit(settings, items);
    const options = JSON.stringify({
      ...settings,
      worker: true,
      dataDirectory: join(folder, "data"),
      maxParallelRequests: AT_ONCE,
    });
    const workers = await Promise.all(Array.from({ length: count }, () => start("worker", options)));
    return await observe(databaseUrl, items, workers, endpoint);
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
}

async function submit(settings: Parameters<typeof readSettings>[0], items: number): Promise<void> {
  const application = await openApplication(readSettings(settings, {}));
  const { workflow, customerDataPipeline } = application;
  await customerDataPipeline.loadAll();
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < items) await workflow.startWorkflow(feedback(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  await application.close();
}

/** Measures while all workers are warm and have enough to do: from 30 % to 90 % of the runs. */
async function observe(
  databaseUrl: string,
  items: number,
  workers: readonly Child[],
  endpoint: Child,
): Promise<Figures> {
  const engine = await DurableEngine.connect(databaseUrl, { worker: false });
  const untilCompleted = async (part: number) => {
    for (;;) {
      const completed = (await engine.counts())[0]?.byStatus.completed ?? 0;
      const time = performance.now();
      if (completed >= items * part) {
        const stats = await Promise.all(workers.map((worker) => worker.stats()));
        const processor = sum(stats.map((one) => one.processor));
        return { time, completed, endpoint: (await endpoint.stats()).processor, processor };
      }
      await setTimeout(50);
    }
  };
  const first = await untilCompleted(0.3);
  const last = await untilCompleted(0.9);
  await engine.close();
  const runs = last.completed - first.completed;
  return {
    runs: (runs / (last.time - first.time)) * 1000,
    processor: (last.processor - first.processor) / runs,
    endpoint: (last.endpoint - first.endpoint) / runs,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
