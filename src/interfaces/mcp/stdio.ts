import type { Readable, Writable } from "node:stream";
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import type { Service } from "../../framework/service.ts";
import { mcpServer } from "./create-mcp-server.ts";
import { logRefusalsTo } from "./message-log.ts";
import { offerOf, type McpOptions } from "./offer.ts";

/** A service over standard input and output. */
export interface McpConnection {
  /** Resolves when the client has disconnected, or after `close`. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/**
 * Serves one MCP client over a pair of streams, until the client closes its end.
 * @throws ValidationError (`invalid_configuration`) for invalid options
 */
export function serveMcpOverStdio(
  service: Service,
  { input, output, ...options }: McpOptions & { input: Readable; output: Writable },
): McpConnection {
  const offer = offerOf(service, options);
  const transport = new ClosingTransport(input, output);
  serveStdio(() => mcpServer(offer), { transport, onerror: logRefusalsTo(service.logger, "warn") });
  return { closed: transport.closed, close: () => transport.close() };
}

/**
 * Reports when it has closed: because the client has gone, because a message is longer than it can
 * hold (10 MiB), or because it was asked to close.
 */
class ClosingTransport extends StdioServerTransport {
  readonly #ended = Promise.withResolvers<void>();

  get closed(): Promise<void> {
    return this.#ended.promise;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#ended.resolve();
  }
}
