/** Real MCP clients for both protocol versions, and a server for them. */
import type { Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { Client, StreamableHTTPClientTransport, type ClientCapabilities } from "@modelcontextprotocol/client";
import {
  createTaskSessionFromClient,
  type TaskEnabledSession,
  type WithTasksOptions,
} from "@modelcontextprotocol/ext-tasks/client";
import { Client as EarlierClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as EarlierHttpTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { onTestFinished } from "vitest";
import { mcpHandler, type McpCaller, type McpHandler, type McpOptions } from "../../src/mcp.ts";
import type { WorkflowEngine } from "../../src/engine/engine.ts";
import { Service, type ServiceParts } from "../../src/framework/service.ts";
import { startFeedback, type Feedback } from "./feedback.ts";

export const REVISION = "2026-07-28";
export const CONSOLE = "https://console.example.org";
export const WORKING: McpCaller = { scopes: ["feedback:read", "feedback:write"] };

export interface McpFeedback extends Feedback {
  service: Service;
  /** URL of the endpoint. */
  url: URL;
  handler: McpHandler;
}

/** Customer feedback behind MCP over HTTP, on a real server. */
export async function startMcp(
  options: McpOptions = {},
  {
    configuration = {},
    surroundings = {},
    caller = WORKING,
    more = () => ({}),
  }: {
    configuration?: Parameters<typeof startFeedback>[0];
    surroundings?: Parameters<typeof startFeedback>[1];
    caller?: McpCaller | (() => McpCaller);
    /** What the service offers besides customer feedback. */
    more?: (engine: WorkflowEngine) => Partial<ServiceParts>;
  } = {},
): Promise<McpFeedback> {
  const parts = await startFeedback(configuration, surroundings);
  const { engine, workflow } = parts;
  const { workflows = [], ...others } = more(engine);
  const service = new Service({ engine, ...others, workflows: [workflow, ...workflows] });
  engine.startWorker();
  const handler = mcpHandler(service, options);
  const url = await listen((request) => handler(request, typeof caller === "function" ? caller() : caller));
  return { ...parts, service, handler, url };
}

/** Answers requests to a free port of the loopback interface until the test ends. */
export async function listen(fetch: (request: Request) => Promise<Response>): Promise<URL> {
  const server = createAdaptorServer({ fetch }) as Server;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
}

/** A client for the current protocol version. */
export async function connect(url: URL, capabilities: ClientCapabilities = {}): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1" },
    { capabilities, versionNegotiation: { mode: { pin: REVISION } } },
  );
  await client.connect(new StreamableHTTPClientTransport(url));
  onTestFinished(() => client.close());
  return client;
}

/** A client for the previous protocol version, like those of Claude Desktop and LangChain's adapters. */
export async function connectEarlier(url: URL): Promise<EarlierClient> {
  const client = new EarlierClient({ name: "test", version: "1" });
  await client.connect(new EarlierHttpTransport(url));
  onTestFinished(() => client.close());
  return client;
}

/** Sends one raw request that states the client's capabilities. */
export async function send(
  url: URL,
  method: string,
  params: Record<string, unknown> = {},
  capabilities: ClientCapabilities = {},
): Promise<{ status: number; result?: Record<string, unknown>; error?: { code: number; message: string } }> {
  const { name, uri, taskId } = params as Record<string, string | undefined>;
  const routed = name ?? uri ?? taskId;
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  };
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": REVISION,
      "mcp-method": method,
      ...(routed !== undefined && { "mcp-name": routed }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }),
  });
  return { status: response.status, ...((await response.json()) as object) };
}

export const TASKS: ClientCapabilities = { extensions: { "io.modelcontextprotocol/tasks": {} } };
export const LINKS: ClientCapabilities = { elicitation: { url: {} } };

/** A session of the Tasks extension's own package, on a client for the current protocol version. */
export async function taskSession(
  url: URL,
  capabilities: ClientCapabilities,
  onInputRequest?: WithTasksOptions["onInputRequest"],
): Promise<TaskEnabledSession> {
  const client = await connect(url, capabilities);
  const session = createTaskSessionFromClient(client, {
    endpointId: url.href,
    v2RequestFraming: {
      protocolVersion: REVISION,
      clientInfo: { name: "test", version: "1" },
      clientCapabilities: capabilities as never,
    },
    rawDispatch: async (request) => {
      const { method, params } = request as { method: string; params: Record<string, unknown> };
      const { result, error } = await send(url, method, params, capabilities);
      return error ? { kind: "error", error } : { kind: "result", result: result as never };
    },
    ...(onInputRequest && { onInputRequest }),
  });
  onTestFinished(() => session.close());
  return session;
}
