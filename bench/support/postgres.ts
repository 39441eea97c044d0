/**
 * PostgreSQL for benchmarks: the server that BENCH_DATABASE_URL names, otherwise a new one if its
 * programs are installed.
 */
import { execFile, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";

export interface PostgresServer {
  /** Version and relevant settings. */
  readonly about: string;
  /** The URL of a new, empty database. */
  newDatabase(): Promise<string>;
  /** Stops a new server. On a server that was named, it drops the new databases. */
  close(): Promise<void>;
}

/** @param env the environment of a new server, such as the shim that counts flushes */
export async function openPostgres(
  folder: string,
  env: Record<string, string>,
): Promise<PostgresServer | { missing: string }> {
  const named = process.env["BENCH_DATABASE_URL"];
  if (named !== undefined) return serverAt(named);
  const programs = globSync("/usr/lib/postgresql/*/bin").find((path) => existsSync(join(path, "initdb")));
  if (programs === undefined) return { missing: "BENCH_DATABASE_URL names no server, and PostgreSQL is not installed" };
  const { url, stop } = await startServer(programs, folder, env);
  return serverAt(url, stop);
}

/** @param stop stops a new server; without it, `close` drops the databases */
async function serverAt(url: string, stop?: () => Promise<void>): Promise<PostgresServer> {
  const databases: string[] = [];
  const [facts] = await rowsOf(
    url,
    "SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit",
  );
  const { version, fsync, synchronous_commit } = facts as Record<string, string>;
  return {
    about: `PostgreSQL ${version} (fsync ${fsync}, synchronous_commit ${synchronous_commit})`,
    newDatabase: async () => {
      const name = `abi_bench_${randomUUID().replaceAll("-", "")}`;
      await rowsOf(url, `CREATE DATABASE ${name}`);
      databases.push(name);
      // Writes what earlier contestants have left, which might otherwise be written in the middle
      // of a measurement. On a named server, the user may lack the right to a checkpoint.
      await rowsOf(url, "CHECKPOINT").catch(() => {});
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
    close: async () => {
      if (stop) return stop();
      await Promise.allSettled(databases.map((name) => rowsOf(url, `DROP DATABASE ${name} WITH (FORCE)`)));
    },
  };
}

async function startServer(
  programs: string,
  folder: string,
  shim: Record<string, string>,
): Promise<{ url: string; stop: () => Promise<void> }> {
  // PostgreSQL does not run as root.
  const id = (option: string): number => Number(spawnSync("id", [option, "postgres"], { encoding: "utf8" }).stdout);
  const user = process.getuid?.() === 0 ? { uid: id("-u"), gid: id("-g") } : undefined;
  const home = join(folder, "postgres");
  mkdirSync(home);
  if (user) chownSync(home, user.uid, user.gid);
  const data = join(home, "data");
  const run = async (program: string, env: Record<string, string>, ...args: string[]): Promise<void> => {
    await promisify(execFile)(join(programs, program), args, { cwd: home, ...user, env: { ...process.env, ...env } });
  };
  await run("initdb", {}, "--pgdata", data, "--username", "postgres", "--auth", "trust", "--no-sync");
  const port = await freePort();
  const settings = `-c port=${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${home}`;
  await run("pg_ctl", shim, "start", "--pgdata", data, "--wait", "--log", join(home, "log"), "--options", settings);
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    stop: () => run("pg_ctl", {}, "stop", "--pgdata", data, "--wait", "--mode", "immediate"),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}

export async function rowsOf(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

const TICK_MS = 10;

/**
 * Processor time of the server's processes for one database, in milliseconds, without those that
 * all databases share. 0 if the server is on another machine.
 */
export function serverProcessorMs(databaseUrl: string): number {
  const database = new URL(databaseUrl).pathname.slice(1);
  if (!existsSync("/proc/self/stat")) return 0;
  let ticks = 0;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const title = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (!title.startsWith("postgres:") || !title.includes(database)) continue;
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // The process has ended in the meantime.
    }
  }
  return ticks * TICK_MS;
}
