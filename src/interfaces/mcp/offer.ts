/**
 * What a service offers over MCP. It is computed once, because over HTTP every request gets its own
 * server object.
 */
import { fromJsonSchema, type ToolAnnotations, type StandardSchemaWithJSON } from "@modelcontextprotocol/server";
import { ValidationError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import type { DurableOperation, Operation, Scope } from "../../framework/operation.ts";
import type { Service } from "../../framework/service.ts";
import type { Workflow } from "../../framework/workflow.ts";
import type { ToolOptions } from "../model-calls/fixed-fields.ts";
import { serviceToolsOf, type ServiceTool } from "../model-calls/model-call.ts";
import type { JsonSchema } from "../model-calls/tool-schema.ts";
import { promptArguments, type PromptArguments } from "./prompt-arguments.ts";
import { inputSchemaOf, outputSchemaOf } from "./tool-schemas.ts";

/** Options of an MCP server. */
export interface McpOptions extends ToolOptions {
  /**
   * Base URL of the console, such as `https://feedback.example.org`. A person who has to approve
   * something is sent to `<consoleUrl>/approvals/<workflow_id>`. Without it, results only say that
   * someone has to approve.
   */
  consoleUrl?: string;
}

/** Who is calling. Your program finds that out. */
export interface McpCaller {
  /**
   * What the caller may do: each tool needs the scope of its operation; resources need
   * `feedback:read`.
   */
  readonly scopes: readonly Scope[];
  /** The values of the fields in `fromContext`. */
  readonly context?: Readonly<Record<string, Json>>;
}

/** A tool as clients see it. */
export interface McpTool extends ServiceTool {
  readonly title: string;
  readonly inputSchema: JsonSchema;
  readonly listed: {
    readonly title: string;
    readonly description: string;
    readonly inputSchema: StandardSchemaWithJSON;
    readonly outputSchema: StandardSchemaWithJSON;
    readonly annotations: ToolAnnotations;
  };
}

/** The tool for the durable operation of a workflow. */
export interface ProcessTool extends McpTool {
  readonly operation: DurableOperation;
  readonly workflow: Workflow;
}

/** What a service offers; see the head of this file. */
export interface McpOffer {
  readonly service: Service;
  /** By name. */
  readonly tools: ReadonlyMap<string, McpTool>;
  /** The tools that start runs, by the name of the workflow. */
  readonly processes: ReadonlyMap<string, ProcessTool>;
  /** By the name of the workflow. */
  readonly prompts: ReadonlyMap<string, PromptArguments>;
  /** Without a slash at its end. */
  readonly consoleUrl: string | undefined;
}

/** @throws ValidationError (`invalid_configuration`) */
export function offerOf(service: Service, { consoleUrl, ...toolOptions }: McpOptions): McpOffer {
  const tools = serviceToolsOf(service, toolOptions).map(mcpTool);
  const processes = tools.filter(isProcess);
  return {
    service,
    tools: new Map(tools.map((tool) => [tool.operation.name, tool])),
    processes: new Map(processes.map((tool) => [tool.workflow.name, tool])),
    prompts: new Map(
      processes.map(({ workflow, operation, inputSchema }) => [
        workflow.name,
        promptArguments(inputSchema, operation.key),
      ]),
    ),
    consoleUrl: consoleUrl === undefined ? undefined : webAddress(consoleUrl),
  };
}

export const isProcess = (tool: McpTool): tool is ProcessTool =>
  tool.operation.kind === "durable" && tool.workflow !== undefined;

/** Turns `process_customer_feedback` into `Process customer feedback`. */
export const titleOf = (name: string): string => {
  const words = name.replaceAll(/[_-]+/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function mcpTool(tool: ServiceTool): McpTool {
  const { operation, schema } = tool;
  const title = titleOf(operation.name);
  const inputSchema = inputSchemaOf(schema);
  return {
    ...tool,
    title,
    inputSchema,
    listed: {
      title,
      description: operation.description,
      inputSchema: shownOnly(inputSchema),
      outputSchema: shownOnly(outputSchemaOf(operation)),
      annotations: annotationsOf(operation),
    },
  };
}

/**
 * A schema that clients see, but that checks nothing here. The operation itself checks the
 * arguments, because a model can act on its messages.
 */
const shownOnly = (schema: JsonSchema): StandardSchemaWithJSON =>
  fromJsonSchema(schema, {
    getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
  });

const annotationsOf = (operation: Operation): ToolAnnotations =>
  operation.kind === "durable"
    ? { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true }
    : { readOnlyHint: !operation.writes, openWorldHint: operation.writes };

function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    const message =
      "consoleUrl (PUBLIC_URL) must be an http or https URL without a query or fragment, such as https://example.org.";
    throw new ValidationError(message, { code: "invalid_configuration" });
  }
  return url.href.replace(/\/+$/, "");
}
