/** What every bench is given. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileShim, flushLatency } from "./flushes.ts";
import { openPostgres, type PostgresServer } from "./postgres.ts";

export interface BenchOptions {
  /** Of each measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly clients: readonly number[];
  /** Only contestants whose name holds this. */
  readonly only?: string;
  /** Pieces of feedback, in the benches that count by them. */
  readonly items?: number;
  /** Milliseconds that each flush takes longer. */
  readonly flushDelay: number;
  /** Where databases are put; default the folder for temporary files. */
  readonly folder?: string;
}

export interface Bench {
  readonly options: BenchOptions;
  /** For everything that is written; gone at the end. */
  readonly folder: string;
  /** For processes whose flushes count; empty where they can't be counted. */
  readonly shimEnv: Record<string, string>;
  /** Why flushes are not counted, where they are not. */
  readonly shimMissing: string | undefined;
  /** Median of one flush of 4 KB as it is now, in milliseconds, delay included. */
  flushMs(): number;
  /** Started when it is first asked for. */
  postgres(): Promise<PostgresServer | { missing: string }>;
  /** Says on a terminal what is being measured. */
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
    close: async () => {
      const server = await postgres;
      if (server && "stop" in server) await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
