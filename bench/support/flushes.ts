/**
 * Flushes to the disk: how long one takes here, how many there were, and how to make them slower.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { median } from "./measure.ts";

const SOURCE = join(import.meta.dirname, "flush-shim.c");

/** The environment in which flushes are counted and delayed, or why they can't be. */
export type Shim = { env: Record<string, string> } | { missing: string };

/**
 * Compiles the shim into `folder`, which other users must be able to read: PostgreSQL does not run
 * as root.
 */
export function compileShim(folder: string, delayMs: number): Shim {
  if (process.platform !== "linux") return { missing: "needs Linux" };
  const library = join(folder, "flush-shim.so");
  const { status, error } = spawnSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"]);
  if (status !== 0) return { missing: error ? "there is no C compiler (cc)" : "cc could not compile flush-shim.c" };
  const delay = delayMs > 0 ? { BENCH_FLUSH_DELAY_US: String(Math.round(delayMs * 1000)) } : {};
  return { env: countedIn(join(folder, "flushes"), { LD_PRELOAD: library, ...delay }) };
}

/** The same environment with a separate counter, in a file that this creates. */
export function countedIn(path: string, env: Record<string, string>): Record<string, string> {
  writeFileSync(path, Buffer.alloc(16));
  chmodSync(path, 0o666);
  return { ...env, BENCH_FLUSH_COUNT: path };
}

/** The count so far, of all processes with this environment; undefined if nothing is counted. */
export function countFlushes(env = process.env): { all: number; ofLogs: number } | undefined {
  const path = env["BENCH_FLUSH_COUNT"];
  if (path === undefined) return undefined;
  const counters = readFileSync(path);
  return { all: Number(counters.readBigUInt64LE(0)), ofLogs: Number(counters.readBigUInt64LE(8)) };
}

/** Median time to write and flush 4 KB, in milliseconds, in a process with this environment. */
export function flushLatency(folder: string, env: Record<string, string>): number {
  const output = execFileSync(process.execPath, [import.meta.filename, folder], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return Number(output);
}

if (process.argv[1] === import.meta.filename) {
  const path = join(process.argv[2]!, "flush-latency");
  const file = openSync(path, "w");
  const block = Buffer.alloc(4096, 1);
  const ms = await median(200, (round) => {
    writeSync(file, block, 0, block.length, Math.max(0, round) * block.length);
    fdatasyncSync(file);
  });
  closeSync(file);
  rmSync(path);
  console.log(ms);
}
