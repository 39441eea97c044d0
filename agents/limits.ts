/** Limits for one request of a user. */
export interface AgentLimits {
  /**
   * Maximum number of calls of the chat model, default 12. At the limit, the agent ends the request
   * with a message that says so.
   */
  modelCalls?: number;
  /**
   * Maximum number of calls of tools, default 8. Further calls are refused, and the model is told
   * why.
   */
  toolCalls?: number;
}

/** The finish reason of the message with which a request ends at its limit. */
export const REQUEST_LIMIT = "request_limit";

/** Enough for several pieces of feedback in one request. */
export const DEFAULT_LIMITS = { modelCalls: 12, toolCalls: 8 } as const satisfies AgentLimits;
