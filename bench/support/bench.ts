/** What every benchmark receives. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileShim, flushLatency } from "./flushes.ts";
import { openPostgres, type PostgresServer } from "./postgres.ts";

export interface BenchOptions {
  /** Length of each measurement, without its warm-up. */
  readonly seconds: number;
  readonly rounds: number;
  readonly clients: readonly number[];
  /** Only contestants (`cluster`: combinations) whose name or store contains this. */
  readonly only?: string;
  /** Number of pieces of feedback, calls or texts; the default depends on the benchmark. */
  readonly items?: number;
  /** Milliseconds added to each flush. */
  readonly flushDelay: number;
  /** Folder for databases; default: the folder for temporary files. */
  readonly folder?: string;
}

export interface Bench {
  readonly options: BenchOptions;
  /** Folder for everything that benchmarks write; deleted at the end. */
  readonly folder: string;
  /** Environment of processes whose flushes are counted; empty if they can't be counted. */
  readonly shimEnv: Record<string, string>;
  /** Why flushes are not counted; undefined if they are. */
  readonly shimMissing: string | undefined;
  /** Current median time of one flush of 4 KB, in milliseconds, delay included. */
  flushMs(): number;
  /** The server is started at the first call. */
  postgres(): Promise<PostgresServer | { missing: string }>;
  /** Shows on a terminal what is being measured. */
  progress(what: string): void;
  close(): Promise<void>;
}

export function openBench(options: BenchOptions): Bench {
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), "abi-bench-"));
  chmodSync(folder, 0o755);
  const shim = compileShim(folder, options.flushDelay);
  const shimEnv = "env" in shim ? shim.env : {};
  let postgres: Promise<PostgresServer | { missing: string }> | undefined;
  const data = join(folder, "data");
  mkdirSync(data);
  return {
    options,
    folder: data,
    shimEnv,
    shimMissing: "missing" in shim ? shim.missing : undefined,
    flushMs: () => flushLatency(folder, shimEnv),
    postgres: () => (postgres ??= openPostgres(folder, shimEnv)),
    progress: (what) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what}`);
    },
    // Nothing is deleted before the end. Some file systems (ext4 without a journal) create files
    // slowly for minutes after many were deleted, so a contestant would pay for the one before it.
    close: async () => {
      const server = await postgres;
      try {
        if (server && "close" in server) await server.close();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
