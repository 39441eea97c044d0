/**
 * The parts of the current process that commands use. Commands take them from here, never from
 * `process`. So a program, above all a test, can run several commands in its own process, each with
 * its own streams, environment and working directory.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { WriteStream } from "node:tty";
import { styleText } from "node:util";
import { shellQuoted } from "../../src/files/private-files.ts";

/** A stream that text is written to. */
export type Output = Writable & { isTTY?: boolean; columns?: number };

/** The part of `process` that commands use; `process` is the usual one. */
export interface CommandHost {
  readonly stdin: Readable & { isTTY?: boolean; setRawMode?: (isRaw: boolean) => unknown };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The Node.js that runs the command, for processes that it starts. */
  readonly execPath: string;
  /** Set by the command; undefined means 0. */
  exitCode?: number | string | null | undefined;
  /** The folder that relative paths start from. */
  cwd(): string;
  on(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** A command that is running. */
interface RunningCommand {
  readonly host: CommandHost;
  /** The options `--data`, `--workflows` and `--url`, which further commands need as well. */
  place: readonly string[];
}

const running = new AsyncLocalStorage<RunningCommand>();

/** The host of the command that is running. */
export const host = (): CommandHost => running.getStore()?.host ?? process;

/** Runs a command in this host. */
export const runIn = <Result>(commandHost: CommandHost, command: () => Result): Result =>
  running.run({ host: commandHost, place: [] }, command);

/** Records the options that say on which data the running command works. */
export function workAt({ data, workflows, url }: PlaceOptions): void {
  const current = running.getStore();
  const given = Object.entries({ data, workflows, url }).filter((entry): entry is [string, string] =>
    Boolean(entry[1]),
  );
  if (current) current.place = given.flatMap(([name, value]) => [`--${name}`, shellQuoted(value)]);
}

interface PlaceOptions {
  data?: string;
  workflows?: string;
  url?: string;
}

/** A further command for the user to copy, which works on the same data as this one. */
export const furtherCommand = (words: string): string =>
  ["abi-workflows", words, ...(running.getStore()?.place ?? [])].join(" ");

/**
 * The path under which to open a file that the user has named. Messages show the name as it was
 * given.
 */
export const resolvedPath = (path: string): string =>
  host().cwd() === process.cwd() ? path : resolve(host().cwd(), path);

/**
 * Whether a stream shows colours: as NO_COLOR and FORCE_COLOR say; without them, whether it is a
 * terminal with colours.
 */
export function hasColors(stream: Output): boolean {
  const { env } = host();
  if (stream.isTTY !== true && env["FORCE_COLOR"] === undefined) return false;
  // `getColorDepth` uses only this environment.
  return WriteStream.prototype.getColorDepth(env) > 2;
}

/** The text in a style; plain if the stream shows no colours. */
export const styledFor = (stream: Output, style: Parameters<typeof styleText>[0], text: string): string =>
  hasColors(stream) ? styleText(style, text, { validateStream: false }) : text;
