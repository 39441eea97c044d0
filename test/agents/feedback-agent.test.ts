import { spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DynamicStructuredTool } from "@langchain/core/tools";
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  createChatModel,
  createFeedbackAgent,
  LONGEST_MESSAGE,
  type FeedbackAgent,
  type FeedbackAgentOptions,
} from "../../agents/index.ts";
import { IoError, ValidationError } from "../../src/errors.ts";
import {
  dropConnection,
  rawToolCall,
  reply,
  startOpenAiServer,
  status,
  toolCall,
  toolCalls,
  type ChatMessage,
  type OpenAiServer,
  type ScriptStep,
} from "../support/openai-server.ts";
import { feedbackTools, type ToolLog } from "./feedback-tools.ts";

const FEEDBACK = {
  feedback_id: "F-1",
  customer_id: "C-1",
  subject: "Login",
  feedback_text: "I can't log in.",
  sentiment: null,
  categories: null,
  send_response: null,
};

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

async function start(
  script: ScriptStep[],
  options: Partial<FeedbackAgentOptions> = {},
): Promise<{ server: OpenAiServer; agent: FeedbackAgent; log: ToolLog }> {
  const server = await startOpenAiServer(script);
  const log: ToolLog = { processed: [], analysed: [] };
  const agent = await createFeedbackAgent({
    model: await createChatModel({ openaiBaseUrl: server.url }),
    tools: feedbackTools(log),
    ...options,
  });
  open.push(
    () => agent.close(),
    () => server.close(),
  );
  return { server, agent, log };
}

const toolMessages = (server: OpenAiServer, request: number): ChatMessage[] =>
  server.requests[request]?.body.messages.filter(({ role }) => role === "tool") ?? [];

const failing = (error: unknown): DynamicStructuredTool =>
  new DynamicStructuredTool({
    name: "analyze_feedback_sentiment",
    description: "fails",
    schema: z.object({ text: z.string() }),
    func: async () => {
      throw error;
    },
  });

describe("a request over the wire", () => {
  test("calls the tool, returns its result to the model, and answers", async () => {
    const { server, agent, log } = await start([
      toolCall("process_customer_feedback", FEEDBACK),
      reply("F-1 is done."),
    ]);
    const answer = await agent.ask("Process F-1");
    expect(answer.text).toBe("F-1 is done.");
    expect(log.processed).toEqual([FEEDBACK]);
    const [system, user, assistant, tool] = server.requests[1]?.body.messages ?? [];
    expect(system?.role).toBe("system");
    expect(user).toMatchObject({ role: "user", content: "Process F-1" });
    expect(assistant?.tool_calls?.[0]?.id).toBe("call_1_0");
    expect(tool).toMatchObject({ role: "tool", tool_call_id: "call_1_0", content: "Processed F-1." });
    expect(answer.toolCalls).toEqual([
      {
        id: "call_1_0",
        name: "process_customer_feedback",
        args: FEEDBACK,
        content: "Processed F-1.",
        artifact: expect.objectContaining({ feedback_id: "F-1", success: true }),
        failed: false,
      },
    ]);
  });

  test("shows the model the JSON schema of each tool", async () => {
    const { server, agent } = await start([reply("Hello")]);
    await agent.ask("Hi");
    const tools = server.requests[0]?.body.tools ?? [];
    expect(tools.map((tool) => tool.function.name)).toEqual(feedbackTools().map((tool) => tool.name));
    expect(tools[1]?.function).toMatchObject({
      description: "Analyze the sentiment of customer feedback text",
      parameters: {
        type: "object",
        properties: { text: { type: "string", description: "The feedback text" } },
        required: ["text"],
      },
    });
  });

  test("streams tokens, and the start, progress and end of tools, in order", async () => {
    const { agent } = await start([
      { reply: "One moment.", toolCalls: [{ name: "process_customer_feedback", arguments: JSON.stringify(FEEDBACK) }] },
      reply("It is all done now."),
    ]);
    const events: unknown[] = [];
    let streamed = "";
    await agent.ask("Process F-1", {
      onToken: (token) => {
        streamed += token;
        if (token === " done") events.push("token");
      },
      onToolStart: ({ name, args }) => events.push(["start", name, args["feedback_id"]]),
      onToolProgress: ({ name }, progress) => events.push(["progress", name, progress]),
      onToolEnd: ({ name, failed }) => events.push(["end", name, failed]),
    });
    expect(streamed).toBe("One moment.\nIt is all done now.");
    const name = "process_customer_feedback";
    expect(events).toEqual([
      ["start", name, "F-1"],
      ["progress", name, { step: "customer_data_retrieved" }],
      ["progress", name, { step: "feedback_stored" }],
      ["end", name, false],
    ]);
  });

  test("does not stream the answer of a model that a tool has called", async () => {
    await using inner = await startOpenAiServer([reply("inner voice")]);
    const model = await createChatModel({ openaiBaseUrl: inner.url });
    const asking = new DynamicStructuredTool({
      name: "analyze_feedback_sentiment",
      description: "asks a model",
      schema: z.object({ text: z.string() }),
      func: async ({ text: question }, run) => {
        const callbacks = run?.getChild();
        return (await model.invoke(question, callbacks && { callbacks })).text;
      },
    });
    const { agent } = await start([toolCall("analyze_feedback_sentiment", { text: "x" }), reply("outer voice")], {
      tools: [asking],
    });
    let heard = "";
    const answer = await agent.ask("Analyse", { onToken: (token) => (heard += token) });
    expect(heard).toBe("outer voice");
    expect(answer.toolCalls[0]?.content).toBe("inner voice");
  });

  test("runs two tool calls of one turn and gives each its own result", async () => {
    const { server, agent } = await start([
      toolCalls(["analyze_feedback_sentiment", { text: "a" }], ["categorize_feedback_text", { text: "b" }]),
      reply("Both done."),
    ]);
    const { toolCalls: calls } = await agent.ask("Analyse");
    expect(calls.map(({ name, content }) => [name, content])).toEqual([
      ["analyze_feedback_sentiment", "negative"],
      ["categorize_feedback_text", "bug, billing"],
    ]);
    expect(toolMessages(server, 1).map(({ content }) => content)).toEqual(["negative", "bug, billing"]);
  });

  test("answers each of several identical calls, but does the work once", async () => {
    const call: [string, unknown] = ["process_customer_feedback", { ...FEEDBACK, feedback_id: null }];
    const { server, agent, log } = await start([toolCalls(call, call), toolCall(...call), reply("Done.")]);
    const { toolCalls: calls } = await agent.ask("Process");
    expect(log.processed).toHaveLength(1);
    expect(calls).toHaveLength(3);
    expect(toolMessages(server, 2).map(({ tool_call_id: id }) => id)).toEqual(["call_1_0", "call_1_1", "call_2_0"]);
  });

  test("speaks to no other host and prints nothing", async () => {
    const hosts = new Set<unknown>();
    const listen = (message: unknown): void => {
      hosts.add((message as { connectParams?: { origin?: unknown; host?: unknown } }).connectParams?.host);
    };
    subscribe("undici:client:beforeConnect", listen);
    try {
      const { server, agent } = await start([toolCall("process_customer_feedback", FEEDBACK), reply("Done.")]);
      await agent.ask("Process");
      expect([...hosts]).toEqual([new URL(server.url).host]);
    } finally {
      unsubscribe("undici:client:beforeConnect", listen);
    }
  });
});

describe("a request to a model service that fails", () => {
  test("is retried after a 429 with and without a delay, a 500 and a lost connection", async () => {
    const failures = [
      [status(429, { retryAfter: 0 }), status(429)],
      [status(500), dropConnection()],
      [dropConnection("midway")],
    ];
    const texts = failures.map(async (failure) => {
      const { agent } = await start([...failure, reply("Here I am.")]);
      return (await agent.ask("Hi")).text;
    });
    expect(await Promise.all(texts)).toEqual(["Here I am.", "Here I am.", "Here I am."]);
  });

  test("fails in the end with an error that people understand", async () => {
    const { server, agent } = await start(
      Array.from({ length: 10 }, () => status(503, { message: "internal detail" })),
    );
    const error = await agent.ask("Hi").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(IoError);
    expect((error as IoError).message).not.toContain("internal detail");
    expect((error as IoError).cause).toBeDefined();
    expect(server.requests).toHaveLength(4);
  });

  test.each([
    [401, "model_refused_key", 1],
    [404, "model_not_found", 1],
    // Once more, without `stream_options`, which some servers refuse without saying so.
    [400, "model_refused_request", 2],
  ])("is not retried after a %i", async (code, expected, requests) => {
    const { server, agent } = await start([...Array.from({ length: requests }, () => status(code)), reply("never")]);
    const error = await agent.ask("Hi").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).code).toBe(expected);
    expect(server.requests).toHaveLength(requests);
  });

  test("does not wait for an hour even if the service asks for that", async () => {
    const { agent } = await start([status(429, { retryAfter: 3600 }), reply("never")]);
    await expect(agent.ask("Hi")).rejects.toMatchObject({ code: "model_busy", retriable: true });
  });

  test("ends at once if its process is interrupted, even if the service asked it to wait", async () => {
    const interrupt = Promise.withResolvers<undefined>();
    await using server = await startOpenAiServer([
      () => {
        interrupt.resolve(undefined);
        return status(429, { retryAfter: 50 });
      },
      reply("never"),
    ]);
    const child = spawn(process.execPath, [join(import.meta.dirname, "interrupted-request.ts"), server.url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    open.push(async () => {
      child.kill("SIGKILL");
    });
    const output = text(child.stdout);
    await interrupt.promise;
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(await output).toBe("Error: interrupted");
    expect(server.unused).toBe(1);
  });
});

describe("an abort", () => {
  test("ends the request with the signal's reason, and reaches the running tool", async () => {
    const controller = new AbortController();
    const stopped = Promise.withResolvers<unknown>();
    const waiting = new DynamicStructuredTool({
      name: "analyze_feedback_sentiment",
      description: "waits",
      schema: z.object({ text: z.string() }),
      func: async (_args, _run, config) => {
        config?.signal?.addEventListener("abort", () => stopped.resolve(config.signal?.reason));
        controller.abort(new Error("enough"));
        return stopped.promise;
      },
    });
    const { agent } = await start([toolCall("analyze_feedback_sentiment", { text: "x" }), reply("never")], {
      tools: [waiting],
    });
    await expect(agent.ask("Analyse", { signal: controller.signal })).rejects.toThrow("enough");
    expect(await stopped.promise).toMatchObject({ message: "enough" });
  });

  test("also happens when the agent is closed", async () => {
    const closed = Promise.withResolvers<undefined>();
    const { agent } = await start([
      () => {
        void agent.close().then(() => closed.resolve(undefined));
        return reply("too late");
      },
    ]);
    await expect(agent.ask("Hi")).rejects.toMatchObject({ name: "AbortError" });
    await closed.promise;
    await expect(agent.ask("Hi again")).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("an agent with guard rails", () => {
  test.each(["{malformed", '{"text":"cut off in the mid', "[1]", "7"])(
    "lets the model repair arguments that are not a JSON object: %s",
    async (args) => {
      const { server, agent, log } = await start([
        rawToolCall("analyze_feedback_sentiment", args),
        toolCall("analyze_feedback_sentiment", { text: "whole" }),
        reply("Repaired."),
      ]);
      const { text, toolCalls: calls } = await agent.ask("Analyse");
      expect(text).toBe("Repaired.");
      expect(log.analysed).toEqual(["whole"]);
      expect(calls.map(({ failed }) => failed)).toEqual([true, false]);
      expect(toolMessages(server, 1)[0]?.content).toContain("Call it again with valid JSON");
    },
  );

  test("runs the valid call of a turn whose other call is malformed", async () => {
    const { agent, log } = await start([
      {
        toolCalls: [
          { name: "analyze_feedback_sentiment", arguments: '{"text":' },
          { name: "categorize_feedback_text", arguments: '{"text":"sound"}' },
        ],
      },
      reply("Half."),
    ]);
    const { toolCalls: calls } = await agent.ask("Analyse");
    expect(log.analysed).toEqual(["sound"]);
    expect(calls.map(({ failed }) => failed)).toEqual([true, false]);
  });

  test("answers each call even if the service gives all calls the same id", async () => {
    const call = (text: string): { id: string; name: string; arguments: string } => ({
      id: "call_0",
      name: "analyze_feedback_sentiment",
      arguments: JSON.stringify({ text }),
    });
    const { server, agent, log } = await start(
      [{ toolCalls: [call("1"), call("2")] }, { toolCalls: [call("3")] }, reply("Done.")],
      { limits: { toolCalls: 2 } },
    );
    const { toolCalls: calls } = await agent.ask("Analyse");
    expect(log.analysed).toEqual(["1", "2"]);
    expect(calls.map(({ args, failed }) => [args["text"], failed])).toEqual([
      ["1", false],
      ["2", false],
      ["3", true],
    ]);
    expect(new Set(toolMessages(server, 2).map(({ tool_call_id: id }) => id)).size).toBe(3);
  });

  test("lets the model repair arguments without streaming too", async () => {
    // If answers are not streamed, LangChain logs an unhelpful warning about broken arguments.
    using _warnings = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { agent, log } = await start([
      rawToolCall("analyze_feedback_sentiment", "[1]"),
      rawToolCall("analyze_feedback_sentiment", '{"text":"cut'),
      toolCall("analyze_feedback_sentiment", { text: "whole" }),
      reply("Repaired."),
    ]);
    const { messages } = await agent.agent.invoke({ messages: "Analyse" });
    expect(messages.at(-1)?.text).toBe("Repaired.");
    expect(log.analysed).toEqual(["whole"]);
  });

  test("tells the model which field does not fit the schema, and nothing about our code", async () => {
    const { server, agent, log } = await start([
      toolCall("process_customer_feedback", { ...FEEDBACK, customer_id: 7 }),
      toolCall("process_customer_feedback", FEEDBACK),
      reply("Repaired."),
    ]);
    await agent.ask("Process");
    const content = JSON.stringify(toolMessages(server, 1)[0]?.content);
    expect(content).toContain("customer_id");
    expect(content).toContain("Correct");
    expect(content).not.toMatch(/\bat .*\.[jt]s|node_modules|I can't log in/u);
    expect(log.processed).toHaveLength(1);
  });

  test("tells the model which tools exist when it calls an unknown one", async () => {
    const { server, agent } = await start([toolCall("send_mail", { to: "a@b.c" }), reply("Sorry.")]);
    await agent.ask("Mail");
    expect(toolMessages(server, 1)[0]?.content).toContain("analyze_feedback_sentiment");
  });

  test("logs what a tool throws, and hides it from the model", async () => {
    const logged: unknown[] = [];
    const logger = { error: (fields: unknown) => logged.push(fields) } as unknown as NonNullable<
      FeedbackAgentOptions["logger"]
    >;
    const { server, agent } = await start(
      [toolCall("analyze_feedback_sentiment", { text: "x" }), reply("It failed.")],
      {
        tools: [failing(new Error("password hunter2 rejected at db.internal"))],
        logger,
      },
    );
    const { text, toolCalls: calls } = await agent.ask("Analyse");
    expect(text).toBe("It failed.");
    expect(calls[0]?.failed).toBe(true);
    expect(JSON.stringify(server.requests)).not.toContain("hunter2");
    expect(toolMessages(server, 1)[0]?.content).toContain("failed unexpectedly");
    expect(logged).toEqual([
      {
        cause: expect.objectContaining({ message: expect.stringContaining("hunter2") }),
        tool: "analyze_feedback_sentiment",
      },
    ]);
  });

  test("lets the model read errors that are meant for people", async () => {
    const { server, agent } = await start(
      [toolCall("analyze_feedback_sentiment", { text: "x" }), reply("It failed.")],
      {
        tools: [failing(new IoError("The store can't be reached."))],
      },
    );
    await agent.ask("Analyse");
    expect(toolMessages(server, 1)[0]?.content).toContain("The store can't be reached. It may succeed");
  });

  test("makes no more tool calls than the limit allows and tells the model", async () => {
    const call = (text: string): [string, unknown] => ["analyze_feedback_sentiment", { text }];
    const { server, agent, log } = await start(
      [toolCalls(call("1"), call("2")), toolCalls(call("3"), call("4")), reply("Partly done.")],
      {
        limits: { toolCalls: 3 },
      },
    );
    const { text } = await agent.ask("Analyse");
    expect(text).toBe("Partly done.");
    expect(log.analysed).toEqual(["1", "2", "3"]);
    expect(toolMessages(server, 2).at(-1)?.content).toContain("limit of 3 tool calls");
  });

  test("ends politely if the model never stops calling tools", async () => {
    const { server, agent } = await start(
      Array.from({ length: 20 }, (_, index) => toolCall("analyze_feedback_sentiment", { text: String(index) })),
    );
    const { text, toolCalls: calls } = await agent.ask("Analyse");
    expect(server.requests).toHaveLength(12);
    expect(calls).toHaveLength(12);
    expect(calls.filter(({ failed }) => !failed)).toHaveLength(8);
    expect(text).toContain("I stopped here");
  });

  test("says that a request ended at its limit, in the stream as well", async () => {
    const call = toolCall("analyze_feedback_sentiment", { text: "x" });
    const { agent } = await start([call, call], { limits: { modelCalls: 2 } });
    let heard = "";
    const { text, complete } = await agent.ask("Analyse", { onToken: (token) => (heard += token) });
    expect(text).toContain("I stopped here: this request took 2 rounds");
    expect(heard).toBe(text);
    expect(complete).toBe(false);
  });

  test("marks an answered request as complete", async () => {
    const { agent } = await start([reply("Hello")]);
    expect((await agent.ask("Hi")).complete).toBe(true);
  });

  test("refuses a message that is too long, and accepts one of exactly the maximum length", async () => {
    const { server, agent } = await start([reply("Hello")]);
    await expect(agent.ask("x".repeat(LONGEST_MESSAGE + 1))).rejects.toMatchObject({
      type: "validation_error",
      code: "message_too_long",
      message: expect.stringMatching(/100001 characters; at most 100000/),
    });
    expect(server.requests).toHaveLength(0);
    await agent.ask("x".repeat(LONGEST_MESSAGE));
  });

  test("refuses an empty message", async () => {
    const { server, agent } = await start([]);
    await expect(agent.ask(" \n")).rejects.toBeInstanceOf(ValidationError);
    expect(server.requests).toHaveLength(0);
  });
});
