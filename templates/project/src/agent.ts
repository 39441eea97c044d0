import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { Workflow } from "abi-workflows";
import { createAgent } from "langchain";

/** An agent with the tools of the workflow. It pays nothing twice, however often the model calls. */
export const createRefundAgent = (model: BaseChatModel, workflow: Workflow) =>
  createAgent({
    model,
    tools: workflow.as_tools(),
    systemPrompt: "You refund orders. Ask for the refund id, the order and the amount where the user leaves them out.",
  });
