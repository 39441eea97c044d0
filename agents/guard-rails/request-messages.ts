import { AIMessage, HumanMessage, type BaseMessage } from "@langchain/core/messages";

/**
 * The messages after the user's last one, which show what the agent has done so far for the current
 * request.
 */
export const messagesSinceRequest = (messages: readonly BaseMessage[]): BaseMessage[] =>
  messages.slice(messages.findLastIndex((message) => HumanMessage.isInstance(message)) + 1);

export const aiMessages = (messages: readonly BaseMessage[]): AIMessage[] =>
  messages.filter((message) => AIMessage.isInstance(message));
