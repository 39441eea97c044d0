import { AIMessage, ToolMessage } from "@langchain/core/messages";
import { createMiddleware, type AgentMiddleware } from "langchain";
import { REQUEST_LIMIT, type AgentLimits } from "../limits.ts";
import { aiMessages, messagesSinceRequest } from "./request-messages.ts";

/**
 * Keeps a request within its limits. It counts messages of the conversation and has no counters of
 * its own, so an aborted request doesn't count against the next one.
 */
export function requestLimits({ modelCalls, toolCalls }: Required<AgentLimits>): AgentMiddleware {
  return createMiddleware({
    name: "RequestLimits",
    beforeModel: {
      canJumpTo: ["end"],
      hook: ({ messages }) => {
        if (aiMessages(messagesSinceRequest(messages)).length < modelCalls) return undefined;
        const content =
          `I stopped here: this request took ${modelCalls} rounds, which is the limit, and it is not finished. ` +
          "What has been done stays done. Tell me to continue, or ask for less at a time.";
        return {
          jumpTo: "end",
          messages: [new AIMessage({ content, response_metadata: { finish_reason: REQUEST_LIMIT } })],
        };
      },
    },
    wrapToolCall: async (request, handler) => {
      const { id = "", name } = request.toolCall;
      const calls = aiMessages(messagesSinceRequest(request.state.messages)).flatMap(
        (message) => message.tool_calls ?? [],
      );
      if (calls.findIndex((call) => call.id === id) < toolCalls) return handler(request);
      return new ToolMessage({
        content:
          `Not done: the limit of ${toolCalls} tool calls for one request is reached. Call no more tools; ` +
          "say what was done, what was not, and that the user can ask for the rest.",
        tool_call_id: id,
        name,
        status: "error",
      });
    },
  });
}
