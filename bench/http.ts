// POST with as_api and with the service under 32 connections, while the accepted runs are executed,
// compared with a bare route with one flushed commit.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { feedback } from "./support/feedback.ts";
import type { ServerName, ServerStats } from "./http-server.ts";
import type { Bench } from "./support/bench.ts";
import { figure, quantile, table } from "./support/measure.ts";

export const about =
  "POST by as_api() and serve under 32 connections, against a bare Hono route with one flushed commit";

const CONNECTIONS = 32;
const SERVERS: Record<ServerName, string> = {
  bare: "bare Hono route, one commit (SQLite, synchronous FULL)",
  "as-api": "as_api(), SQLite, synchronous FULL",
  serve: "serve: token, checks, limits; SQLite, synchronous FULL",
};

interface Figures {
  requests: number;
  p50: number;
  p99: number;
  runs: number;
  loopP99: number;
}

export async function run(bench: Bench): Promise<void> {
  const all = new Map<ServerName, Figures[]>();
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const name of Object.keys(SERVERS) as ServerName[]) {
      bench.progress(`round ${round + 1} of ${bench.options.rounds}: ${name}`);
      all.set(name, [...(all.get(name) ?? []), await measure(bench, name)]);
    }
  }
  bench.progress("");
  const median = (name: ServerName, key: keyof Figures): number =>
    quantile(all.get(name)!.map((figures) => figures[key]));
  const rows = (Object.keys(SERVERS) as ServerName[]).map((name) => [
    SERVERS[name],
    figure(median(name, "requests")),
    `${figure(median(name, "requests") / median("bare", "requests"))} ×`,
    figure(median(name, "p50")),
    figure(median(name, "p99")),
    name === "bare" ? "" : figure(median(name, "runs")),
    figure(median(name, "loopP99")),
  ]);
  const heads = ["server", "POST/s", "of bare", "p50 ms", "p99 ms", "runs/s meanwhile", "loop p99 ms"];
  console.log(`\n${table(heads, rows)}`);
}

async function measure(bench: Bench, name: ServerName): Promise<Figures> {
  const folder = mkdtempSync(join(bench.folder, "http-"));
  const child = fork(join(import.meta.dirname, "http-server.ts"), [name, folder], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, ...bench.shimEnv, NODE_NO_WARNINGS: "1" },
  });
  const next = async <Message>(): Promise<Message> => ((await once(child, "message")) as [Message])[0];
  const port = await next<number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const { seconds } = bench.options;
    await load(agent, port, seconds / 2);
    const before = await statsOf();
    const latencies = await load(agent, port, seconds);
    const after = await statsOf();
    return {
      requests: latencies.length / seconds,
      p50: quantile(latencies),
      p99: quantile(latencies, 0.99),
      runs: (after.runs - before.runs) / seconds,
      loopP99: after.loopP99,
    };
  } finally {
    agent.destroy();
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async function statsOf(): Promise<ServerStats> {
    child.send("stats");
    return next<ServerStats>();
  }
}

let n = 0;

/** Latencies in milliseconds of the requests that were sent within this many seconds. */
async function load(agent: Agent, port: number, seconds: number): Promise<number[]> {
  const latencies: number[] = [];
  const deadline = performance.now() + seconds * 1000;
  const connection = async (): Promise<void> => {
    while (performance.now() < deadline) {
      const begin = performance.now();
      await post(agent, port, n++);
      latencies.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return latencies;
}

function post(agent: Agent, port: number, n: number): Promise<void> {
  const body = JSON.stringify(feedback(n));
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      authorization: "Bearer bench-0123456789abcdef",
    };
    request(
      { agent, port, host: "127.0.0.1", method: "POST", path: "/workflows/customer-feedback", headers },
      (answer) => {
        answer.resume().on("end", () => {
          if (answer.statusCode === 202) resolve();
          else reject(new Error(`status ${answer.statusCode}`));
        });
      },
    )
      .on("error", reject)
      .end(body);
  });
}
