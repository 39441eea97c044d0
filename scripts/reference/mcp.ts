import { Client, InMemoryTransport, type Tool } from "@modelcontextprotocol/client";
import { createMcpServer } from "../../src/interfaces/mcp/create-mcp-server.ts";
import type { Service } from "../../src/framework/service.ts";
import { cell, code, page, table } from "./markdown.ts";

/** The page about MCP, generated from what a client receives. */
export async function mcpPage(service: Service): Promise<string> {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  const server = createMcpServer(service);
  await server.connect(ours);
  const client = new Client({ name: "reference", version: "1" });
  await client.connect(theirs);
  const { tools } = await client.listTools();
  const { resources } = await client.listResources();
  const { resourceTemplates } = await client.listResourceTemplates();
  const { prompts } = await client.listPrompts();
  await client.close();
  return page(
    "MCP",
    "What `abi-workflows mcp` and `/mcp` offer to MCP clients, for the customer feedback workflow with " +
      "`GRAPH_TOOLS=query`. To connect a client, see [MCP](../mcp.md).",
    "## Tools",
    ...tools.map(toolSection),
    "## Resources",
    table(
      ["Resource", "Meaning"],
      [
        ...resources.map(({ uri, description = "" }) => [code(uri), cell(description)]),
        ...resourceTemplates.map(({ uriTemplate, description = "" }) => [code(uriTemplate), cell(description)]),
      ],
    ),
    "## Prompts",
    table(
      ["Prompt", "Arguments", "Meaning"],
      prompts.map(({ name, arguments: args = [], description = "" }) => [
        code(name),
        args.map((one) => code(one.required ? one.name : `${one.name}?`)).join(", "),
        cell(description),
      ]),
    ),
  );
}

interface Property {
  type?: string | string[];
  enum?: (string | number | null)[];
  anyOf?: Property[];
  items?: Property;
  description?: string;
}

function toolSection({ name, description = "", inputSchema, annotations }: Tool): string {
  const properties = Object.entries((inputSchema.properties ?? {}) as Record<string, Property>);
  const required = new Set(inputSchema.required);
  const rows = properties.map(([field, property]) => [
    code(required.has(field) ? field : `${field}?`),
    cell(typeOf(property)),
    cell(property.description ?? ""),
  ]);
  return [
    `### ${code(name)}`,
    description,
    annotations?.readOnlyHint === true ? "Only reads." : "Stores data and may send mail.",
    table(["Argument", "Type", "Meaning"], rows),
  ].join("\n\n");
}

function typeOf({ type, enum: values, anyOf, items }: Property): string {
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(" or ");
  const [kinds, named] = [[type ?? "any"].flat(), values?.filter((value) => value !== null)];
  const others = kinds.filter((kind) => kind !== "null");
  const shown = named
    ? named.map((value) => code(String(value))).join(", ")
    : others.map((kind) => (kind === "array" && items ? `list of ${typeOf(items)}` : kind)).join(" or ");
  return kinds.includes("null") ? `${shown} or null` : shown;
}
