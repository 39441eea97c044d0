import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { expect, it, onTestFinished } from "vitest";
import { reply, startOpenAiServer, toolCall } from "../support/openai-server.ts";
import { codeBlocks, createProject, filesOf, root, runNode, startNode } from "./documents.ts";

interface Configuration {
  mcpServers: Record<string, { command: string; args: string[]; env: Record<string, string> }>;
}

/** The command that a document configures for a desktop client. */
const configured = (path: string): Configuration["mcpServers"][string] => {
  const block = codeBlocks(path).find(({ language, code }) => language === "json" && code.includes("mcpServers"));
  return (JSON.parse(block!.code) as Configuration).mcpServers["customer-feedback"]!;
};

it.each(["README.md", "docs/mcp.md"])(
  "the configuration for a desktop client in %s starts a working server",
  async (path) => {
    const { command, args, env } = configured(path);
    const [yes, name, ...own] = args;
    expect([command, yes, name]).toEqual(["npx", "-y", "abi-workflows"]);
    const cwd = createProject({});
    mkdirSync(join(cwd, "elsewhere"));
    const here = (text: string): string => text.replace("/home/ann", cwd);
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [join(root, "bin/abi-workflows.js"), ...own.map(here)],
      env: {
        ...Object.fromEntries(Object.entries(env).map(([key, value]) => [key, here(value)])),
        PATH: process.env["PATH"]!,
      },
      cwd: join(cwd, "elsewhere"),
      stderr: "ignore",
    });
    const client = new Client({ name: "test", version: "1" });
    await client.connect(transport);
    onTestFinished(() => client.close());
    const call = { feedback_id: "F-1", customer_id: "C-1001", subject: "Search", feedback_text: "I love it!" };
    expect(await client.callTool({ name: "process_customer_feedback", arguments: call })).toMatchObject({
      structuredContent: { success: true },
    });
  },
);

it("the page's server and agent work together", async () => {
  const cwd = createProject(filesOf("docs/mcp.md"));
  const model = await startOpenAiServer([
    toolCall("process_customer_feedback", {
      feedback_id: "F-1",
      customer_id: "C-1001",
      subject: "Search",
      feedback_text: "I love the new search!",
    }),
    ({ messages }) => reply(JSON.stringify(messages.at(-1)).includes("auto_respond") ? "Thanked." : "Failed."),
  ]);
  onTestFinished(() => model.close());
  const env = { MCP_TOKEN: "secret", OPENAI_API_KEY: "test", OPENAI_BASE_URL: model.url };
  const server = startNode(["mcp-server.ts"], { cwd, env: { ...env, PORT: "0" } });
  const [url] = (await once(createInterface({ input: server.stdout! }), "line")) as [string];
  expect((await fetch(url, { method: "POST" })).status).toBe(401);
  const { code, stdout, stderr } = await runNode(["mcp-agent.ts"], { cwd, env: { ...env, MCP_URL: url } });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "Thanked.\n", stderr: "" });
  server.kill("SIGTERM");
  expect(await once(server, "close")).toEqual([0, null]);
});
