// A Restate server of a test's own, to be killed and started again. It keeps its data while it is down.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** It is installed by itself: see the folder. */
const INSTALLED = join(import.meta.dirname, "restate-server/package.json");

/** The program itself: of the script around it a kill would end nothing but the script. */
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

/** False where it is not installed, or npm has none for this machine; the tests that need one are skipped then, and say so. */
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
  /** With -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it, and removes what it kept. */
  destroy(): Promise<void>;
}

/** Makes and starts one. It listens on loopback, and tells nobody that it is used. */
export async function startRestate(): Promise<RestateServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "abi-restate-"));
  const [ingress, admin, fabric] = [await freePort(), await freePort(), await freePort()];
  const log = join(folder, "log");
  const adminUrl = `http://127.0.0.1:${admin}`;
  let server: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGKILL");
    await once(server, "exit");
  };
  const start = async (): Promise<void> => {
    const output = openSync(log, "a");
    const child = spawn(program!, ["--base-dir", folder, "--node-name", "test"], {
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
      },
    });
    server = child;
    const isReady = async (url: string): Promise<boolean> => (await fetch(url).catch(() => undefined))?.ok ?? false;
    for (const until = performance.now() + PATIENCE_MS; ;) {
      if (child.exitCode !== null)
        throw new Error(`the Restate server did not start:\n${readFileSync(log, "utf8").slice(-5000)}`);
      if (performance.now() > until)
        throw new Error(`the Restate server was not ready in time:\n${readFileSync(log, "utf8").slice(-5000)}`);
      if ((await isReady(`${adminUrl}/health`)) && (await isReady(`http://127.0.0.1:${ingress}/restate/health`)))
        return;
      await setTimeout(50);
    }
  };
  await start();
  return {
    url: `restate+http://127.0.0.1:${ingress}`,
    adminUrl,
    kill,
    start,
    destroy: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
