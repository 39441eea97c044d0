/** How much one request of a user may cost. */
export interface AgentLimits {
  /** Calls of the chat model, default 12. Beyond it the agent ends with a message that says so. */
  modelCalls?: number;
  /** Calls of tools, default 8. Further calls are not made, and the model is told. */
  toolCalls?: number;
}

/** The finish reason of the message with which a request ends at its limit. */
export const REQUEST_LIMIT = "request_limit";

/** Enough for several pieces of feedback in one request. */
export const DEFAULT_LIMITS = { modelCalls: 12, toolCalls: 8 } as const satisfies AgentLimits;
