import { readFile } from "node:fs/promises";
import {
  ResourceNotFoundError,
  ResourceTemplate,
  type McpServer,
  type ReadResourceResult,
} from "@modelcontextprotocol/server";
import { shapesUrl, vocabularyUrl } from "../../ontology/vocabulary.ts";
import { tidyIdentifier } from "../../tidy-identifier.ts";
import { titleOf, type McpCaller, type McpOffer, type ProcessTool } from "./offer.ts";
import { belongsToCaller, protocolError, requireScope } from "./tasks.ts";

const READ = "feedback:read";

/**
 * Adds what clients can read: the record of each run by its key, and the graph's vocabulary and
 * shapes.
 */
export function addResources(server: McpServer, offer: McpOffer, caller: McpCaller): void {
  for (const tool of offer.processes.values()) {
    const { workflow, operation } = tool;
    server.registerResource(
      workflow.name,
      new ResourceTemplate(`abi://${workflow.name}/{${operation.key}}`, { list: undefined }),
      {
        title: titleOf(workflow.name),
        description: `What is known about one ${operation.key}: the status of its run, and what it has found.`,
        mimeType: "application/json",
      },
      async ({ href }, variables) => {
        requireScope(caller, READ);
        const key = decoded(String(variables[operation.key]));
        return recordContents(href, await recordOf(offer, caller, tool, href, key));
      },
    );
  }
  addTurtle(server, caller, "vocabulary", "The classes and properties of the knowledge graph.", vocabularyUrl);
  addTurtle(server, caller, "shapes", "SHACL shapes: what must hold for everything in the knowledge graph.", shapesUrl);
}

function addTurtle(server: McpServer, caller: McpCaller, name: string, description: string, file: URL): void {
  const uri = `abi://${name}`;
  const mimeType = "text/turtle";
  server.registerResource(name, uri, { title: titleOf(name), description, mimeType }, async () => {
    requireScope(caller, READ);
    return { contents: [{ uri, mimeType, text: await readFile(file, "utf8") }] };
  });
}

/** The URI of the record with this key. */
export const recordUri = ({ workflow }: ProcessTool, key: string): string =>
  `abi://${workflow.name}/${encodeURIComponent(key)}`;

export const recordContents = (uri: string, record: object): ReadResourceResult => ({
  contents: [{ uri, mimeType: "application/json", text: JSON.stringify(record) }],
});

/**
 * The record of a run, as `GET /workflows/<name>/{key}` shows it, if the caller may see it.
 * @param uri of the record, for the error
 * @param given the key as the client wrote it
 * @throws ResourceNotFoundError, ProtocolError
 */
export async function recordOf(
  offer: McpOffer,
  { context }: McpCaller,
  tool: ProcessTool,
  uri: string,
  given: string,
): Promise<object> {
  const { workflow, operation } = tool;
  try {
    const key = tidyIdentifier(given);
    const run = await offer.service.engine.find(workflow.name, key);
    if (run && belongsToCaller(run, tool, context)) return { [operation.key]: key, ...(await workflow.view(key)) };
  } catch (error) {
    throw protocolError(offer, error);
  }
  throw new ResourceNotFoundError(uri, `Nothing is known about this ${operation.key}.`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
