/**
 * Agents: a chat model with the tools of a workflow, guard rails, and a memory.
 * @module abi-workflows/agents
 */
import "../src/runtime/node-version.ts";
export { createChatModel } from "./chat-model.ts";
export { DEFAULT_MODEL, type ChatModelSettings } from "../src/chat-completions/open-chat-model.ts";
export { openChat, type ChatSettings } from "./chat-service.ts";
export {
  createFeedbackAgent,
  type FeedbackAgent,
  type FeedbackAgentOptions,
  type MailApprovals,
} from "./feedback-agent.ts";
export type { MailDecision, MailReviewRequest, ReviewedMail } from "./approval/mail-review.ts";
export { LONGEST_MESSAGE, type AgentAnswer, type AskOptions, type ToolCallEnd, type ToolCallStart } from "./ask.ts";
export { DEFAULT_LIMITS, type AgentLimits } from "./limits.ts";
export { SqliteCheckpointSaver } from "./memory/sqlite-checkpoint-saver.ts";
export { OfflineChatModel } from "./offline-chat-model/offline-chat-model.ts";
export { SYSTEM_PROMPT } from "./system-prompt.ts";
