import { AIMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import { createMiddleware, type AgentMiddleware } from "langchain";

/**
 * If a request is aborted between a tool call and its result, the call stays unanswered in the
 * conversation, and model services refuse every later request on that thread. So the model gets a
 * result that says what happened.
 */
export const interruptedCalls: AgentMiddleware = createMiddleware({
  name: "InterruptedCalls",
  wrapModelCall: (request, handler) => handler({ ...request, messages: withAllResults(request.messages) }),
});

function withAllResults(messages: readonly BaseMessage[]): BaseMessage[] {
  const answered = new Set(messages.filter((message) => ToolMessage.isInstance(message)).map((m) => m.tool_call_id));
  return messages.flatMap((message) => {
    if (!AIMessage.isInstance(message)) return [message];
    const open = (message.tool_calls ?? []).filter(({ id }) => id === undefined || !answered.has(id));
    return [
      message,
      ...open.map(
        ({ id = "", name }) =>
          new ToolMessage({
            content: "This call was interrupted before its result arrived; it may or may not have been carried out.",
            tool_call_id: id,
            name,
            status: "error",
          }),
      ),
    ];
  });
}
