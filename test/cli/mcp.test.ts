import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as EarlierClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as EarlierStdioTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { expect, it, onTestFinished } from "vitest";
import { root } from "../docs/documents.ts";
import { REVISION, TASKS } from "../support/mcp.ts";
import { call, callProcess, workplace } from "./command-process.ts";

const COMMAND = fileURLToPath(new URL("../../bin/abi-workflows.js", import.meta.url));
const FEEDBACK = { feedback_id: "F-1", customer_id: "C-1", subject: "Hello", feedback_text: "I love the new design!" };

type Place = ReturnType<typeof workplace>;
type Message = { id?: number; result?: Record<string, unknown>; error?: { code: number; message: string } };

const parametersOf = ({ cwd, env }: Place, args: string[] = []) => ({
  command: process.execPath,
  args: [COMMAND, "mcp", ...args],
  cwd,
  env: {
    PATH: process.env["PATH"] ?? "",
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
    HOME: cwd,
    ...env,
  },
});

/** The command as a client starts it, and a connection to it line by line. */
class RawClient {
  readonly child;
  readonly lines: string[] = [];
  stderr = "";
  readonly ended: Promise<number | string | null>;
  #id = 0;

  constructor(place: Place, args: string[] = []) {
    const { command, args: all, cwd, env } = parametersOf(place, args);
    this.child = spawn(command, all, { cwd, env });
    this.child.stdin.on("error", () => {});
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.lines.push(line);
      this.child.emit("answered");
    });
    this.ended = once(this.child, "close").then(([code, signal]) => (code ?? signal) as number | string | null);
    onTestFinished(() => void this.child.kill("SIGKILL"));
  }

  write(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  async request(method: string, params: Record<string, unknown> = {}, capabilities: object = {}): Promise<Message> {
    const id = ++this.#id;
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": REVISION,
      "io.modelcontextprotocol/clientCapabilities": capabilities,
    };
    this.write(JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta } }));
    return this.answer((message) => message.id === id);
  }

  async answer(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.lines.map((line) => JSON.parse(line) as Message).find(fits);
      if (found) return found;
      await Promise.race([once(this.child, "answered"), this.ended.then(() => Promise.reject(new Error(this.stderr)))]);
    }
  }
}

const outboxOf = ({ cwd }: Place): string[] => readdirSync(join(cwd, ".abi-workflows/outbox"));

it.each(["legacy", "auto"] as const)(
  "serves a client that starts it, with the protocol version that the client speaks: %s",
  async (mode) => {
    const place = workplace();
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
    await client.connect(new StdioClientTransport({ ...parametersOf(place), stderr: "ignore" }));
    onTestFinished(() => client.close());
    expect(client.getNegotiatedProtocolVersion()).toBe(mode === "auto" ? REVISION : "2025-11-25");
    expect((await client.listTools()).tools).toHaveLength(3);
    const { structuredContent } = await client.callTool({ name: "process_customer_feedback", arguments: FEEDBACK });
    expect(structuredContent).toMatchObject({ success: true, action: "auto_respond" });
    expect(outboxOf(place)).toHaveLength(1);
  },
);

it("serves clients of the previous protocol version, with fields that the user has set", async () => {
  const client = new EarlierClient({ name: "test", version: "1" });
  const parameters = parametersOf(workplace(), ["--fixed", "customer_id=C-2"]);
  await client.connect(new EarlierStdioTransport({ ...parameters, stderr: "ignore" }));
  onTestFinished(() => client.close());
  const { tools } = await client.listTools();
  expect(Object.keys(tools[0]!.inputSchema.properties ?? {})).not.toContain("customer_id");
  const { customer_id: _, ...rest } = FEEDBACK;
  const { structuredContent } = await client.callTool({ name: "process_customer_feedback", arguments: rest });
  expect(structuredContent).toMatchObject({ customer_id: "C-2", action: "escalate" });
});

it("writes only the protocol to standard output, even if the user's workflows write there", async () => {
  const place = workplace();
  const workflows = join(place.cwd, "workflows.ts");
  const packageUrl = pathToFileURL(join(root, "src/index.ts")).href;
  writeFileSync(
    workflows,
    `import { Workflow, durable } from ${JSON.stringify(packageUrl)};
     import { z } from ${JSON.stringify(pathToFileURL(join(root, "node_modules/zod/index.js")).href)};
     console.log("loaded");
     class Noisy extends Workflow {
       name = "noisy";
       operations = [durable("make_noise", {
         description: "Noise.", input: z.object({ id: z.string() }), output: z.object({}), key: "id",
         run: async () => { console.log("running"); process.stdout.write("more\\n"); return {}; },
       })];
     }
     export const createWorkflows = ({ engine }) => [new Noisy({ engine })];`,
  );
  const client = new RawClient({ ...place, env: { ...place.env, WORKFLOWS: workflows, LOG_LEVEL: "debug" } });
  const params = { name: "make_noise", arguments: { id: "1" } };
  expect(await client.request("tools/call", params)).toMatchObject({
    result: { structuredContent: { success: true } },
  });
  client.child.stdin.end();
  expect(await client.ended).toBe(0);
  for (const line of client.lines) expect(JSON.parse(line)).toMatchObject({ jsonrpc: "2.0" });
  for (const noise of ["loaded", "running", "more", "a run has ended"]) expect(client.stderr).toContain(noise);
});

it("continues a task by its id after kill -9, and sends one email", async () => {
  const place = workplace();
  const asked = Promise.withResolvers<void>();
  let isBack = false;
  const source = createServer((_request, response) => {
    asked.resolve();
    if (isBack) response.setHeader("content-type", "application/json").end(CUSTOMER);
  });
  source.listen(0, "127.0.0.1");
  await once(source, "listening");
  onTestFinished(() => {
    source.close();
    source.closeAllConnections();
  });
  const { port } = source.address() as AddressInfo;
  const env = { ...place.env, CUSTOMER_SOURCE: `http://127.0.0.1:${port}/{id}` };
  const first = new RawClient({ ...place, env });
  const params = { name: "process_customer_feedback", arguments: FEEDBACK };
  const { result } = await first.request("tools/call", params, TASKS);
  const taskId = String(result!["taskId"]);
  await asked.promise;
  expect((await first.request("tasks/get", { taskId }, TASKS)).result).toMatchObject({ status: "working" });
  first.child.kill("SIGKILL");
  await first.ended;

  isBack = true;
  const second = new RawClient({ ...place, env });
  const task = async () => (await second.request("tasks/get", { taskId }, TASKS)).result;
  await expect.poll(task).toMatchObject({ status: "completed", result: { structuredContent: { success: true } } });
  expect(outboxOf(place)).toHaveLength(1);
});

const CUSTOMER = JSON.stringify({ id: "C-1", name: "Ann Ford", email: "ann@example.com" });

it("continues after lines that are not requests", async () => {
  const client = new RawClient(workplace());
  for (const line of ["hello", "{", "[]", "5", '{"jsonrpc":"2.0","id":"x"}', "", "\u0000"]) client.write(line);
  expect(await client.request("no/such/method")).toMatchObject({ error: { code: -32601 } });
  expect(await client.request("tools/list")).toMatchObject({ result: { tools: [{}, {}, {}] } });
  client.child.stdin.end();
  expect(await client.ended).toBe(0);
});

it("ends if a message is too large, and can be started again without losing anything", async () => {
  const place = workplace();
  const client = new RawClient(place);
  const params = { name: "process_customer_feedback", arguments: FEEDBACK };
  expect(await client.request("tools/call", params)).toMatchObject({
    result: { structuredContent: { success: true } },
  });
  client.write(`"${"x".repeat(11_000_000)}"`);
  expect(await client.ended).toBe(0);
  expect(client.stderr).toContain("an MCP message was refused");
  const again = new RawClient(place);
  expect(await again.request("tools/call", params)).toMatchObject({
    result: { structuredContent: { duplicate: true } },
  });
});

it("ends and says why if another one is already running on the folder", async () => {
  const place = workplace();
  const first = new RawClient(place);
  await first.request("tools/list");
  const { code, stdout, stderr } = await callProcess(["mcp"], place);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/in use/);
  expect(await first.request("tools/list")).toMatchObject({ result: { tools: [{}, {}, {}] } });
});

it.each(["SIGTERM", "SIGINT"] as const)("shuts down cleanly on %s", async (signal) => {
  const client = new RawClient(workplace());
  await client.request("tools/list");
  client.child.kill(signal);
  expect(await client.ended).toBe(0);
});

it("refuses invalid options and settings", async () => {
  const place = workplace();
  expect(await call(["mcp", "--fixed", "customer=C-1"], place)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no field"),
  });
  expect(
    await call(["mcp"], { ...place, env: { ...place.env, PUBLIC_URL: "https://example.org/?a=b" } }),
  ).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("PUBLIC_URL) must be an http or https URL without a query or fragment"),
  });
});

it("ends at once if there is no client", async () => {
  expect(await call(["mcp"], workplace())).toEqual({ code: 0, stdout: "", stderr: "" });
});
