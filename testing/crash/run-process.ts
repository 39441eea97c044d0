import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { UnexpectedError } from "../../src/errors.ts";
import { writeOrders, type CrashMessage, type CrashOrders } from "./protocol.ts";

/**
 * Your script, and its arguments, such as where it stores its data and which servers it calls.
 */
export interface CrashScript {
  script: string | URL;
  args: readonly string[];
  /**
   * How many processes run it at the same time and share its work; default 1. Each one gets its
   * number: `CrashPoints.worker`.
   */
  workers?: number;
}

/** How one process ended: killed, or done (exit code 0). */
export interface ProcessOutcome {
  readonly killed: boolean;
  /** Items acknowledged by this process and earlier ones with its worker number. */
  readonly acknowledged: number;
}

/**
 * A process that neither ends nor reports anything for this long counts as hanging. Milliseconds.
 */
const MAX_SILENCE_MS = 300_000;
const KEPT_ERROR_OUTPUT = 4000;

/**
 * Runs one process to its end. `onReached` is called for every point, shortly after the process has
 * reached it, and may kill the process.
 * @param signal its abort kills the process; then this throws an AbortError
 * @throws UnexpectedError if the process hangs, or ends neither killed nor with exit code 0
 */
export async function runProcess(
  { script, args }: CrashScript,
  orders: CrashOrders,
  onReached: (point: string, kill: () => void) => void,
  signal: AbortSignal,
): Promise<ProcessOutcome> {
  const path = typeof script === "string" ? script : fileURLToPath(script);
  const child = spawn(process.execPath, [path, ...args, ...writeOrders(orders)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    signal,
    killSignal: "SIGKILL",
  });
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  let hangs = false;
  const silence = setTimeout(() => {
    hangs = true;
    kill();
  }, MAX_SILENCE_MS);
  let { acknowledged } = orders;
  child.on("message", (message: CrashMessage) => {
    silence.refresh();
    if ("acknowledged" in message) acknowledged = message.acknowledged;
    else onReached(message.reached, kill);
  });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-KEPT_ERROR_OUTPUT);
  });
  // Not "exit", because the last messages may arrive after it.
  const [code, cause] = (await once(child, "close").finally(() => clearTimeout(silence))) as [
    number | null,
    NodeJS.Signals | null,
  ];
  if (!hangs && (cause === "SIGKILL" || code === 0)) return { killed: cause === "SIGKILL", acknowledged };
  const end = hangs ? `said nothing for ${MAX_SILENCE_MS / 1000} s` : `ended with ${cause ?? `exit code ${code}`}`;
  throw new UnexpectedError(undefined, {
    message: `The process under test ${end}. It wrote: ${errors.trim() || "nothing"}`,
    code: "crash_test_process",
  });
}

/**
 * Runs something for each of the processes that share the work, at the same time. If it fails for
 * one, the signal aborts the others.
 * @throws the first failure
 */
export async function forEachWorker(
  { workers = 1 }: CrashScript,
  work: (worker: { worker: number; workers: number }, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const { signal } = failure;
  const all = Array.from({ length: workers }, (_, worker) =>
    work({ worker, workers }, signal).catch((error: unknown) => failure.abort(error)),
  );
  await Promise.all(all);
  signal.throwIfAborted();
}
