// Checks the packed package in a project that the README's commands have made: see
// check-tarball.mjs.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";

const entries = process.env.ENTRIES.split(" ");
const bin = "node_modules/.bin/abi-workflows";
// So that npm and the commands it starts use the Node.js that runs this.
const env = { ...process.env, PATH: dirname(process.execPath) + delimiter + process.env.PATH };
// Otherwise tests that a check starts would report to this run instead of running on their own.
delete env.NODE_TEST_CONTEXT;

for (const entry of entries) {
  void test(`"abi-workflows${entry.slice(1)}" can be imported and exports something`, async () => {
    const entered = await import(`abi-workflows${entry.slice(1)}`);
    assert.ok(Object.keys(entered).length > 0);
  });
}

void test("the workflow's tools work and bind to a chat model", async () => {
  const { createCustomerFeedbackTools } = await import("abi-workflows/tools");
  const { DynamicStructuredTool } = await import("@langchain/core/tools");
  const { ChatOpenAI } = await import("@langchain/openai");
  const { convertToOpenAITool } = await import("@langchain/core/utils/function_calling");
  const folder = mkdtempSync(join(tmpdir(), "abi-workflows-stranger-"));
  writeFileSync(join(folder, "customers.json"), JSON.stringify([{ id: "C-1", name: "Ada", email: "ada@example.org" }]));
  const toolkit = await createCustomerFeedbackTools({
    dataDirectory: join(folder, "data"),
    customerSource: join(folder, "customers.json"),
  });
  try {
    const tools = toolkit.workflow.as_tools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      ["process_customer_feedback", "analyze_feedback_sentiment", "categorize_feedback_text"],
    );
    for (const tool of tools) {
      assert.ok(tool instanceof DynamicStructuredTool);
      const { parameters } = convertToOpenAITool(tool).function;
      assert.deepEqual(parameters.required, Object.keys(parameters.properties));
      assert.equal(parameters.additionalProperties, false);
    }
    const model = new ChatOpenAI({ model: "none", apiKey: "none" });
    assert.ok(model.bindTools(tools));

    const args = { feedback_id: null, customer_id: "C-1", subject: "Praise", feedback_text: "The product is great!" };
    const call = { type: "tool_call", id: "1", name: tools[0].name, args };
    const first = await tools[0].invoke(call);
    assert.equal(first.artifact.action, "auto_respond");
    assert.equal((await tools[0].invoke(call)).artifact.duplicate, true);
    assert.equal(readdirSync(join(folder, "data", "outbox")).length, 1);
    assert.equal((await tools[0].invoke({ ...call, args: {} })).artifact.error_type, "validation_error");
  } finally {
    await toolkit.close();
  }
});

const installed = "node_modules/abi-workflows";
const readme = readFileSync(join(installed, "README.md"), "utf8");

void test("the README's links lead to files of the package", () => {
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, path]) => path);
  assert.ok(links.length > 5);
  assert.deepEqual(
    links.filter((path) => !existsSync(join(installed, path))),
    [],
  );
});

void test("the programs of README and guides run as described", () => {
  const settings = { ABI_DATA_DIRECTORY: mkdtempSync(join(tmpdir(), "abi-workflows-readme-")) };
  cpSync(join(installed, "examples/data/customers.csv"), "customers.csv");
  const guide = readFileSync(join(installed, "docs/agents.md"), "utf8");
  for (const [file, text] of [
    ["feedback-agent.ts", guide],
    ["question.ts", readme],
  ]) {
    const [, code] = new RegExp(`^\`\`\`ts file=${file}\n(.*?)^\`\`\``, "ms").exec(text);
    writeFileSync(file, code);
    const { status, stderr } = spawnSync(process.execPath, [file], {
      encoding: "utf8",
      env: { ...process.env, ...settings },
    });
    assert.deepEqual({ file, status, stderr }, { file, status: 0, stderr: "" });
  }
});

void test("the examples run once they are copied", () => {
  cpSync(join(installed, "examples"), "examples", { recursive: true });
  for (const file of ["agent.ts", "events.ts", "refund-workflow.ts", "run-refund-workflow.ts"]) {
    const { status, stderr } = spawnSync(process.execPath, [join("examples", file)], { encoding: "utf8" });
    assert.deepEqual({ file, status, stderr }, { file, status: 0, stderr: "" });
  }
});

void test("the workflow works without an agent's packages, and the agent says which ones are missing", () => {
  const command = (...args) =>
    spawnSync(process.execPath, [bin, "--data", "data", ...args], { cwd: "../workflow-only", encoding: "utf8" });
  assert.ok(!existsSync("../workflow-only/node_modules/langchain"));
  assert.ok(!existsSync("../workflow-only/node_modules/@langchain/openai"));
  const imported = command("import-customers", "node_modules/abi-workflows/examples/data/customers.csv");
  assert.equal(imported.status, 0, imported.stderr);
  const feedback = ["--feedback-id", "F-1", "--customer-id", "C-1001", "--subject", "Search", "--text", "I love it!"];
  const processed = command("process", ...feedback);
  assert.equal(processed.status, 0, processed.stderr);
  for (const args of [["chat", "What is the sentiment of: I love it!"], ["demo"]]) {
    const { status, stderr } = command(...args);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /needs the package @?langchain\S*, which is not installed.*npm install langchain @langchain\/openai/,
    );
  }
});

void test("the command runs", () => {
  assert.match(execFileSync(process.execPath, [bin, "--help"], { encoding: "utf8" }), /process/);
});

void test("the demo runs from the package", () => {
  const folder = mkdtempSync(join(tmpdir(), "abi-workflows-demo-"));
  const demo = spawnSync(process.execPath, [join(process.cwd(), bin), "demo"], { cwd: folder, encoding: "utf8" });
  assert.equal(demo.status, 0, demo.stderr);
});

void test("a project created with init type-checks, passes its tests and serves", async () => {
  const cwd = "../my-workflows";
  execFileSync(process.execPath, [bin, "init", cwd]);
  const { dependencies } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"));
  assert.match(dependencies["abi-workflows"], /^file:\.\.\/project\/abi-workflows-.*\.tgz$/);
  const npm = (...args) => {
    const { status, stdout, stderr } = spawnSync("npm", args, { cwd, encoding: "utf8", env });
    assert.equal(status, 0, `npm ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  npm("install", "--prefer-offline", "--no-audit", "--no-fund");
  npm("run", "check");
  assert.match(npm("test"), /pass 5$/m);

  const service = spawn("npm", ["start", "--silent", "--", "--port", "0", "--json"], { cwd, env, detached: true });
  try {
    const [ready] = await once(createInterface({ input: service.stdout }), "line");
    const response = await fetch(`${JSON.parse(ready).url}/workflows/refund`, {
      method: "POST",
      headers: { "content-type": "application/json", prefer: "wait=60", connection: "close" },
      body: JSON.stringify({ refund_id: "R-1", order_id: "O-7", amount: 30 }),
    });
    assert.equal((await response.json()).decision, "paid");
    assert.deepEqual(readdirSync(join(cwd, "payments")), ["R-1.json"]);
  } finally {
    // Signal all processes, as a terminal does: npm doesn't pass the signal on to processes that
    // its shell has started.
    process.kill(-Number(service.pid), "SIGTERM");
    await once(service, "close");
  }
});

void test("the notebook runs in Deno's kernel and gives the saved outputs", (t) => {
  const { NOTEBOOK: script, TARBALL: tarball } = process.env;
  const { status, stderr } = spawnSync(process.execPath, [script, "--check", "--tarball", tarball], {
    encoding: "utf8",
  });
  const [missing] = /There is no Python .*/.exec(stderr) ?? [];
  if (missing !== undefined) return t.skip(missing);
  assert.equal(status, 0, stderr);
});

const [major, minor] = execFileSync("node", ["-p", "process.versions.node"], { encoding: "utf8" })
  .split(".")
  .map(Number);
const old = major < 22 || (major === 22 && minor < 13);
void test(
  "an old Node.js is told which version is needed",
  { skip: old ? false : "the node on PATH is new enough" },
  () => {
    for (const args of [
      [bin, "--help"],
      ...entries.map((entry) => ["-e", `import("abi-workflows${entry.slice(1)}")`]),
    ]) {
      const { status, stderr } = spawnSync("node", args, { encoding: "utf8" });
      assert.notEqual(status, 0);
      assert.match(stderr, /needs Node\.js 22\.13/);
    }
  },
);
