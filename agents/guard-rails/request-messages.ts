import { AIMessage, HumanMessage, type BaseMessage } from "@langchain/core/messages";

/** The messages that came after what the user said last: what the agent has done so far for the request at hand. */
export const messagesSinceRequest = (messages: readonly BaseMessage[]): BaseMessage[] =>
  messages.slice(messages.findLastIndex((message) => HumanMessage.isInstance(message)) + 1);

export const aiMessages = (messages: readonly BaseMessage[]): AIMessage[] =>
  messages.filter((message) => AIMessage.isInstance(message));
