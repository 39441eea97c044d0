// A Restate server for a single test, which can kill it and start it again. It keeps its data while it is down.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { startTcpBalancer } from "./tcp-balancer.ts";

/** The server is installed separately: see its folder. */
const INSTALLED = join(import.meta.dirname, "restate-server/package.json");

/** The program itself, not the script that starts it: killing that would leave the server running. */
function findServer(): string | undefined {
  try {
    const server = createRequire(INSTALLED).resolve("@restatedev/restate-server/package.json");
    return createRequire(server).resolve(
      `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
    );
  } catch {
    return undefined;
  }
}

const program = findServer();

/**
 * False if no server is installed, or npm has none for this machine. The tests that need one are then skipped, with a
 * message.
 */
export const canRunRestate = program !== undefined;
if (!canRunRestate) {
  process.stderr.write(
    "Skipped: there is no Restate server. Install it with: npm ci --prefix test/support/restate-server --ignore-scripts\n",
  );
}

/** How long a server may take to start. Milliseconds. */
const PATIENCE_MS = 120_000;

export interface RestateServerProcess {
  /** For `DATABASE_URL`; a namespace may follow. */
  readonly url: string;
  readonly adminUrl: string;
  /** The Prometheus endpoints of its nodes. */
  readonly metricsUrls: readonly string[];
  /** Process ids of the nodes that are up. */
  readonly pids: readonly number[];
  /** Holds its data and logs. */
  readonly folder: string;
  /** Kills one node of a cluster, or all nodes, with `kill -9`. */
  kill(node?: number): Promise<void>;
  start(node?: number): Promise<void>;
  /** Kills the server and removes its data. */
  destroy(): Promise<void>;
}

/**
 * Creates and starts a server. It listens on loopback and sends no telemetry.
 * @param env additional settings for the server
 */
export async function startRestate(env: Record<string, string> = {}): Promise<RestateServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "abi-restate-"));
  const node = await makeNode(folder, "test", { env });
  await node.start();
  return {
    url: `restate+http://127.0.0.1:${node.ingress}`,
    adminUrl: `http://127.0.0.1:${node.admin}`,
    metricsUrls: [node.metricsUrl],
    get pids() {
      return node.pids;
    },
    folder,
    kill: () => node.kill(),
    start: () => node.start(),
    destroy: async () => {
      await node.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const NODES = 3;

/** A cluster of three nodes that stores everything on two of them. Its address leads to any node that is up. */
export async function startRestateCluster(): Promise<RestateServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "abi-restate-"));
  const fabrics = await Promise.all(Array.from({ length: NODES }, freePort));
  const nodes = await Promise.all(
    fabrics.map((fabric, at) =>
      makeNode(folder, `test-${at}`, {
        fabric,
        env: {
          RESTATE_CLUSTER_NAME: "test",
          RESTATE_AUTO_PROVISION: String(at === 0),
          RESTATE_DEFAULT_REPLICATION: "2",
          RESTATE_METADATA_CLIENT__ADDRESSES: JSON.stringify(fabrics.map((port) => `http://127.0.0.1:${port}/`)),
        },
      }),
    ),
  );
  const chosen = (node: number | undefined): readonly RestateNode[] => (node === undefined ? nodes : [nodes[node]!]);
  const kill = async (node?: number): Promise<void> => void (await Promise.all(chosen(node).map((one) => one.kill())));
  const start = async (node?: number): Promise<void> =>
    void (await Promise.all(chosen(node).map((one) => one.start())));
  await start();
  const ingress = await startTcpBalancer(nodes.map((node) => node.ingress));
  const admin = await startTcpBalancer(nodes.map((node) => node.admin));
  await untilItAnswersQueries(admin.url);
  return {
    url: `restate+${ingress.url}`,
    adminUrl: admin.url,
    metricsUrls: nodes.map((node) => node.metricsUrl),
    get pids() {
      return nodes.flatMap((node) => node.pids);
    },
    folder,
    kill,
    start,
    destroy: async () => {
      await kill();
      await ingress[Symbol.asyncDispose]();
      await admin[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for an answer to a query, because nodes say that they are ready before they have shared out the partitions. */
async function untilItAnswersQueries(adminUrl: string): Promise<void> {
  const query = {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query: "SELECT count(*) AS invocations FROM sys_invocation" }),
  };
  for (const until = performance.now() + PATIENCE_MS; ;) {
    const answer = await fetch(`${adminUrl}/query`, query).catch(() => undefined);
    if (answer?.ok) return void (await answer.text());
    if (performance.now() > until) throw new Error("the Restate cluster answers no queries");
    await setTimeout(50);
  }
}

interface RestateNode {
  readonly ingress: number;
  readonly admin: number;
  readonly metricsUrl: string;
  readonly pids: readonly number[];
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** @param options `fabric`: the port on which nodes find each other */
async function makeNode(
  folder: string,
  name: string,
  options: { fabric?: number; env?: Record<string, string> },
): Promise<RestateNode> {
  const [ingress, admin, fabric] = [await freePort(), await freePort(), options.fabric ?? (await freePort())];
  const log = join(folder, `${name}.log`);
  let server: ChildProcess | undefined;
  const isUp = (): boolean => server !== undefined && server.exitCode === null && server.signalCode === null;
  return {
    ingress,
    admin,
    metricsUrl: `http://127.0.0.1:${fabric}/metrics`,
    get pids() {
      return isUp() ? [server!.pid!] : [];
    },
    kill: async () => {
      if (!isUp()) return;
      server!.kill("SIGKILL");
      await once(server!, "exit");
    },
    start: async () => {
      const output = openSync(log, "a");
      const child = spawn(program!, ["--base-dir", folder, "--node-name", name], {
        stdio: ["ignore", output, output],
        env: {
          DO_NOT_TRACK: "1",
          RESTATE_DISABLE_TELEMETRY: "true",
          RESTATE_LISTEN_MODE: "tcp",
          RESTATE_BIND_IP: "127.0.0.1",
          RESTATE_BIND_PORT: String(fabric),
          RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${fabric}/`,
          RESTATE_INGRESS__BIND_PORT: String(ingress),
          RESTATE_ADMIN__BIND_PORT: String(admin),
          RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE: "256MB",
          RESTATE_DEFAULT_NUM_PARTITIONS: "4",
          RUST_LOG: "warn",
          ...options.env,
        },
      });
      closeSync(output);
      server = child;
      const isReady = async (url: string): Promise<boolean> => (await fetch(url).catch(() => undefined))?.ok ?? false;
      const lastWords = (): string => readFileSync(log, "utf8").slice(-5000);
      for (const until = performance.now() + PATIENCE_MS; ;) {
        if (child.exitCode !== null) throw new Error(`the Restate server did not start:\n${lastWords()}`);
        if (performance.now() > until) throw new Error(`the Restate server was not ready in time:\n${lastWords()}`);
        const health = [`http://127.0.0.1:${admin}/health`, `http://127.0.0.1:${ingress}/restate/health`];
        if ((await Promise.all(health.map(isReady))).every(Boolean)) return;
        await setTimeout(50);
      }
    },
  };
}
