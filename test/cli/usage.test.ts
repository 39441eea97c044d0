import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { SETTINGS } from "../../src/application/settings.ts";
import { temporaryFolder } from "../support/folder.ts";
import { call, FEEDBACK } from "./command-process.ts";

const packageFile = new URL("../../package.json", import.meta.url);

describe("a call that cannot work exits with 2 and says what to do", () => {
  test.each([
    ["an unknown command", ["demmo"], "unknown command 'demmo'"],
    ["an unknown option", ["status", "--all"], "unknown option '--all'"],
    ["a missing argument", ["batch"], "missing required argument 'file'"],
    ["an impossible choice", ["status", "--status", "done"], "Allowed choices are started, processing"],
    ["an impossible name of a store", ["query", "ASK {}", "--store", "my store"], "letters, digits, underscores"],
    ["a number that is none", ["status", "--limit", "0"], "whole number from 1 to 999999999"],
    ["a number that is too high", ["status", "--limit", "1000000000"], "whole number from 1 to 999999999"],
    ["no time at all", ["query", "ASK {}", "--timeout", "0s"], "length of time of at least 1s"],
    [
      "a time limit for a query at a service",
      ["query", "ASK {}", "--timeout", "5s", "--url", "http://127.0.0.1:1"],
      "--timeout is up to the service",
    ],
    ["missing parts of the feedback", ["process", "--subject", "x"], "--feedback-id, --customer-id, --text missing"],
    [
      "two sources of the feedback",
      ["process", ...FEEDBACK, "--input", "f.json"],
      "--input contains the whole feedback",
    ],
    ["a file of another kind", ["batch", "feedback.xlsx"], "must end in .csv"],
    ["a field that does not exist", ["batch", "f.csv", "--map", "text=body"], 'there is no field "text"'],
    ["a model without a service", ["chat", "Hi", "--model", "gpt"], "set OPENAI_API_KEY"],
    ["a conversation in JSON", ["chat", "--json"], "give the message on the command line"],
  ])("%s", async (_case, args, message) => {
    const cwd = temporaryFolder();
    const { code, stdout, stderr } = await call(args, { cwd });
    expect({ code, stdout, files: readdirSync(cwd) }).toEqual({ code: 2, stdout: "", files: [] });
    expect(stderr).toMatch(/^error: /);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  test.each([
    ["an unknown command", (typed: string) => [typed]],
    ["an unknown option", (typed: string) => ["status", `--${typed}`]],
    ["a choice", (typed: string) => ["status", "--status", typed]],
  ])("with control characters escaped, for %s", async (_case, args) => {
    const { code, stderr } = await call(args("\u001B[31mred\u001B[2J"), { cwd: temporaryFolder() });
    expect(code).toBe(2);
    expect(stderr).toContain(String.raw`\u001b[31mred\u001b[2J`);
    expect(stderr).not.toContain("\u001B");
  });

  test("if the file lacks columns", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "f.csv"), "customer_id,subject,words\nC-1,Hi,Well\n");
    const { code, stderr } = await call(["batch", "f.csv"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toBe(
      'error: The file has no column "feedback_text". Name another one with --map feedback_text=<column>, or give a constant with ' +
        "--set feedback_text=<value>. It has: customer_id, subject, words.\n",
    );
  });
});

test("a missing file exits with 1", async () => {
  const { code, stdout, stderr } = await call(["process", "--input", "none.json"], { cwd: temporaryFolder() });
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: "",
    stderr: 'error: The file "none.json" can\'t be read. Check that it exists and may be read.\n',
  });
});

test("a call without a command shows the help, with every setting", async () => {
  const { code, stdout } = await call([], { cwd: temporaryFolder() });
  expect(code).toBe(0);
  for (const { env } of SETTINGS) expect(stdout).toContain(env);
  expect(stdout).toContain("abi-workflows demo");
});

test("the help of a command has examples and the global options", async () => {
  const { code, stdout } = await call(["batch", "--help"], { cwd: temporaryFolder() });
  expect(code).toBe(0);
  expect(stdout).toContain("$ abi-workflows batch feedback.csv");
  expect(stdout).toContain("--data <folder>");
});

test("--version prints the version", async () => {
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  expect((await call(["--version"], { cwd: temporaryFolder() })).stdout).toBe(`${version}\n`);
});

test.each([
  ["in a checkout", ["cli/main.ts"], "Try, in the checkout: npm ci && npx abi-workflows\n"],
  ["elsewhere", [], "Try: npx -p node@24 -p abi-workflows abi-workflows\n"],
])("an older Node.js is refused with the version that is needed and how to get it %s", (_case, files, advice) => {
  const root = temporaryFolder();
  for (const file of ["bin/abi-workflows.js", "package.json", ...files]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(new URL(`../../${file}`, import.meta.url), join(root, file));
  }
  const older = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.11.1"}})`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(older)}`, join(root, "bin/abi-workflows.js"), "--help"],
    { encoding: "utf8" },
  );
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toMatch(/needs Node\.js 22\.13 or newer .*but this is Node\.js 20\.11\.1\./);
  expect(stderr).toContain(advice);
});
