import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { Settings } from "../../src/application/settings.ts";
import { openInBrowser } from "../terminal/browser.ts";
import { usageError } from "../command.ts";
import type { DevOptions } from "./dev-command.ts";
import { hasColors, host } from "../terminal/host.ts";
import { FINISHING_NOTE, interruptible } from "../terminal/interruption.ts";
import { note, print, relay } from "../terminal/output.ts";
import { packageRoot } from "../../src/runtime/package-root.ts";
import { announce, LOCAL_TOKEN, newLocalToken, sayTryIt, serveSettings, STOPPED_NOTE } from "./serve.ts";

/** The message of `serve --json` when it is listening. */
interface Ready {
  status: "ready";
  url: string;
  token?: string;
  try_it: string;
}

/** Runs `serve` under `node --watch`, which restarts it when a file that it has loaded changes. */
export async function dev(options: DevOptions): Promise<void> {
  const settings = serveSettings(options);
  if (settings.workflows === undefined) {
    throw usageError(
      "dev restarts when your workflows change: name their module with --workflows or WORKFLOWS. For the service alone, use serve.",
    );
  }
  const port = settings.httpPort === 0 ? await freePort(settings.httpHost) : settings.httpPort;
  await interruptible(async (signal) => {
    const child = startWatched(options, { ...settings, httpPort: port });
    signal.addEventListener("abort", () => child.kill("SIGTERM"));
    const code = await showUntilEnd(child, options);
    if (!signal.aborted) host().exitCode = code ?? 1;
  });
  note(STOPPED_NOTE);
}

/** Chooses the port here, so that the address stays the same when the service restarts. */
async function freePort(address: string): Promise<number> {
  const server = createServer();
  await once(server.listen(0, address), "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}

function startWatched({ data, host: address }: DevOptions, { httpPort, workflows = "" }: Settings): ChildProcess {
  const current = host();
  const command = join(packageRoot(), "bin", "abi-workflows.js");
  const options = [
    "--json",
    "--workflows",
    workflows,
    "--port",
    String(httpPort),
    ...(address === undefined ? [] : ["--host", address]),
    ...(data === undefined ? [] : ["--data", data]),
  ];
  return spawn(current.execPath, ["--watch", "--watch-preserve-output", command, "serve", ...options], {
    cwd: current.cwd(),
    // The token stays the same after a restart, so users stay signed in.
    env: { [LOCAL_TOKEN]: newLocalToken(), ...current.env, ...(hasColors(current.stdout) && { FORCE_COLOR: "1" }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** The beginnings of messages that we and Node.js print at every restart; they are not shown. */
const NO_NEWS = [
  FINISHING_NOTE,
  STOPPED_NOTE,
  "Restarting ",
  "Gracefully restarted ",
  "Waiting for graceful termination",
];

/**
 * Shows the output of the processes, with messages for programs reworded for people. Resolves with
 * the exit code when they have ended.
 */
async function showUntilEnd(child: ChildProcess, { json, open }: DevOptions): Promise<number | null> {
  let starts = 0;
  const onReady = async ({ url, token, try_it: call }: Ready): Promise<void> => {
    starts += 1;
    if (starts > 1) return print(`Ready again: ${url}`);
    announce(url, token);
    sayTryIt(call);
    print("\nRestarts when you change a source file. Ctrl-C stops it.");
    if (open && (await openInBrowser(url))) note("The console opens in your browser. Use --no-open to prevent this.");
  };
  const onOutput = (line: string): unknown => {
    const message = readMessage(line);
    if (message === undefined) return relay(json ? host().stderr : host().stdout, line);
    // Errors are on standard error as well.
    if (message.status !== "ready") return undefined;
    return json ? relay(host().stdout, line) : onReady(message as Ready);
  };
  const ended = once(child, "close") as Promise<[number | null]>;
  forEachLine(child.stdout!, onOutput);
  forEachLine(child.stderr!, (line) => relay(host().stderr, line));
  const [code] = await ended;
  return code;
}

function forEachLine(stream: Readable, show: (line: string) => unknown): void {
  createInterface({ input: stream }).on("line", (line) => {
    const text = stripVTControlCharacters(line);
    if (!NO_NEWS.some((beginning) => text.startsWith(beginning))) show(line);
  });
}

/**
 * The command's message for programs; undefined for any other output, such as that of workflows.
 */
function readMessage(line: string): Partial<Ready> | undefined {
  if (!line.startsWith('{"status":"ready"') && !line.startsWith('{"success":false')) return undefined;
  try {
    return JSON.parse(line) as Partial<Ready>;
  } catch {
    return undefined;
  }
}
