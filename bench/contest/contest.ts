/**
 * A contest: contestants take turns (A B C, A B C …), each time in a new process. Their medians are
 * compared.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { Bench } from "../support/bench.ts";
import { figure, quantile, table } from "../support/measure.ts";
import { whyPeersAreMissing } from "../support/peers.ts";
import type { Measurement, Task } from "./measuring-process.ts";

export interface Entry {
  readonly name: string;
  readonly store: "SQLite" | "PostgreSQL";
  readonly kind: "ours" | "peer" | "floor";
  /** Path below bench/. */
  readonly module: string;
  /** Default `open`. */
  readonly open?: string;
}

const BENCH = dirname(import.meta.dirname);
const LONGEST_MS = 120_000;

type Result = Measurement | { missing: string };

export async function contest(bench: Bench, steps: Task["steps"], entries: readonly Entry[]): Promise<void> {
  const { clients, rounds, only } = bench.options;
  const chosen = entries.filter(({ name, store }) => only === undefined || `${name}, ${store}`.includes(only));
  const results = new Map<string, Result[]>();
  const keyOf = (entry: Entry, clients: number): string => `${entry.name} ${entry.store} ${clients}`;
  for (let round = 1; round <= rounds; round++) {
    for (const count of clients) {
      for (const entry of chosen) {
        bench.progress(`round ${round} of ${rounds}, ${count} clients: ${entry.name}, ${entry.store}`);
        const key = keyOf(entry, count);
        results.set(key, [...(results.get(key) ?? []), await measureOnce(bench, steps, entry, count)]);
      }
    }
  }
  bench.progress("");
  for (const count of clients) {
    const rows = chosen.map((entry) => ({ entry, result: medians(results.get(keyOf(entry, count))!) }));
    console.log(`\n${count} client${count === 1 ? "" : "s"}\n`);
    console.log(
      table(
        HEADS,
        rows.map(({ entry, result }) => cells(entry, result)),
        2,
      ),
    );
    for (const { entry, result } of rows) {
      if ("missing" in result) console.log(`\n${entry.name}, ${entry.store}: ${result.missing}`);
    }
    for (const line of comparisons(rows)) console.log(line);
  }
}

async function measureOnce(bench: Bench, steps: Task["steps"], entry: Entry, clients: number): Promise<Result> {
  if (entry.kind === "peer") {
    const missing = whyPeersAreMissing();
    if (missing !== undefined) return { missing: `not installed: ${missing}` };
  }
  const server = entry.store === "PostgreSQL" ? await bench.postgres() : undefined;
  if (server && "missing" in server) return server;
  const folder = mkdtempSync(join(bench.folder, "contest-"));
  const databaseUrl = await server?.newDatabase();
  return inProcess(bench, {
    module: join(BENCH, entry.module),
    open: entry.open ?? "open",
    steps,
    folder,
    clients,
    seconds: bench.options.seconds,
    ...(databaseUrl !== undefined && { databaseUrl }),
  });
}

async function inProcess(bench: Bench, task: Task): Promise<Result> {
  const child = fork(join(import.meta.dirname, "measuring-process.ts"), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, ...bench.shimEnv, NODE_NO_WARNINGS: "1" },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
  let result: Result | undefined;
  child.on("message", (message) => (result = message as Result));
  child.send(task);
  const [said] = await Promise.all([text(child.stderr!), once(child, "exit")]);
  clearTimeout(timer);
  const reason = said.split("\n").find((line) => line.includes("Error")) ?? "it ended without a message";
  return result ?? { missing: `failed: ${reason}` };
}

/** The median of each figure over all rounds; if a round failed, the reason. */
function medians(results: readonly Result[]): Result {
  const failed = results.find((result) => "missing" in result);
  if (failed) return failed;
  const measurements = results as readonly Measurement[];
  const median = (key: keyof Measurement): number | undefined => {
    const values = measurements.map((measurement) => measurement[key]).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : quantile(values);
  };
  return Object.fromEntries(
    Object.keys(measurements[0]!).map((key) => [key, median(key as keyof Measurement)]),
  ) as unknown as Measurement;
}

const HEADS = [
  "contestant",
  "durability",
  "runs/s",
  "ms processor",
  "of the server",
  "p50 ms",
  "p99 ms",
  "loop p99 ms",
  "commits",
  "flushes",
  "MB",
];

const DURABILITY = { SQLite: "SQLite, WAL, synchronous FULL", PostgreSQL: "PostgreSQL, synchronous_commit on" };

function cells({ name, store }: Entry, result: Result): string[] {
  if ("missing" in result) return [name, DURABILITY[store], result.missing.split(":")[0]!];
  const { runsPerSecond, processor, serverProcessor, p50, p99, loopP99, commits, flushes, rssMb } = result;
  const counted = (value: number | undefined): string => (value === undefined ? "–" : figure(value));
  const server = store === "SQLite" ? "" : figure(serverProcessor);
  const times = [figure(p50), figure(p99), figure(loopP99)];
  const ofRun = [counted(commits), counted(flushes), String(Math.round(rssMb))];
  return [name, DURABILITY[store], figure(runsPerSecond), figure(processor), server, ...times, ...ofRun];
}

/** Compares each of ours with the best peer on the same store, and with the best on any store. */
function comparisons(rows: readonly { entry: Entry; result: Result }[]): string[] {
  const measured = rows.flatMap(({ entry, result }) =>
    "missing" in result ? [] : [{ entry, rate: result.runsPerSecond }],
  );
  const peers = measured.filter(({ entry }) => entry.kind === "peer").sort((one, other) => other.rate - one.rate);
  return measured
    .filter(({ entry }) => entry.kind === "ours")
    .map(({ entry, rate }) => {
      const against = [peers.find((peer) => peer.entry.store === entry.store), peers[0]];
      const said = [...new Set(against)].flatMap((peer) =>
        peer ? [`${figure(rate / peer.rate)} × ${peer.entry.name}, ${peer.entry.store}`] : [],
      );
      return said.length === 0 ? "" : `\n${entry.name}, ${entry.store}: ${said.join("; ")}`;
    });
}
