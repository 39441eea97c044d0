/**
 * The MCP server, over HTTP or standard input and output.
 * @module abi-workflows/mcp
 */
import "./runtime/node-version.ts";

export { createMcpServer } from "./interfaces/mcp/create-mcp-server.ts";
export { mcpHandler, type McpHandler } from "./interfaces/mcp/mcp-handler.ts";
export { serveMcpOverStdio, type McpConnection } from "./interfaces/mcp/stdio.ts";
export type { McpCaller, McpOptions } from "./interfaces/mcp/offer.ts";
