import { createMcpHandler } from "@modelcontextprotocol/server";
import type { Service } from "../../framework/service.ts";
import { mcpServer } from "./create-mcp-server.ts";
import { logRefusalsTo } from "./message-log.ts";
import { offerOf, type McpCaller, type McpOptions } from "./offer.ts";

/**
 * Answers one HTTP request of an MCP client. `caller` is what your program knows about the sender.
 */
export interface McpHandler {
  (request: Request, caller: McpCaller): Promise<Response>;
  /** Ends requests in progress. Runs that have started continue. */
  close(): Promise<void>;
}

/** Several times the longest feedback, but small enough to read into memory. Bytes. */
const MAXIMUM_BODY = 1_000_000;

/**
 * The service over MCP's streamable HTTP, to be mounted for all methods of one path, such as
 * `/mcp`. It has no sessions, so any process that shares the database can answer any request. It
 * doesn't find out who is calling: check the token, `Host` and `Origin` first, and pass the scopes
 * of the token. A call is refused if the caller lacks the scope of the tool.
 * @throws ValidationError (`invalid_configuration`) for invalid options
 * @example
 * const mcp = mcpHandler(application.service, { consoleUrl: "https://feedback.example.org" });
 * app.all("/mcp", ({ req }) => mcp(req.raw, { scopes: ["feedback:read", "feedback:write"] }));
 */
export function mcpHandler(service: Service, options: McpOptions = {}): McpHandler {
  const offer = offerOf(service, options);
  const handler = createMcpHandler(({ authInfo }) => mcpServer(offer, authInfo?.extra?.["caller"] as McpCaller), {
    maxRequestBodySize: MAXIMUM_BODY,
    onerror: logRefusalsTo(service.logger, "debug"),
  });
  const answer = (request: Request, caller: McpCaller): Promise<Response> =>
    handler.fetch(request, {
      authInfo: { token: "", clientId: "", scopes: [...caller.scopes], extra: { caller } },
    });
  return Object.assign(answer, { close: () => handler.close() });
}
