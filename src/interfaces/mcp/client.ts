/** What the client of a request can do. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  type ClientCapabilities,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";

/** https://modelcontextprotocol.github.io/ext-tasks/specification/2026-07-28/tasks */
export const TASKS = "io.modelcontextprotocol/tasks";

/** What the client declares in the request, as clients do since protocol 2026-07-28. */
function declared({ mcpReq }: ServerContext): ClientCapabilities | undefined {
  const envelope: { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities } | undefined = mcpReq.envelope;
  return envelope?.[CLIENT_CAPABILITIES_META_KEY];
}

/**
 * What the client declares. Older clients declare it once for each connection, so it is undefined
 * for a request without a connection.
 */
const capabilitiesOf = (server: McpServer, context: ServerContext): ClientCapabilities | undefined =>
  context.mcpReq.envelope ? declared(context) : server.server.getClientCapabilities();

/** Whether the client can ask its user to open a link (URL-mode elicitation). */
export const supportsUrlElicitation = (server: McpServer, context: ServerContext): boolean =>
  capabilitiesOf(server, context)?.elicitation?.url !== undefined;

export const supportsTasks = (context: ServerContext): boolean => declared(context)?.extensions?.[TASKS] !== undefined;

/** @throws MissingRequiredClientCapabilityError */
export function requireTasks(context: ServerContext): void {
  if (!supportsTasks(context)) {
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } });
  }
}
