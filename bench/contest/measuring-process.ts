/**
 * Measures one contestant in a separate process: a closed loop of clients, first to warm up, then
 * for the measurement.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { countFlushes } from "../support/flushes.ts";
import { processorMs, quantile } from "../support/measure.ts";
import { rowsOf, serverProcessorMs } from "../support/postgres.ts";
import type { Contestant, Open } from "./contestant.ts";
import { bareSteps, openFeedbackSteps, type OpenSteps } from "./steps.ts";

export interface Task {
  readonly module: string;
  /** The export that opens the contestant. */
  readonly open: string;
  readonly steps: "feedback" | "bare";
  readonly folder: string;
  readonly databaseUrl?: string;
  readonly clients: number;
  readonly seconds: number;
}

/**
 * `processor`, `serverProcessor`, `flushes` and `commits` are per run. Times are in milliseconds.
 */
export interface Measurement {
  runsPerSecond: number;
  processor: number;
  serverProcessor: number;
  p50: number;
  p99: number;
  loopP99: number;
  flushes: number | undefined;
  commits: number | undefined;
  rssMb: number;
}

const LOOP_RESOLUTION_MS = 1;

let next = 0;

/** Starts runs for this many seconds; returns the latencies of all of them, in milliseconds. */
async function drive(contestant: Contestant, clients: number, seconds: number): Promise<number[]> {
  const latencies: number[] = [];
  const deadline = performance.now() + seconds * 1000;
  const client = async (): Promise<void> => {
    while (performance.now() < deadline) {
      const begin = performance.now();
      await contestant.run(next++);
      latencies.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return latencies;
}

/**
 * The number of commits so far. PostgreSQL counts them itself. With SQLite, each commit flushes the
 * log once.
 */
async function commitsOf(databaseUrl: string | undefined): Promise<number | undefined> {
  if (databaseUrl === undefined) return countFlushes()?.ofLogs;
  const sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
  return Number((await rowsOf(databaseUrl, sql))[0]!["xact_commit"]);
}

async function measure(task: Task): Promise<Measurement> {
  const { folder, databaseUrl, clients, seconds } = task;
  const isOurs = task.module.includes("feedback-workflow");
  const bare: OpenSteps = { steps: bareSteps, close: async () => {} };
  const { steps, ...opened } = task.steps === "bare" || isOurs ? bare : await openFeedbackSteps(folder);
  const module = (await import(task.module)) as Record<string, Open>;
  const contestant = await module[task.open]!({
    folder,
    clients,
    steps,
    ...(databaseUrl !== undefined && { databaseUrl }),
  });
  const commitsAtFirst = databaseUrl === undefined ? 0 : await commitsOf(databaseUrl);
  const warmUp = await drive(contestant, clients, seconds / 2);

  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  loop.enable();
  // Delays are measured from one turn of the loop to the next, so let it turn before and after the
  // measurement.
  await setTimeout(10 * LOOP_RESOLUTION_MS);
  const server = () => (databaseUrl === undefined ? 0 : serverProcessorMs(databaseUrl));
  const [flushesBefore, logsBefore] = [countFlushes()?.all, countFlushes()?.ofLogs];
  const [processorBefore, serverBefore, begin] = [processorMs(), server(), performance.now()];
  const latencies = await drive(contestant, clients, seconds);
  const elapsed = performance.now() - begin;
  await setTimeout(10 * LOOP_RESOLUTION_MS);
  loop.disable();
  const runs = latencies.length;
  const perRun = (before: number | undefined, now: number | undefined): number | undefined =>
    before === undefined || now === undefined ? undefined : (now - before) / runs;
  const measurement = {
    runsPerSecond: (runs / elapsed) * 1000,
    processor: (processorMs() - processorBefore) / runs,
    serverProcessor: (server() - serverBefore) / runs,
    p50: quantile(latencies),
    p99: quantile(latencies, 0.99),
    loopP99: Math.max(0, loop.percentile(99) / 1e6 - LOOP_RESOLUTION_MS),
    flushes: perRun(flushesBefore, countFlushes()?.all),
    commits: perRun(logsBefore, countFlushes()?.ofLogs),
    rssMb: process.memoryUsage.rss() / 1e6,
  };
  await contestant.close();
  await opened.close();
  if (databaseUrl !== undefined) {
    // Connections report their statistics when they end.
    const commits = ((await commitsOf(databaseUrl)) ?? 0) - (commitsAtFirst ?? 0);
    measurement.commits = commits / (runs + warmUp.length);
  }
  return measurement;
}

process.once("message", (task: Task) => {
  void measure(task).then(
    (measurement) => process.send!(measurement, () => process.exit()),
    (error: unknown) => process.send!({ missing: `failed: ${(error as Error).message}` }, () => process.exit()),
  );
});
