// Two workers, a run store and a SPARQL endpoint, all in separate processes: how fast they are,
// what each part costs, which part is the bottleneck, and whether every piece of feedback was
// processed exactly once.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DurableEngine, openApplication, PREFIXES, readSettings, SparqlEndpointStore } from "../src/index.ts";
import { select } from "../src/ontology/queries.ts";
import { freePort } from "../test/support/free-port.ts";
import {
  canRunRestate,
  startRestate,
  startRestateCluster,
  type RestateServerProcess,
} from "../test/support/restate.ts";
import type { Bench } from "./support/bench.ts";
import { Child } from "./support/child.ts";
import { feedback, writeCustomers } from "./support/feedback.ts";
import { countedIn, countFlushes } from "./support/flushes.ts";
import { figure, table } from "./support/measure.ts";
import { rowsOf } from "./support/postgres.ts";
import { familyOf, machineMs, parentOf, sizeOf, usageOf } from "./support/usage.ts";
import type { Role, Stats } from "./workers-process.ts";

export const about =
  "5,000 pieces of feedback by two workers, with Restate and PostgreSQL, Oxigraph and Virtuoso; the rate over time";

type SettingsInput = NonNullable<Parameters<typeof readSettings>[0]>;

const ITEMS = 5000;
const WORKERS = 2;
const AT_ONCE = 32;
/** Number of rows in the table of rates over time. */
const ROWS = 10;
/** If no run completes for this long, something is stuck. Milliseconds. */
const PATIENCE_MS = 60_000;

/** A part that all workers share. */
interface Part {
  readonly settings: SettingsInput;
  readonly pids: () => readonly number[];
  /** The number of flushes so far; undefined if they are not counted. */
  readonly flushes: () => Promise<number | undefined>;
  /** Size of its data in bytes. */
  readonly size: () => Promise<number>;
}

type StartPart = (round: Round) => Promise<Part | { missing: string }>;

const STORES: Record<string, StartPart> = {
  Restate: (round) => onRestate(round, startRestate),
  PostgreSQL: onPostgres,
  "Restate, 3 nodes": (round) => onRestate(round, startRestateCluster),
};
const ENDPOINTS: Record<string, StartPart> = { Oxigraph: onOxigraph, Virtuoso: onVirtuoso };

export async function run(bench: Bench): Promise<void> {
  console.log("\nIn the last table of each combination, processor time, flushes, kilobytes and requests are per run.");
  for (const [endpoint, startEndpoint] of Object.entries(ENDPOINTS)) {
    for (const [store, startStore] of Object.entries(STORES)) {
      const name = `${store}, ${endpoint}`;
      if (bench.options.only !== undefined && !name.includes(bench.options.only)) continue;
      console.log(`\n### ${name}`);
      await using round = new Round(bench, name);
      const parts = [await startStore(round), await startEndpoint(round)];
      const missing = parts.flatMap((part) => ("missing" in part ? [part.missing] : []));
      if (missing.length > 0) console.log(`Skipped: ${missing.join("; ")}`);
      else await measure(round, parts as [Part, Part]);
    }
  }
}

const SUMMARY = [
  "runs, graph",
  "runs/s",
  "ms workers",
  "ms runs",
  "ms graph",
  "ms balancer",
  "ms submitting",
  "flushes: workers",
  "runs",
  "graph",
  "kB written: workers",
  "runs",
  "graph",
  "kB kept: runs",
  "graph",
  "requests to graph",
  "ms each",
];

/** The processes and the folder of one measurement. Its disposal ends the processes. */
class Round implements AsyncDisposable {
  readonly bench: Bench;
  readonly name: string;
  readonly folder: string;
  /** What to stop, in the order in which it was started. */
  readonly ending: (() => Promise<unknown>)[] = [];
  readonly #children: Child[] = [];

  constructor(bench: Bench, name: string) {
    this.bench = bench;
    this.name = name;
    this.folder = mkdtempSync(join(bench.folder, "cluster-"));
  }

  async start(role: Role, argument = "", env: Record<string, string> = {}): Promise<Child> {
    const child = new Child(role, [argument], env);
    this.#children.push(child);
    await child.ready;
    return child;
  }

  /**
   * The environment for a part whose flushes are counted, and the function that returns the count.
   */
  counted(part: string): { env: Record<string, string>; flushes: () => Promise<number | undefined> } {
    const { shimEnv } = this.bench;
    const env = Object.keys(shimEnv).length === 0 ? {} : countedIn(join(this.folder, `${part}.flushes`), shimEnv);
    return { env, flushes: async () => countFlushes(env)?.all };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
    for (const end of this.ending.toReversed()) await end();
  }
}

async function onRestate(
  round: Round,
  startServer: () => Promise<RestateServerProcess>,
): Promise<Part | { missing: string }> {
  if (!canRunRestate) return { missing: "there is no Restate server" };
  const server = await startServer();
  round.ending.push(() => server.destroy());
  return {
    settings: { databaseUrl: `${server.url}/bench`, restateAdminUrl: server.adminUrl },
    pids: () => server.pids,
    flushes: () => syncsOf(server),
    size: async () => sizeOf(server.folder),
  };
}

/**
 * How often the server has flushed its logs, by its own count. The shim can't count these flushes,
 * because the server is linked statically.
 */
async function syncsOf({ metricsUrls }: RestateServerProcess): Promise<number> {
  const pages = await Promise.all(metricsUrls.map(async (url) => (await fetch(url)).text()));
  const counts = [...pages.join("\n").matchAll(/^restate_rocksdb_wal_synced_total\{.*\} (\d+)/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

async function onPostgres({ bench }: Round): Promise<Part | { missing: string }> {
  const server = await bench.postgres();
  if ("missing" in server) return server;
  const databaseUrl = await server.newDatabase();
  const number = async (sql: string): Promise<number> => Number(Object.values((await rowsOf(databaseUrl, sql))[0]!)[0]);
  const connection = await number("SELECT pg_backend_pid()");
  // On this machine, the pid of a server elsewhere belongs to no process, or to an unrelated one.
  const isHere = ["localhost", "127.0.0.1"].includes(new URL(databaseUrl).hostname);
  const [main] = isHere ? familyOf(parentOf(connection)) : [];
  return {
    settings: { databaseUrl },
    pids: () => (main === undefined ? [] : familyOf(main)),
    flushes: async () => countFlushes(bench.shimEnv)?.all,
    size: () => number("SELECT pg_database_size(current_database())"),
  };
}

async function onOxigraph(round: Round): Promise<Part> {
  const { env, flushes } = round.counted("graph");
  const child = await round.start("endpoint", "", env);
  return {
    settings: { ontologyUrl: await child.ready },
    pids: () => [child.pid],
    flushes,
    // It stores everything in memory.
    size: async () => 0,
  };
}

async function onVirtuoso(round: Round): Promise<Part | { missing: string }> {
  const { env, flushes } = round.counted("graph");
  const folder = join(round.folder, "virtuoso");
  const script = join(import.meta.dirname, "../.ci/virtuoso");
  round.ending.push(async () => execFileSync(script, ["stop", folder]));
  let said: string;
  try {
    // The server keeps running, so it must not hold a pipe that we read to its end.
    said = execFileSync(script, ["start", folder], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      // One thread for each connection.
      env: { ...process.env, ...env, VIRTUOSO_THREADS: String(2 * AT_ONCE) },
    });
  } catch {
    return { missing: "Virtuoso can't be installed or started" };
  }
  const ontologyUrl = /TEST_SPARQL_ENDPOINT=(\S+)/.exec(said)![1]!;
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  return {
    settings: { ontologyUrl, ontologyAuthentication: "digest" },
    pids: () => [pid],
    flushes,
    size: async () => sizeOf(folder),
  };
}

/** Totals so far. */
interface Reading {
  readonly time: number;
  readonly accepted: number;
  readonly machine: number;
  readonly workers: Omit<Stats, "processor">;
  /**
   * Of the workers, the run store, the graph, the balancer and this process, in this order:
   * processor time in milliseconds, bytes written, and flushes if they are counted.
   */
  readonly parts: readonly { processor: number; written: number; flushes: number | undefined }[];
}

async function measure(round: Round, [store, graph]: [Part, Part]): Promise<void> {
  const { bench, folder } = round;
  const items = bench.options.items ?? ITEMS;
  const settings: SettingsInput = {
    ...store.settings,
    ...graph.settings,
    customerSource: writeCustomers(folder),
    responseCap: 1_000_000,
    maxParallelRequests: AT_ONCE,
  };
  const ports = await Promise.all(Array.from({ length: WORKERS }, freePort));
  const isOnRestate = settings.restateAdminUrl !== undefined;
  const balancer = isOnRestate ? [await round.start("balancer", ports.join())] : [];
  const { env, flushes } = round.counted("workers");
  const folderOf = (port: number): string => join(folder, String(port));
  const workers = await Promise.all(
    ports.map(async (port) => {
      const restate = { restateListen: `127.0.0.1:${port}`, restateWorkerUrl: await balancer[0]?.ready };
      const own = { ...settings, ...(isOnRestate && restate), dataDirectory: folderOf(port) };
      mkdirSync(own.dataDirectory);
      return round.start("worker", JSON.stringify(own), env);
    }),
  );
  const application = await openApplication(readSettings({ ...settings, worker: false }, {}));
  await application.customerDataPipeline.loadAll();
  const emptySizes = [await store.size(), await graph.size()];

  let accepted = 0;
  const read = async (): Promise<Reading> => {
    const stats = await Promise.all(workers.map((worker) => worker.stats()));
    const total = (key: keyof Stats): number => sum(stats.map((one) => one[key]));
    const pids = [
      workers.map(({ pid }) => pid),
      store.pids(),
      graph.pids(),
      balancer.map(({ pid }) => pid),
      [process.pid],
    ];
    const counts = [await flushes(), await store.flushes(), await graph.flushes()];
    return {
      time: performance.now(),
      accepted,
      machine: machineMs(),
      workers: {
        completed: total("completed"),
        mailsSent: total("mailsSent"),
        requests: total("requests"),
        requestMs: total("requestMs"),
      },
      parts: pids.map((some, at) => Object.assign(usageOf(some), { flushes: counts[at] })),
    };
  };
  const first = await read();
  const submitting = submit(application.workflow, items, () => (accepted += 1));
  const readings = [first];
  let last = first;
  while (last.workers.completed < items) {
    // Waits 200 ms. The race fails at once if a submission fails.
    await Promise.race([setTimeout(200), submitting.then(() => setTimeout(200))]);
    const now = await read();
    if (now.workers.completed > last.workers.completed) last = now;
    else if (now.time - last.time > PATIENCE_MS) throw new Error(`only ${now.workers.completed} of ${items} completed`);
    if (now.workers.completed < (items / ROWS) * readings.length) continue;
    readings.push(now);
    bench.progress(`${now.workers.completed} of ${items}`);
  }
  await submitting;
  await application.close();
  bench.progress("");
  console.log(
    `\n${table(
      OVER_TIME,
      readings.slice(1).map((reading, at) => rowOverTime(readings[at]!, reading)),
    )}`,
  );

  const mails = ports.flatMap((port) => readdirSync(join(folderOf(port), "outbox")));
  const kept = [(await store.size()) - emptySizes[0]!, (await graph.size()) - emptySizes[1]!];
  console.log(`\n${table(SUMMARY, [[round.name, ...summaryOf(first, last, items, kept)]])}`);
  await check(settings, { items, mails, mailsSent: last.workers.mailsSent });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function submit(
  workflow: { startWorkflow(parameters: object): Promise<string> },
  items: number,
  onAccepted: () => void,
): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < items) {
      await workflow.startWorkflow(feedback(next++));
      onAccepted();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

const OVER_TIME = [
  "seconds",
  "accepted",
  "completed",
  "runs/s",
  "cores: workers",
  "runs",
  "graph",
  "balancer",
  "submitting",
  "whole machine",
];

function rowOverTime(before: Reading, now: Reading): string[] {
  const elapsed = now.time - before.time;
  const cores = now.parts.map(({ processor }, at) => figure((processor - before.parts[at]!.processor) / elapsed));
  return [
    figure(elapsed / 1000),
    String(now.accepted),
    String(now.workers.completed),
    figure(((now.workers.completed - before.workers.completed) / elapsed) * 1000),
    ...cores,
    figure((now.machine - before.machine) / elapsed),
  ];
}

function summaryOf(first: Reading, last: Reading, items: number, kept: readonly number[]): string[] {
  const each = (of: (reading: Reading) => number | undefined): string => {
    const [before, now] = [of(first), of(last)];
    return before === undefined || now === undefined ? "" : figure((now - before) / items);
  };
  const shared = [0, 1, 2];
  return [
    figure((items / (last.time - first.time)) * 1000),
    ...first.parts.map((_, at) => each(({ parts }) => parts[at]!.processor)),
    ...shared.map((at) => each(({ parts }) => parts[at]!.flushes)),
    ...shared.map((at) => each(({ parts }) => parts[at]!.written / 1000)),
    ...kept.map((bytes) => figure(bytes / 1000 / items)),
    each(({ workers }) => workers.requests),
    figure((last.workers.requestMs - first.workers.requestMs) / (last.workers.requests - first.workers.requests)),
  ];
}

const COUNTS = `${PREFIXES} SELECT
  (COUNT(DISTINCT ?feedback) AS ?stored) (COUNT(DISTINCT ?id) AS ?ids) (COUNT(DISTINCT ?run) AS ?runs) (COUNT(*) AS ?pairs)
  WHERE { ?feedback a abi:Feedback ; abi:id ?id ; prov:wasGeneratedBy ?run }`;
const MAILS = `${PREFIXES} SELECT (COUNT(?mail) AS ?mails) (COUNT(DISTINCT ?mail) AS ?messageIds)
  WHERE { ?feedback a abi:Feedback ; abi:responseId ?mail }`;
const TICKETS = `${PREFIXES} SELECT (COUNT(?ticket) AS ?tickets) (COUNT(DISTINCT ?feedback) AS ?escalated)
  WHERE { ?ticket a abi:Ticket ; abi:forFeedback ?feedback }`;
const TRIPLES = "SELECT (COUNT(*) AS ?triples) WHERE { ?s ?p ?o }";

/** @throws Error if something is lost or has happened twice */
async function check(
  settings: SettingsInput,
  { items, mails, mailsSent }: { items: number; mails: readonly string[]; mailsSent: number },
): Promise<void> {
  const { databaseUrl = "", restateAdminUrl, ontologyUrl, ontologyAuthentication: authentication } = settings;
  const engine = await DurableEngine.connect(databaseUrl, {
    worker: false,
    ...(restateAdminUrl !== undefined && { restate: { adminUrl: restateAdminUrl } }),
  });
  const begin = performance.now();
  const byStatus = (await engine.counts())[0]?.byStatus ?? {};
  const countsMs = Math.round(performance.now() - begin);
  await engine.close();
  const graph = new SparqlEndpointStore({ url: ontologyUrl!, ...(authentication !== undefined && { authentication }) });
  const numbers: Record<string, number> = {};
  for (const query of [COUNTS, MAILS, TICKETS, TRIPLES]) {
    const [row] = await select(graph, "feedback_data", query);
    for (const [name, term] of Object.entries(row!)) numbers[name] = Number(term.value);
  }
  await graph.close();
  const different = new Set(mails).size;
  // If a worker seemed dead while it was sending an email, the other one has sent the email again,
  // under the same Message-ID.
  const repeated = mails.length - different;
  console.log(
    `\nAt the end: ${JSON.stringify({ ...numbers, statuses: byStatus, different, repeated, mailsSent, countsMs })}`,
  );
  const expected = [
    [items, byStatus.completed, ...["stored", "ids", "runs", "pairs"].map((name) => numbers[name])],
    [numbers["mails"], numbers["messageIds"], different],
    [numbers["tickets"], numbers["escalated"]],
  ];
  if (expected.some((equal) => new Set(equal).size > 1)) throw new Error("something is lost, or has happened twice");
}
