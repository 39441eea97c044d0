import { Client, InMemoryTransport, type CallToolResult } from "@modelcontextprotocol/client";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { direct } from "../../../src/framework/operation.ts";
import { Workflow } from "../../../src/framework/workflow.ts";
import { createMcpServer, mcpHandler } from "../../../src/mcp.ts";
import { ANALYZED } from "../../support/approval.ts";
import { feedback, startFeedback, values } from "../../support/feedback.ts";
import { connect, connectEarlier, listen, send, startMcp, WORKING } from "../../support/mcp.ts";
import { Service } from "../../../src/framework/service.ts";

const TOOLS = ["process_customer_feedback", "analyze_feedback_sentiment", "categorize_feedback_text"];
const PROCESS = "process_customer_feedback";

const textOf = (result: object): string[] =>
  (result as { content: { text: string }[] }).content.map(({ text }) => text);

describe("the tools", () => {
  it("are the operations for agents, of every workflow and of the service, and none for people or operators", async () => {
    const asking = {
      description: "Ask.",
      input: z.object({ question: z.string() }),
      output: z.object({ answer: z.string() }),
      run: ({ question }: { question: string }) => ({ answer: `What is ${question}?` }),
    };
    const operations = [
      direct("ask_graph", asking),
      direct("forget_all", { ...asking, audience: "operator" }),
      direct("decide_all", { ...asking, audience: "person" }),
    ];
    const { url, service } = await startMcp({}, { more: () => ({ operations }) });
    const client = await connect(url);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual([...TOOLS, "ask_graph"]);
    for (const { operation } of service.operations) {
      if (operation.audience === "agent") continue;
      expect(names).not.toContain(operation.name);
      await expect(client.callTool({ name: operation.name, arguments: {} })).rejects.toMatchObject({ code: -32602 });
    }
    expect(await client.callTool({ name: "ask_graph", arguments: { question: "new" } })).toMatchObject({
      structuredContent: { answer: "What is new?" },
    });
  });

  it("of two workflows are refused at the start if they have the same name", async () => {
    const { engine, workflow } = await startFeedback();
    class Twin extends Workflow {
      readonly name = "twin";
      readonly operations = workflow.operations;
    }
    const service = new Service({ engine, workflows: [workflow, new Twin({ engine })] });
    expect(() => createMcpServer(service)).toThrow(/Two tools are named "process_customer_feedback"/);
  });

  it("declare their side effects, and accept calls without optional fields", async () => {
    const { url } = await startMcp();
    const { tools } = await (await connect(url)).listTools();
    expect(tools.map(({ title, annotations }) => [title, annotations])).toEqual([
      [
        "Process customer feedback",
        { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
      ],
      ["Analyze feedback sentiment", { readOnlyHint: true, openWorldHint: false }],
      ["Categorize feedback text", { readOnlyHint: true, openWorldHint: false }],
    ]);
    expect(tools[0]!.inputSchema.required).toEqual(["customer_id", "subject", "feedback_text"]);
    expect(tools[1]!.outputSchema).toMatchObject({ required: ["sentiment", "score", "evidence", "language"] });
  });
});

describe.each(["2026-07-28", "2025-11-25"])("a client of %s", (revision) => {
  const connected = (url: URL) => (revision === "2026-07-28" ? connect(url) : connectEarlier(url));

  // The clients themselves validate the structured content against the output schema.
  it("gets the result of a run as structure and as text, and its progress step by step", async () => {
    const { url, mails } = await startMcp();
    const client = await connected(url);
    await client.listTools();
    const steps: unknown[] = [];
    const call = { name: PROCESS, arguments: feedback() };
    const onprogress = ({ progress, message }: { progress: number; message?: string | undefined }): void =>
      void steps.push([progress, message]);
    const result =
      client instanceof Client
        ? await client.callTool(call, { onprogress })
        : await client.callTool(call, undefined, { onprogress });
    expect(result.structuredContent).toMatchObject({ success: true, action: "auto_respond", feedback_id: "F-1" });
    expect(textOf(result).map((text) => JSON.parse(text) as unknown)).toEqual([result.structuredContent]);
    expect(result.isError).toBeUndefined();
    expect(steps).toEqual(
      [...ANALYZED, "response_sent"]
        .flatMap((step) => [`${step}: started`, `${step}: completed`])
        .map((message, index) => [index + 1, message]),
    );
    expect(mails.mails).toHaveLength(1);
    expect(await client.callTool(call)).toMatchObject({ structuredContent: { duplicate: true } });
    expect(mails.mails).toHaveLength(1);
  });

  it("gets every expected failure as a result that explains it in words", async () => {
    const { url, ontologyStore } = await startMcp();
    const client = await connected(url);
    await client.listTools();
    const failing = async (name: string, args: Record<string, unknown>): Promise<string> => {
      const result = (await client.callTool({ name, arguments: args })) as CallToolResult;
      expect(result.isError).toBe(true);
      return textOf(result)[0]!;
    };
    expect(await failing(PROCESS, feedback({ customer_id: "C-9" }))).toBe("Customer with ID C-9 not found");
    expect(await failing(PROCESS, {})).toContain("customer_id: is missing");
    expect(await failing(PROCESS, feedback({ categories: ["sugar"] }))).toContain("billing");
    expect(await failing("analyze_feedback_sentiment", { text: 5 })).toContain("text: ");
    expect(await failing("analyze_feedback_sentiment", { text: "x", mood: "bad" })).toContain("mood");
    expect(await values(ontologyStore, "Feedback", "abi:id")).toEqual([]);
  });

  it("learns which tools exist if it calls an unknown one", async () => {
    const { url } = await startMcp();
    const client = await connected(url);
    await expect(client.callTool({ name: "approve_response", arguments: {} })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining(`Tools: ${TOOLS.join(", ")}.`),
    });
  });

  it("gets the same piece of feedback processed once, even from two clients at once", async () => {
    const { url, mails } = await startMcp();
    const clients = await Promise.all([connected(url), connected(url)]);
    const results = await Promise.all(
      clients.map((client) => client.callTool({ name: PROCESS, arguments: feedback() })),
    );
    expect(results.filter(({ structuredContent }) => !("duplicate" in (structuredContent as object)))).toHaveLength(1);
    expect(mails.mails).toHaveLength(1);
  });
});

describe("a field that the program sets", () => {
  it("is not in the tool's schema, and no other value is accepted", async () => {
    const { url, workflow } = await startMcp({ fixed: { customer_id: "C-vip" } });
    const client = await connect(url);
    const { inputSchema } = (await client.listTools()).tools[0]!;
    expect(Object.keys(inputSchema.properties ?? {})).not.toContain("customer_id");
    const { customer_id: _, ...rest } = feedback();
    expect(await client.callTool({ name: PROCESS, arguments: rest })).toMatchObject({
      structuredContent: { customer_id: "C-vip", action: "escalate" },
    });
    const refused = await client.callTool({ name: PROCESS, arguments: feedback({ feedback_id: "F-2" }) });
    expect(textOf(refused)[0]).toContain("set by the program");
    expect(await workflow.findWorkflow("F-2")).toBeUndefined();
  });

  it("comes from each caller's context over HTTP, and without it nothing is done", async () => {
    let customer_id: string | undefined = "C-1";
    const caller = () => ({ ...WORKING, ...(customer_id !== undefined && { context: { customer_id } }) });
    const { url, engine } = await startMcp({ fromContext: ["customer_id"] }, { caller });
    const client = await connect(url);
    const { customer_id: _, ...rest } = feedback();
    expect(await client.callTool({ name: PROCESS, arguments: rest })).toMatchObject({
      structuredContent: { customer_id: "C-1", success: true },
    });
    customer_id = undefined;
    const refused = await client.callTool({ name: PROCESS, arguments: { ...rest, feedback_id: "F-2" } });
    expect(textOf(refused)[0]).toContain("Nothing was done");
    expect(await engine.list()).toHaveLength(1);
  });

  it("must be a field that a tool has", async () => {
    const { service } = await startMcp();
    expect(() => mcpHandler(service, { fixed: { customer: "C-1" } })).toThrow(/no tool has a field "customer"/);
  });
});

describe("a caller's scopes", () => {
  const CALL = { name: PROCESS, arguments: feedback() };
  const TASKS = { extensions: { "io.modelcontextprotocol/tasks": {} } };

  it("allow a caller who may read to analyze, but never to start anything, however they ask", async () => {
    const { url, engine } = await startMcp({}, { caller: { scopes: ["feedback:read"] } });
    const client = await connect(url);
    const call = { name: "analyze_feedback_sentiment", arguments: { text: "I love it" } };
    expect(await client.callTool(call)).toMatchObject({ structuredContent: { sentiment: "positive" } });
    const refused = await send(url, "tools/call", CALL);
    expect(refused.status).toBe(403);
    expect((await send(url, "tools/call", CALL, TASKS)).status).toBe(403);
    const earlier = (messages: object[]) =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
        body: JSON.stringify(messages.length === 1 ? messages[0] : messages),
      });
    const request = { jsonrpc: "2.0", id: 1, method: "tools/call", params: CALL };
    const list = { jsonrpc: "2.0", id: 2, method: "tools/list" };
    for (const messages of [[request], [request, list], [list, request]]) {
      const response = await earlier(messages);
      expect(await response.text()).not.toContain("steps_completed");
    }
    expect(await engine.list()).toEqual([]);
  });

  it("don't allow a caller who may only read to cancel a task", async () => {
    let caller = WORKING;
    const { url, engine } = await startMcp({}, { surroundings: { worker: false }, caller: () => caller });
    const { result } = await send(url, "tools/call", CALL, TASKS);
    const taskId = String(result!["taskId"]);
    caller = { scopes: ["feedback:read"] };
    expect(await send(url, "tasks/get", { taskId }, TASKS)).toMatchObject({ result: { status: "working" } });
    expect(await send(url, "tasks/cancel", { taskId }, TASKS)).toMatchObject({
      error: { message: "This needs the scope feedback:write." },
    });
    expect((await engine.get(taskId))?.status).toBe("started");
  });

  it("don't allow a caller who may only write to read records or tasks", async () => {
    const { url } = await startMcp({}, { caller: { scopes: ["feedback:write"] } });
    const { result } = await send(url, "tools/call", CALL, TASKS);
    expect(await send(url, "tasks/get", { taskId: result!["taskId"] }, TASKS)).toMatchObject({
      error: { message: "This needs the scope feedback:read." },
    });
    expect(await send(url, "resources/read", { uri: "abi://customer-feedback/F-1" })).toMatchObject({
      error: { message: "This needs the scope feedback:read." },
    });
    const prompt = { name: "explain_customer_feedback", arguments: { feedback_id: "F-1" } };
    expect(await send(url, "prompts/get", prompt)).toMatchObject({
      error: { message: "This needs the scope feedback:read." },
    });
  });

  it("are enforced on any transport, even if nothing in front of the server has checked them", async () => {
    const { service, engine } = await startMcp();
    const server = createMcpServer(service, {}, { scopes: ["feedback:read"] });
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    await server.connect(ours);
    const client = new Client({ name: "test", version: "1" });
    await client.connect(theirs);
    onTestFinished(() => client.close());
    const call = { name: "analyze_feedback_sentiment", arguments: { text: "I love it" } };
    expect(await client.callTool(call)).toMatchObject({ structuredContent: { sentiment: "positive" } });
    await expect(client.callTool(CALL)).rejects.toThrow("This needs the scope feedback:write.");
    expect(await engine.list()).toEqual([]);
  });

  it("are empty if the surrounding program hasn't said who is calling", async () => {
    const { service, engine } = await startMcp();
    const handler = mcpHandler(service) as unknown as (request: Request) => Promise<Response>;
    const url = await listen((request) => handler(request));
    expect((await fetch(url, { method: "POST" })).ok).toBe(false);
    const answered = await send(url, "tools/call", CALL).catch(() => ({ status: 500 }));
    expect(answered.status).not.toBe(200);
    expect(await engine.list()).toEqual([]);
  });
});

it("the server stops listening to a run if it can't report the progress to the client", async () => {
  const { engine, workflow } = await startFeedback();
  let listeners = 0;
  const listen = engine.onStep.bind(engine);
  const onStep = vi.spyOn(engine, "onStep").mockImplementation((listener) => {
    const stop = listen(listener);
    listeners += 1;
    return () => {
      listeners -= 1;
      stop();
    };
  });
  const service = new Service({ engine, workflows: [workflow] });
  engine.startWorker();
  const [near, far] = InMemoryTransport.createLinkedPair();
  const deliver = far.send.bind(far);
  far.send = (message, options) =>
    "method" in message && message.method === "notifications/progress"
      ? Promise.reject(new Error("The client has gone."))
      : deliver(message, options);
  await createMcpServer(service).connect(far);
  const client = new Client({ name: "test", version: "1" });
  await client.connect(near);
  onTestFinished(() => client.close());
  const called = client.callTool({ name: PROCESS, arguments: feedback() }, { onprogress: () => {} });
  await called.catch(() => {});
  expect(onStep).toHaveBeenCalledOnce();
  expect(listeners).toBe(0);
});
