/**
 * The command line under test. `call` runs it in this process, which is fast. `callProcess` and `RunningCommand` start a process
 * as users do, for behaviour that needs one: signals, `kill -9`, start and end.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter, on, once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { main } from "../../cli/main.ts";
import type { CommandHost } from "../../cli/terminal/host.ts";
import { temporaryFolder } from "../support/folder.ts";

const COMMAND = fileURLToPath(new URL("../../bin/abi-workflows.js", import.meta.url));

export interface Outcome {
  /** The signal's name if one ended the command. */
  code: number | string | null;
  stdout: string;
  stderr: string;
}

export interface CallOptions {
  cwd: string;
  /** The whole environment; nothing is set by default. */
  env?: Record<string, string>;
  /** Written to standard input, which is then closed. */
  input?: string;
  /** The user of the started process; default: the same one. */
  uid?: number;
}

/** Calls the command in this process and waits for its end. */
export async function call(
  args: readonly string[],
  {
    cwd,
    env = {},
    input = "",
    columns,
  }: CallOptions & { /** If given, standard output is a terminal of this width. */ columns?: number },
): Promise<Outcome> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const written = Promise.all([text(stdout), text(stderr)]);
  const signals = new EventEmitter();
  const host: CommandHost = {
    stdin: Readable.from([Buffer.from(input)]),
    stdout: Object.assign(stdout, columns === undefined ? {} : { isTTY: true, columns }),
    stderr,
    env: { HOME: cwd, TERM: "xterm", ...env },
    cwd: () => cwd,
    execPath: process.execPath,
    on: signals.on.bind(signals),
    off: signals.off.bind(signals),
    exit: (code) => {
      throw new Error(`The command ended the process, with exit code ${code}.`);
    },
  };
  const before = process.exitCode;
  await main(["node", "abi-workflows", ...args], host);
  if (process.exitCode !== before) throw new Error("The command set process.exitCode instead of host().exitCode.");
  stdout.end();
  stderr.end();
  const [answer, notes] = await written;
  return { code: Number(host.exitCode ?? 0), stdout: answer, stderr: notes };
}

/** A running command in its own process. */
export class RunningCommand {
  readonly ended: Promise<Outcome>;
  readonly #child: ChildProcess;
  #stderr = "";

  constructor(args: readonly string[], { cwd, env, input = "", uid }: CallOptions) {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const child = spawn(process.execPath, [COMMAND, ...args], {
      cwd,
      env: { PATH: PATH ?? "", NODE_COMPILE_CACHE: NODE_COMPILE_CACHE ?? "", HOME: cwd, ...env },
      ...(uid !== undefined && { uid }),
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      child.emit("complained");
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    this.#child = child;
    this.ended = once(child, "close").then(([code, signal]) => ({
      code: (code ?? signal) as number | string | null,
      stdout,
      stderr: this.#stderr,
    }));
    onTestFinished(() => void child.kill("SIGKILL"));
  }

  /** Resolves with this many lines of output once they have been printed. */
  async lines(count: number): Promise<string[]> {
    const seen: string[] = [];
    const { stdout } = this.#child;
    if (!stdout) throw new Error("no standard output");
    for await (const [line] of on(createInterface({ input: stdout }), "line", { close: ["close"] })) {
      seen.push(line as string);
      if (seen.length === count) return seen;
    }
    throw new Error(`the command ended after ${seen.length} lines: ${this.#stderr}`);
  }

  /** The lines of standard output, as they are printed. */
  output(): AsyncIterator<string, undefined> {
    const { stdout } = this.#child;
    if (!stdout) throw new Error("no standard output");
    return createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** Resolves once standard error contains this text. */
  async said(text: string): Promise<void> {
    while (!this.#stderr.includes(text)) await once(this.#child, "complained");
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Calls the command in its own process and waits for its end. */
export const callProcess = (args: readonly string[], options: CallOptions): Promise<Outcome> =>
  new RunningCommand(args, options).ended;

export const parseLines = (text: string): Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const CUSTOMERS = `id,name,email,segment,lifetime_value
C-1,Ann Ford,ann@example.com,standard,100
C-2,"Bo ""B"" Lund",bo@example.com,premium,9000
`;

/** A new folder with a file of two customers: C-1 is answered by email, C-2 escalated. */
export function workplace(): { cwd: string; env: Record<string, string> } {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, "customers.csv"), CUSTOMERS);
  return { cwd, env: { CUSTOMER_SOURCE: join(cwd, "customers.csv") } };
}

export const FEEDBACK = [
  "--feedback-id",
  "F-1",
  "--customer-id",
  "C-1",
  "--subject",
  "Hello",
  "--text",
  "I love the new design!",
];
