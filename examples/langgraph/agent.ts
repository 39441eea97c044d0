// The agent for LangGraph's own server (see docs/agents.md). People decide on emails in Agent Chat
// UI or any other client.
import { fileURLToPath } from "node:url";
import { createChatModel, createFeedbackAgent } from "abi-workflows/agents";
import { readSettings } from "abi-workflows";
import { createCustomerFeedbackTools } from "abi-workflows/tools";

const { workflow, tools } = await createCustomerFeedbackTools({
  customerSource: process.env["CUSTOMER_SOURCE"] ?? fileURLToPath(new URL("../data/customers.csv", import.meta.url)),
  approval: true,
});

/**
 * The name under which a decision is stored: that of the user whom auth.ts has signed in, if their
 * token has the scope `approve`. Only the server can write these two fields.
 */
function by({ langgraph_auth_user: user, langgraph_auth_permissions: scopes }: Readonly<Record<string, unknown>>) {
  const { identity } = (user ?? {}) as { identity?: string };
  return Array.isArray(scopes) && scopes.includes("approve") ? identity : undefined;
}

const { agent } = await createFeedbackAgent({
  tools,
  model: await createChatModel(readSettings()),
  approval: { workflow, by },
});

export const graph = agent;
