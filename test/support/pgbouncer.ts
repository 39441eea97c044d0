// PgBouncer in front of a PostgreSQL server. If root runs the tests, it runs as the user postgres.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { freePort } from "./free-port.ts";

const program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"].find((path) =>
  existsSync(path),
);

const id = (option: string): number => Number(spawnSync("id", [option, "postgres"], { encoding: "utf8" }).stdout);
/** PgBouncer does not run as root. */
const user = process.getuid?.() === 0 ? { uid: id("-u"), gid: id("-g") } : undefined;

/** False if PgBouncer is not installed. The tests that need it are then skipped, with a message. */
export const canRunPgBouncer = program !== undefined;
if (!canRunPgBouncer) process.stderr.write("Skipped: PgBouncer is not installed.\n");

/**
 * Starts PgBouncer in front of a database's server, and stops it after the test.
 * @param settings lines of its `[pgbouncer]` section
 * @returns the URL of the same database through PgBouncer
 */
export async function startPgBouncer(url: string, ...settings: string[]): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), "abi-pgbouncer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const own = await freePort();
  writeFileSync(join(folder, "users.txt"), `"${username}" "${password}"\n`);
  writeFileSync(
    join(folder, "pgbouncer.ini"),
    [
      "[databases]",
      `* = host=${hostname} port=${port || "5432"}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${own}`,
      "unix_socket_dir =",
      "auth_type = trust",
      `auth_file = ${join(folder, "users.txt")}`,
      ...settings,
    ].join("\n"),
  );
  const child = spawn(program!, [join(folder, "pgbouncer.ini")], { ...user, stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(async () => {
    const ended = once(child, "exit");
    if (child.kill("SIGKILL")) await ended;
  });
  for await (const line of createInterface({ input: child.stderr })) if (line.includes("process up")) break;
  child.stderr.resume();
  return `postgres://${username}:${password}@127.0.0.1:${own}${pathname}`;
}
