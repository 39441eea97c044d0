import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { Command } from "@langchain/langgraph";
import { createAgent, type AgentMiddleware, type ReactAgent } from "langchain";
import { withoutAbsent } from "../src/json.ts";
import { silentLogger } from "../src/log.ts";
import { mailApproval, type Decider } from "./approval/mail-approval.ts";
import type { FeedbackAgentOptions } from "./feedback-agent.ts";
import { interruptedCalls } from "./guard-rails/interrupted-calls.ts";
import { requestLimits } from "./guard-rails/limits.ts";
import { malformedCalls } from "./guard-rails/malformed-calls.ts";
import { modelRetries } from "./guard-rails/model-retries.ts";
import { toolErrors } from "./guard-rails/tool-errors.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { SYSTEM_PROMPT } from "./system-prompt.ts";

/**
 * Creates the LangGraph agent with its guard rails. It is in a separate module, so that `langchain`
 * is loaded only when an agent is created.
 */
export function createAgentGraph(
  options: FeedbackAgentOptions & { model: BaseChatModel; decider: Decider },
): ReactAgent {
  const { tools, model, checkpointer, approval, decider, logger = silentLogger } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  // Outermost first. `modelRetries` is outside of `malformedCalls`, so the answer of every attempt
  // is repaired, and an unusable one can be retried.
  const middleware: AgentMiddleware[] = [
    ...(approval ? [mailApproval(approval, decider, logger)] : []),
    requestLimits(limits),
    modelRetries,
    malformedCalls,
    interruptedCalls,
    toolErrors(logger),
  ];
  return createAgent({
    model,
    tools: [...tools],
    systemPrompt: options.systemPrompt ?? SYSTEM_PROMPT,
    ...withoutAbsent({ checkpointer }),
    middleware,
  }).withConfig({
    // A round has at most 4 steps of the graph (approval, limit, model, tools), so the request's
    // own limit is reached before this one.
    recursionLimit: 4 * limits.modelCalls + 10,
  });
}

/** The input that continues an interrupted conversation. */
export const resumeCommand = (answer: unknown): Command => new Command({ resume: answer });
