import { createMcpHandler } from "@modelcontextprotocol/server";
import type { Service } from "../../workflow/service.ts";
import { mcpServer } from "./create-mcp-server.ts";
import { logRefusalsTo } from "./message-log.ts";
import { offerOf, type McpCaller, type McpOptions } from "./offer.ts";

/** Answers one request of an MCP client over HTTP; `caller` is what the program around it knows about who sends it. */
export interface McpHandler {
  (request: Request, caller: McpCaller): Promise<Response>;
  /** Ends what is still being answered. Runs that were started go on. */
  close(): Promise<void>;
}

/** Larger than any valid call, so small that it costs nothing to refuse. Bytes. */
const MAXIMUM_BODY = 1_000_000;

/**
 * The service over MCP's streamable HTTP, to be mounted for all methods of one path, such as `/mcp`. It keeps no sessions, so that any
 * process that shares the database can answer any request. What it does not do is find out who calls: check the token, `Host` and
 * `Origin` before it, and hand over what the token allows. A tool whose scope the caller lacks is refused.
 * @throws ValidationError (`invalid_configuration`) for options that can't be used
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
