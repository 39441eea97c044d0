import { ToolMessage } from "@langchain/core/messages";
import { createMiddleware, ToolInvocationError, type AgentMiddleware } from "langchain";
import { isAbiError } from "../../src/errors.ts";
import { describeCause, type Logger } from "../../src/log.ts";

/**
 * The model never sees an error as it was thrown. For invalid arguments, it learns what to repair.
 * For our own errors, it gets their message, which is written for people. For everything else, it
 * gets a neutral sentence, and the cause goes to the log.
 */
export function toolErrors(logger: Logger): AgentMiddleware {
  return createMiddleware({
    name: "ToolErrors",
    wrapToolCall: async (request, handler) => {
      const { id = "", name } = request.toolCall;
      try {
        return await handler(request);
      } catch (error) {
        if (request.runtime.signal?.aborted === true || isInterrupt(error)) throw error;
        const content = explain(error, name);
        if (!ToolInvocationError.isInstance(error))
          logger.error({ cause: describeCause(error), tool: name }, "a tool failed");
        return new ToolMessage({ content, tool_call_id: id, name, status: "error" });
      }
    },
  });
}

function explain(error: unknown, tool: string): string {
  if (ToolInvocationError.isInstance(error)) {
    // The first paragraph says that the input does not fit; the rest says which field, and why.
    const [, ...details] = error.toolError.message.split("\n\n");
    return `The arguments of ${tool} do not fit its schema. Correct them and call it again.\n${details.join("\n")}`.trim();
  }
  if (isAbiError(error) && error.type !== "unexpected_error") {
    return `${error.message}${error.retriable ? " It may succeed if it is tried once more later." : ""}`;
  }
  return "The tool failed unexpectedly. Call it again at most once, and tell the user that it failed.";
}

/** LangGraph pauses a run by throwing an exception, which must not be caught. */
const isInterrupt = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "is_bubble_up" in error && error.is_bubble_up === true;
