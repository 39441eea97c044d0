import { AIMessage, HumanMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import type { ChatEntry } from "../src/interfaces/http/chat.ts";

/** The messages of a conversation as people see them: each call with its result. */
export function entriesOf(messages: readonly BaseMessage[]): ChatEntry[] {
  const results = new Map(
    messages.flatMap((message) => (ToolMessage.isInstance(message) ? [[message.tool_call_id, message] as const] : [])),
  );
  return messages.flatMap((message): ChatEntry[] => {
    if (HumanMessage.isInstance(message)) return [{ type: "user", text: message.text }];
    if (!AIMessage.isInstance(message)) return [];
    const calls = (message.tool_calls ?? []).map(({ id = "", name, args }): ChatEntry => {
      const result = results.get(id);
      if (!result) return { type: "call", id, name, args };
      const shown = (result.artifact as unknown) ?? result.text;
      return { type: "call", id, name, args, result: shown, failed: result.status === "error" };
    });
    return [...(message.text.trim() === "" ? [] : [{ type: "assistant" as const, text: message.text }]), ...calls];
  });
}
