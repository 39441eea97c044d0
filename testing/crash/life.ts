import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { UnexpectedError } from "../../src/errors.ts";
import { writeOrders, type CrashMessage, type CrashOrders } from "./protocol.ts";

/** A script of the author's, and what it is started with each time: where it keeps its data, whom it talks to. */
export interface CrashScript {
  script: string | URL;
  args: readonly string[];
}

/** How one process went: killed, or done (`exit code 0`). */
export interface Life {
  readonly killed: boolean;
  /** Items acknowledged by this process and those before it. */
  readonly acknowledged: number;
}

/** A process that neither ends nor tells anything for so long hangs. Milliseconds. */
const LONGEST_SILENCE_MS = 60_000;
const KEPT_ERROR_OUTPUT = 4000;

/**
 * Runs one process to its end. `onReached` hears of every point, a little late, and may kill the process.
 * @throws UnexpectedError where it ends in any other way than killed or done, or hangs
 */
export async function live(
  { script, args }: CrashScript,
  orders: CrashOrders,
  onReached: (point: string, kill: () => void) => void,
): Promise<Life> {
  const path = typeof script === "string" ? script : fileURLToPath(script);
  const child = spawn(process.execPath, [path, ...args, ...writeOrders(orders)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  let hangs = false;
  const silence = setTimeout(() => {
    hangs = true;
    kill();
  }, LONGEST_SILENCE_MS);
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
  // Not "exit": what the process has said last is still to come then.
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(silence);
  if (!hangs && (signal === "SIGKILL" || code === 0)) return { killed: signal === "SIGKILL", acknowledged };
  const end = hangs ? `said nothing for ${LONGEST_SILENCE_MS / 1000} s` : `ended with ${signal ?? `exit code ${code}`}`;
  throw new UnexpectedError(undefined, {
    message: `The process under test ${end}. It wrote: ${errors.trim() || "nothing"}`,
    code: "crash_test_process",
  });
}
