import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent } from "langchain";
import { expect, it, onTestFinished } from "vitest";
import { feedback } from "../../support/feedback.ts";
import { startMcp } from "../../support/mcp.ts";
import { reply, startOpenAiServer, toolCall, type ChatRequest, type ScriptStep } from "../../support/openai-server.ts";

/** A LangChain agent that gets our tools from an MCP server, with a model that follows a script. */
async function start(url: URL, script: ScriptStep[]) {
  const server = await startOpenAiServer(script);
  const client = new MultiServerMCPClient({ mcpServers: { feedback: { transport: "http", url: url.href } } });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  const model = new ChatOpenAI({
    model: "gpt-5.4-mini",
    apiKey: "test",
    maxRetries: 0,
    configuration: { baseURL: server.url },
  });
  const agent = createAgent({ model, tools: await client.getTools() });
  const ask = async (text: string): Promise<string> => {
    const { messages } = await agent.invoke({ messages: [{ role: "user", content: text }] });
    return messages.at(-1)!.text;
  };
  return { ask, server };
}

const lastToolMessage = ({ messages }: ChatRequest): string =>
  JSON.stringify(messages.findLast(({ role }) => role === "tool"));

it("a LangChain agent can work over MCP, with calls as models make them", async () => {
  const { url, mails, workflow } = await startMcp();
  const { feedback_id, ...rest } = feedback();
  const { ask, server } = await start(url, [
    // In strict mode, models send null for optional fields; otherwise they leave them out.
    toolCall("process_customer_feedback", {
      feedback_id,
      ...rest,
      sentiment: null,
      categories: null,
      send_response: null,
    }),
    (request) => {
      expect(lastToolMessage(request)).toContain("auto_respond");
      return toolCall("process_customer_feedback", rest);
    },
    (request) => {
      expect(lastToolMessage(request)).toContain("auto-");
      return toolCall("analyze_feedback_sentiment", { text: "I hate it." });
    },
    (request) => {
      expect(lastToolMessage(request)).toContain("negative");
      return reply("Done.");
    },
  ]);
  expect(await ask("Customer C-1 wrote …")).toBe("Done.");
  expect(server.unused).toBe(0);
  expect(await workflow.findWorkflow("F-1")).toMatchObject({ status: "completed" });
  expect(mails.mails).toHaveLength(2);
});

it("the agent reads in words what went wrong", async () => {
  const { url } = await startMcp();
  const { ask } = await start(url, [
    toolCall("process_customer_feedback", feedback({ customer_id: "C-9" })),
    (request) => {
      expect(lastToolMessage(request)).toContain("Customer with ID C-9 not found");
      return reply("There is no such customer.");
    },
  ]);
  expect(await ask("Customer C-9 wrote …")).toBe("There is no such customer.");
});
