import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openInBrowser } from "../../cli/terminal/browser.ts";
import { runIn } from "../../cli/terminal/host.ts";
import { root } from "../docs/documents.ts";
import { temporaryFolder } from "../support/folder.ts";
import { call, RunningCommand, type CallOptions } from "./command-process.ts";

const EXAMPLE = join(root, "examples", "refund-workflow.ts");

const moduleWithLimit = (limit: number): string =>
  `import { RefundWorkflow } from ${JSON.stringify(EXAMPLE)};
   console.log("limit ${limit}");
   export const createWorkflows = ({ engine, ontologyStore }) => [new RefundWorkflow({ engine, ontologyStore, limit: ${limit} })];`;

const post = async (url: string, body: object): Promise<unknown> => {
  const headers = { "content-type": "application/json", prefer: "wait=60", connection: "close" };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).json();
};

// The example's imports of the package lead to the same sources that the command runs.
const NODE_OPTIONS = `--import ${join(root, "scripts", "package-from-sources.mjs")}`;

/** Starts the command, and ends it after the test together with the processes that it has started. */
function startDev(args: readonly string[], { cwd, env }: CallOptions): RunningCommand {
  const dev = new RunningCommand(["dev", "--port", "0", ...args], { cwd, env: { NODE_OPTIONS, ...env } });
  onTestFinished(async () => {
    dev.kill("SIGTERM");
    await dev.ended;
  });
  return dev;
}

describe("dev", () => {
  it("restarts when a source changes, at the same address and with its stored data", async () => {
    const cwd = temporaryFolder();
    const change = (text: string): void => writeFileSync(join(cwd, "workflows.ts"), text);
    change(moduleWithLimit(5));
    const dev = startDev(["--workflows", "workflows.ts", "--json"], { cwd });
    const ready = dev.output();
    const next = async (): Promise<unknown> => JSON.parse((await ready.next()).value as string);
    const first = await next();
    expect(first).toEqual({
      status: "ready",
      url: expect.any(String),
      token: expect.any(String),
      try_it: expect.any(String),
    });
    const { url } = first as { url: string };
    const refund = { refund_id: "R-1", order_id: "O-1", amount: 9 };
    expect(await post(`${url}/workflows/refund`, refund)).toMatchObject({ decision: "waits_for_person" });
    await dev.said("limit 5");

    change("export const createWorkflows = ;");
    await dev.said("which can't be loaded. SyntaxError: Expression expected");
    await dev.said("workflows.ts:1)");

    change(moduleWithLimit(10));
    expect(await next()).toEqual(first);
    // Earlier runs are known, and new ones use the new source.
    expect(await post(`${url}/workflows/refund`, refund)).toMatchObject({ decision: "waits_for_person" });
    expect(await post(`${url}/workflows/refund`, { ...refund, refund_id: "R-2" })).toMatchObject({
      decision: "granted",
    });

    dev.kill("SIGTERM");
    const { code, stderr } = await dev.ended;
    expect(code).toBe(0);
    // Printed only once, although each restart has ended a service.
    expect(stderr.match(/Stopped\./g)).toHaveLength(1);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("says where the console is, how to sign in, and when it is ready again", async () => {
    const cwd = temporaryFolder();
    const change = (text: string): void => writeFileSync(join(cwd, "workflows.ts"), text);
    change(moduleWithLimit(5));
    const env = { WORKFLOWS: "workflows.ts" };
    const dev = startDev([], { cwd, env });
    const output = dev.output();
    const until = async (text: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const { value, done } = await output.next();
        if (done === true) throw new Error(`it ended before it said ${text}`);
        const found = text.exec(value);
        if (found) return found;
      }
    };
    const [, url] = await until(/^Console: (http:\S+)$/);
    await until(/^ {2}abi_\S+$/);
    await until(/^ {2}curl \S+\/workflows\/\S+ /);
    await until(/^Restarts when you change a source/);
    change(moduleWithLimit(6));
    await until(/^limit 6$/);
    expect((await until(/^Ready again: (.*)$/))[1]).toBe(url);
    dev.kill("SIGINT");
    expect((await dev.ended).code).toBe(0);
  });

  it("passes on a line of the user's code that looks like one of its own", async () => {
    const cwd = temporaryFolder();
    const line = '{"success":false, and no JSON';
    writeFileSync(join(cwd, "workflows.ts"), `console.log(${JSON.stringify(line)});\n${moduleWithLimit(5)}`);
    const dev = startDev(["--workflows", "workflows.ts", "--json"], { cwd });
    const ready = dev.output();
    await dev.said(line);
    expect(JSON.parse((await ready.next()).value as string)).toMatchObject({ status: "ready" });
  });

  it("escapes what could control the terminal in the output of the user's code", async () => {
    const cwd = temporaryFolder();
    const line = JSON.stringify("\u001B]0;mine\u0007\u202Etxet");
    writeFileSync(join(cwd, "workflows.ts"), `console.log(${line});\n${moduleWithLimit(5)}`);
    const dev = startDev(["--workflows", "workflows.ts", "--json"], { cwd });
    await dev.said(String.raw`\u001b]0;mine\u0007\u202etxet`);
    expect(JSON.parse((await dev.lines(1))[0]!)).toMatchObject({ status: "ready" });
  });

  it("requires the module with the workflows", async () => {
    const cwd = temporaryFolder();
    expect(await call(["dev"], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--workflows or WORKFLOWS"),
    });
    expect(await call(["dev", "--workflows", "w.ts", "--port", "http"], { cwd })).toMatchObject({ code: 1 });
  });
});

describe("opening the console in a browser", () => {
  const url = "http://127.0.0.1:8008/";

  /** A browser that records the addresses that it should open. */
  function notingBrowser() {
    const folder = temporaryFolder();
    const [program, notes] = [join(folder, "browser.sh"), join(folder, "opened")];
    writeFileSync(program, `#!/bin/sh\necho "$1" >> ${notes}\n`);
    chmodSync(program, 0o755);
    // The program that looks for the browser inherits the environment of this process.
    vi.stubEnv("BROWSER", program);
    return { program, opened: () => (existsSync(notes) ? readFileSync(notes, "utf8") : "") };
  }

  const openFrom = (env: Record<string, string>, isTTY = true): Promise<boolean> => {
    const stdout = Object.assign(new PassThrough(), { isTTY });
    const others = { stdin: new PassThrough(), stderr: new PassThrough(), execPath: process.execPath };
    const host = {
      ...others,
      env,
      stdout,
      cwd: () => "/",
      on: () => {},
      off: () => {},
      exit: () => expect.unreachable(),
    };
    return runIn(host, () => openInBrowser(url));
  };

  it.runIf(process.platform === "linux")("works from a terminal", async () => {
    const { program, opened } = notingBrowser();
    expect(await openFrom({ BROWSER: program })).toBe(true);
    await expect.poll(opened).toBe(`${url}\n`);
  });

  it.runIf(process.platform === "linux").each<[string, (browser: string) => Record<string, string>, boolean?]>([
    ["without a terminal", (BROWSER) => ({ BROWSER }), false],
    ["in CI", (BROWSER) => ({ BROWSER, CI: "true" })],
    ["where BROWSER says none", () => ({ BROWSER: "none", DISPLAY: ":0" })],
    ["where there is no screen", () => ({})],
    ["on a machine that somebody is connected to from afar", () => ({ DISPLAY: ":0", SSH_CONNECTION: "a b" })],
  ])("doesn't happen %s", async (_case, env, isTTY = true) => {
    expect(await openFrom(env(notingBrowser().program), isTTY)).toBe(false);
  });
});
