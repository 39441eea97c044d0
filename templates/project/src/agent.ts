import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { Workflow } from "abi-workflows";
import { createAgent } from "langchain";

/**
 * An agent with the workflow's tools. However often the model calls them, no refund is paid twice.
 */
export const createRefundAgent = (model: BaseChatModel, workflow: Workflow) =>
  createAgent({
    model,
    tools: workflow.as_tools(),
    systemPrompt: "You refund orders. If the user leaves out the refund id, the order or the amount, ask for it.",
  });
