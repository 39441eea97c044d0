import { ChatOpenAI } from "@langchain/openai";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { createAgent } from "langchain";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { createFeedbackAgent } from "../../agents/index.ts";
import {
  rawToolCall,
  reply,
  startOpenAiServer,
  toolCall,
  toolCalls,
  type ChatRequest,
  type ScriptStep,
} from "../support/openai-server.ts";
import { feedback, startFeedback, values } from "../support/feedback.ts";
import type { ToolOptions } from "../../src/interfaces/model-calls/fixed-fields.ts";

/** The real workflow, its tools, and a real client that talks to a scripted model over HTTP. */
async function startAgent(script: readonly ScriptStep[], options: ToolOptions = {}) {
  const parts = await startFeedback();
  const server = await startOpenAiServer(script);
  const model = new ChatOpenAI({
    model: "scripted",
    apiKey: "none",
    configuration: { baseURL: server.url },
    maxRetries: 0,
  });
  const agent = await createFeedbackAgent({ model, tools: parts.workflow.as_tools(options) });
  onTestFinished(async () => {
    await agent.close();
    await server.close();
  });
  return { ...parts, server, agent, model };
}

const lastContent = ({ messages }: ChatRequest): string => messages.at(-1)!.content as string;

const NULLS = { sentiment: null, categories: null, send_response: null };

describe("the workflow's tools in an agent", () => {
  it("process feedback that the model passes on, and return the result to it", async () => {
    const { agent, server, mails } = await startAgent([
      toolCall("process_customer_feedback", feedback(NULLS)),
      reply("I have answered the customer."),
    ]);
    const progress: unknown[] = [];
    const answer = await agent.ask("Please process F-1.", { onToolProgress: (_, event) => progress.push(event) });
    expect(answer.text).toBe("I have answered the customer.");
    expect(answer.toolCalls).toMatchObject([
      { name: "process_customer_feedback", failed: false, artifact: { action: "auto_respond" } },
    ]);
    expect(progress).toContainEqual(expect.objectContaining({ step: "response_sent", phase: "completed" }));
    const [first, second] = server.requests.map(({ body }) => body);
    expect(first!.tools!.map((tool) => tool.function.name)).toEqual([
      "process_customer_feedback",
      "analyze_feedback_sentiment",
      "categorize_feedback_text",
    ]);
    expect(JSON.parse(lastContent(second!))).toMatchObject({ success: true, feedback_id: "F-1" });
    expect(mails.mails).toHaveLength(1);
  });

  it("process feedback once if the model makes the same call twice, with or without an id", async () => {
    const { feedback_id: _, ...rest } = feedback(NULLS);
    const anonymous = { feedback_id: null, ...rest };
    const { agent, mails, ontologyStore } = await startAgent([
      toolCalls(["process_customer_feedback", anonymous], ["process_customer_feedback", anonymous]),
      toolCall("process_customer_feedback", anonymous),
      reply("Done."),
    ]);
    const { toolCalls: calls } = await agent.ask("Process it.");
    expect(calls.filter(({ artifact }) => (artifact as { duplicate?: boolean }).duplicate)).toHaveLength(2);
    expect(mails.mails).toHaveLength(1);
    expect(await values(ontologyStore, "Feedback", "abi:id")).toHaveLength(1);
  });

  it("let the model repair malformed or invalid arguments", async () => {
    const { agent, server, mails } = await startAgent([
      rawToolCall("process_customer_feedback", '{"feedback_id": "F-1", '),
      toolCall("process_customer_feedback", { ...feedback(NULLS), categories: ["weather"] }),
      toolCall("process_customer_feedback", feedback(NULLS)),
      reply("Done."),
    ]);
    const answer = await agent.ask("Process F-1.");
    expect(answer.text).toBe("Done.");
    expect(lastContent(server.requests[2]!.body)).toMatch(/categories\[0\].*must be one of product/);
    expect(mails.mails).toHaveLength(1);
  });

  it("bind to a chat model without an agent", async () => {
    const { workflow, server } = await startAgent([toolCall("analyze_feedback_sentiment", { text: "I love it" })]);
    const model = new ChatOpenAI({ model: "scripted", apiKey: "none", configuration: { baseURL: server.url } });
    const message = await model
      .bindTools(workflow.as_tools(), { strict: true })
      .invoke("How does this sound: I love it");
    expect(server.requests[0]!.body.tools![0]!.function).toMatchObject({
      strict: true,
      parameters: { additionalProperties: false },
    });
    const [call] = message.tool_calls!;
    const tool = workflow.as_tools().find(({ name }) => name === call!.name) as DynamicStructuredTool;
    expect(await tool.invoke(call as never)).toMatchObject({ artifact: { sentiment: "positive" } });
  });
});

describe("tools that take the customer from the runtime context", () => {
  const fromContext = ["customer_id"];
  const { customer_id: _, ...rest } = feedback(NULLS);

  it("process feedback for the conversation's customer, whose id the model does not know", async () => {
    const call = toolCall("process_customer_feedback", rest);
    const script = [
      call,
      reply("Done."),
      toolCall("process_customer_feedback", { ...rest, feedback_id: "F-2" }),
      reply("Done."),
    ];
    const { agent, server, mails } = await startAgent(script, { fromContext });
    const ada = await agent.ask("I love it!", { threadId: "ada", context: { customer_id: "C-1" } });
    const edge = await agent.ask("I love it!", { threadId: "edge", context: { customer_id: "C-5000" } });
    expect([...ada.toolCalls, ...edge.toolCalls].map(({ artifact }) => artifact)).toMatchObject([
      { customer_id: "C-1", success: true },
      { customer_id: "C-5000", success: true },
    ]);
    expect(mails.mails.map(({ parsed }) => parsed.to)).toMatchObject([
      { text: "ada@example.org" },
      { text: "edge@example.org" },
    ]);
    const parameters = server.requests[0]!.body.tools![0]!.function.parameters as { properties: object };
    expect(parameters.properties).not.toHaveProperty("customer_id");
  });

  it("do nothing for another customer, and nothing without a context", async () => {
    const script = [
      toolCall("process_customer_feedback", feedback({ ...NULLS, customer_id: "C-5000" })),
      reply("Sorry."),
      toolCall("process_customer_feedback", rest),
      reply("Sorry."),
    ];
    const { agent, mails } = await startAgent(script, { fromContext });
    const other = await agent.ask("Process it for C-5000", { context: { customer_id: "C-1" } });
    const none = await agent.ask("Process it");
    expect([...other.toolCalls, ...none.toolCalls].map(({ artifact }) => artifact)).toMatchObject([
      { success: false, error_type: "validation_error" },
      { success: false, error_code: "context_missing" },
    ]);
    expect(mails.mails).toEqual([]);
  });

  it("also work in a LangChain agent with a context schema", async () => {
    const script = [toolCall("process_customer_feedback", rest), reply("Done.")];
    const { workflow, model, mails } = await startAgent(script);
    const agent = createAgent({
      model,
      tools: workflow.as_tools({ fromContext }),
      contextSchema: z.object({ customer_id: z.string() }),
    });
    await agent.invoke({ messages: [{ role: "user", content: "I love it!" }] }, { context: { customer_id: "C-5000" } });
    expect(mails.mails.map(({ parsed }) => parsed.to)).toMatchObject([{ text: "edge@example.org" }]);
  });
});
