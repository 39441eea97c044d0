/**
 * The MCP server, over HTTP or standard input and output.
 * @module abi-workflows/mcp
 */
import "./runtime/node-version.ts";

export { createMcpServer } from "./faces/mcp/create-mcp-server.ts";
export { mcpHandler, type McpHandler } from "./faces/mcp/mcp-handler.ts";
export { serveMcpOverStdio, type McpConnection } from "./faces/mcp/stdio.ts";
export type { McpCaller, McpOptions } from "./faces/mcp/offer.ts";
