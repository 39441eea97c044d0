import {
  inputRequired,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type InputRequiredResult,
  type McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { ToolProgress } from "../../framework/progress.ts";
import { failure } from "../../framework/result.ts";
import { approvalRequest, approvalUrl, approvalWords } from "./approval.ts";
import { supportsTasks, supportsUrlElicitation } from "./client.ts";
import { isProcess, type McpCaller, type McpOffer, type McpTool } from "./offer.ts";
import { requireScope, startTask } from "./tasks.ts";
import { toolResult, waitingRun } from "./tool-results.ts";

/** The name in `inputRequests` of the only request that a call makes. */
const APPROVAL = "approval";

/**
 * Adds the handler of `tools/call` for one caller. It replaces the SDK's own handler, so call this
 * after the tools are registered.
 */
export function addToolCalls(server: McpServer, offer: McpOffer, caller: McpCaller): void {
  // The SDK's handler would check every result against the tool's output schema, even the
  // announcement of a task, which can't match it.
  server.server.setRequestHandler("tools/call", ({ params }, context) => {
    const tool = offer.tools.get(params.name);
    if (!tool) {
      const known = [...offer.tools.keys()].join(", ");
      const message = `There is no tool ${JSON.stringify(params.name.slice(0, 100))}. Tools: ${known}.`;
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, message);
    }
    requireScope(caller, tool.operation.scope);
    return isProcess(tool) && supportsTasks(context)
      ? startTask(offer, tool, params.arguments ?? {}, caller).catch((error: unknown) => failed(tool, error))
      : callTool(server, offer, caller, tool, params.arguments ?? {}, context);
  });
}

function failed(tool: McpTool, error: unknown): CallToolResult {
  tool.workflow?.logUnexpected(error);
  return toolResult(tool.operation, failure({}, error));
}

async function callTool(
  server: McpServer,
  offer: McpOffer,
  caller: McpCaller,
  tool: McpTool,
  args: unknown,
  context: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const { signal, inputResponses } = context.mcpReq;
  const work = tool.call(args, caller.context, { signal });
  const outcome = await reportingProgress(work, context);
  const result = inputResponses === undefined ? outcome : ofThisCall(outcome);
  const waiting = waitingRun(result);
  if (waiting === undefined) return toolResult(tool.operation, result);
  const url = approvalUrl(offer, waiting);
  // The client is asked only once. Its answer is not the decision, which is read from the run.
  if (url !== undefined && inputResponses === undefined && supportsUrlElicitation(server, context)) {
    return inputRequired({ inputRequests: { [APPROVAL]: approvalRequest(url) } });
  }
  return toolResult(tool.operation, result, [approvalWords(url)]);
}

/** A client that was asked something repeats its call with the answer. That is not a duplicate. */
function ofThisCall(result: object): object {
  const { duplicate: _, ...rest } = result as { duplicate?: true };
  return rest;
}

/** Reports each step to the client, if the client has asked for progress. */
async function reportingProgress(
  work: AsyncGenerator<ToolProgress, object>,
  { mcpReq }: ServerContext,
): Promise<object> {
  const progressToken = mcpReq._meta?.progressToken;
  let progress = 0;
  try {
    for (;;) {
      const { done, value } = await work.next();
      if (done) return value;
      if (progressToken === undefined) continue;
      progress += 1;
      const message = `${value.step}: ${value.phase}`;
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, message } });
    }
  } finally {
    // If the client can't be reached, stop listening to the run.
    await work.return({});
  }
}
