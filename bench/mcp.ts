// How much more a tool call costs over MCP than as a LangChain tool in the same program: over HTTP
// and over standard input and output. A tool that does nothing, on a server of the MCP SDK, shows
// how much of that is due to the protocol and HTTP.
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createAdaptorServer } from "@hono/node-server";
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { openApplication, readSettings } from "../src/index.ts";
import { mcpHandler } from "../src/mcp.ts";
import type { Bench } from "./support/bench.ts";
import { feedback, feedbackText, writeCustomers } from "./support/feedback.ts";
import { figure, quantile, table } from "./support/measure.ts";

export const about = "a tool call over MCP against the same call as a LangChain tool";

const WARM_UP = 50;
const TOOLS = { process: "process_customer_feedback", sentiment: "analyze_feedback_sentiment" };

type Call = (tool: string, args: Record<string, unknown>) => Promise<unknown>;

export async function run(bench: Bench): Promise<void> {
  const calls = bench.options.items ?? 200;
  const folder = mkdtempSync(join(bench.folder, "mcp-"));
  const settings = {
    dataDirectory: join(folder, "data"),
    customerSource: writeCustomers(folder),
    responseCap: 1_000_000,
  };
  const application = await openApplication(readSettings(settings, {}));
  await application.customerDataPipeline.loadAll();
  const mcp = mcpHandler(application.service);
  const http = await serve((request) => mcp(request, { scopes: ["feedback:read", "feedback:write"] }));
  const bare = await serve(emptyToolServer());
  const clients = {
    "over HTTP": await connect(new StreamableHTTPClientTransport(http.url), "2026-07-28"),
    "over HTTP, protocol 2025-11-25": await connect(new StreamableHTTPClientTransport(http.url)),
    "over standard input and output": await connect(command(folder, settings.customerSource), "2026-07-28"),
  };
  const bareClient = await connect(new StreamableHTTPClientTransport(bare.url), "2026-07-28");
  const tools = new Map(application.workflow.as_tools().map((tool) => [tool.name, tool]));
  const ways: [way: string, call: Call][] = [
    ["as a LangChain tool", (tool, args) => tools.get(tool)!.invoke(args)],
    ...Object.entries(clients).map(([way, client]): [string, Call] => [
      way,
      (name, args) => client.callTool({ name, arguments: args }),
    ]),
    [
      "a tool that does nothing, on a server of the SDK, over HTTP",
      (_, args) => bareClient.callTool({ name: "nothing", arguments: args }),
    ],
  ];
  const rows: string[][] = [];
  for (const [what, tool] of Object.entries(TOOLS)) {
    const times = new Map(ways.map(([way]) => [way, [] as number[]]));
    let n = 0;
    for (let round = -WARM_UP; round < calls; round++) {
      for (const [way, call] of ways) {
        n += 1;
        const args = tool === TOOLS.process ? feedback(n) : { text: `${feedbackText(n)} (${n})` };
        const begin = performance.now();
        await call(tool, args);
        if (round >= 0) times.get(way)!.push(performance.now() - begin);
      }
    }
    const base = quantile(times.get(ways[0]![0])!);
    for (const [way, all] of times) {
      rows.push([what, way, figure(quantile(all)), figure(quantile(all, 0.99)), figure(quantile(all) - base)]);
    }
  }
  await Promise.all([...Object.values(clients), bareClient].map((client) => client.close()));
  await Promise.all([http.close(), bare.close()]);
  await application.close();
  console.log(`\n${table(["call", "way", "p50 ms", "p99 ms", "ms more at p50"], rows, 2)}`);
}

function emptyToolServer(): (request: Request) => Promise<Response> {
  const { fetch: answer } = createMcpHandler(() => {
    const server = new McpServer({ name: "bare", version: "1" });
    server.registerTool("nothing", { inputSchema: z.looseObject({}) }, () => ({ content: [] }));
    return server;
  });
  return (request) => answer(request);
}

async function serve(
  answer: (request: Request) => Promise<Response>,
): Promise<{ url: URL; close: () => Promise<void> }> {
  const server = createAdaptorServer({ fetch: answer }) as Server;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`), close };
}

/** The command in a separate process with its own data directory. */
function command(folder: string, customerSource: string): Transport {
  const bin = join(import.meta.dirname, "../bin/abi-workflows.js");
  const env = { PATH: process.env["PATH"] ?? "", CUSTOMER_SOURCE: customerSource, RESPONSE_CAP: "1000000" };
  return new StdioClientTransport({
    command: process.execPath,
    args: [bin, "--data", join(folder, "other"), "mcp"],
    env,
  });
}

async function connect(transport: Transport, revision?: string): Promise<Client> {
  const mode = revision === undefined ? "legacy" : { pin: revision };
  const client = new Client({ name: "bench", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  await client.listTools();
  return client;
}
