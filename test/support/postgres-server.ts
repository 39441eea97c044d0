// A PostgreSQL server for a single test, which can stop and start it. If root runs the tests, it runs as the user postgres.
import { execFile, spawnSync } from "node:child_process";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { freePort } from "./free-port.ts";

const programs = globSync("/usr/lib/postgresql/*/bin").find((folder) => existsSync(join(folder, "initdb")));

/** PostgreSQL does not run as root. */
const user = ((): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string): number => Number(spawnSync("id", [option, "postgres"], { encoding: "utf8" }).stdout);
  return { uid: id("-u"), gid: id("-g") };
})();

/**
 * False if PostgreSQL is not installed, or root runs the tests and there is no user postgres. The tests that need a
 * server of their own are then skipped, with a message.
 */
export const canRunPostgres = programs !== undefined && (user === undefined || user.uid > 0);
if (!canRunPostgres) process.stderr.write("Skipped: no PostgreSQL below /usr/lib/postgresql, or no user to run it.\n");

export interface PostgresServer {
  url: string;
  /** `fast` closes all connections cleanly, `immediate` is a crash. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
}

/** Creates and starts a server that is removed after the test. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "abi-postgres-"));
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "data");
  const run = async (program: string, ...args: string[]): Promise<void> => {
    await promisify(execFile)(join(programs!, program), args, { cwd: folder, ...user });
  };
  await run("initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync");
  const port = await freePort();
  const settings = `-c port=${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder}`;
  const start = (): Promise<void> =>
    run("pg_ctl", "start", "--pgdata", data, "--wait", "--log", join(folder, "log"), "--options", settings);
  const stop = (mode: string): Promise<void> => run("pg_ctl", "stop", "--pgdata", data, "--wait", "--mode", mode);
  await start();
  onTestFinished(async () => {
    if (existsSync(join(data, "postmaster.pid"))) await stop("immediate");
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, start, stop };
}
