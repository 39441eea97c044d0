import { Hono } from "hono";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import { DynamicStructuredTool } from "@langchain/core/tools";
import type { ToolMessage } from "@langchain/core/messages";
import { describe, expect, it } from "vitest";
import { feedback, startFeedback, values } from "../../support/feedback.ts";

const NAMES = ["process_customer_feedback", "analyze_feedback_sentiment", "categorize_feedback_text"];

async function startTools() {
  const parts = await startFeedback();
  const [process, analyze, categorize] = parts.workflow.as_tools() as [
    DynamicStructuredTool,
    DynamicStructuredTool,
    DynamicStructuredTool,
  ];
  const call = async (tool: DynamicStructuredTool, args: unknown, config = {}): Promise<ToolMessage> =>
    (await tool.invoke(
      { type: "tool_call", id: "call-1", name: tool.name, args: args as never },
      config,
    )) as ToolMessage;
  return { ...parts, process, analyze, categorize, call };
}

/** Strict mode's rules, as OpenAI documents them: every property required, no additional ones, few keywords. */
function strictModeFaults(schema: Record<string, unknown>, path = "$"): string[] {
  const allowed = new Set([
    "$schema",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "enum",
    "description",
  ]);
  const faults = Object.keys(schema).flatMap((keyword) => (allowed.has(keyword) ? [] : [`${path}: ${keyword}`]));
  if (schema["type"] === "object") {
    const properties = schema["properties"] as Record<string, Record<string, unknown>>;
    if (schema["additionalProperties"] !== false) faults.push(`${path}: additionalProperties`);
    if (String(schema["required"]) !== String(Object.keys(properties))) faults.push(`${path}: required`);
    for (const [name, property] of Object.entries(properties))
      faults.push(...strictModeFaults(property, `${path}.${name}`));
  }
  for (const option of (schema["anyOf"] ?? []) as Record<string, unknown>[])
    faults.push(...strictModeFaults(option, `${path}|`));
  if (schema["items"]) faults.push(...strictModeFaults(schema["items"] as Record<string, unknown>, `${path}[]`));
  return faults;
}

describe("the workflow as tools", () => {
  it("provides exactly the three tools of the guide, with its descriptions", async () => {
    const { workflow } = await startFeedback();
    const tools = workflow.as_tools();
    expect(tools.map(({ name }) => name)).toEqual(NAMES);
    expect(tools.every((tool) => tool instanceof DynamicStructuredTool)).toBe(true);
    expect(tools.map(({ description }) => description)).toEqual([
      expect.stringMatching(/^Process customer feedback and optionally send a response/),
      expect.stringMatching(/^Analyze the sentiment of customer feedback text/),
      expect.stringMatching(/^Categorize feedback text into predefined categories/),
    ]);
    expect(tools.every(({ responseFormat }) => responseFormat === "content_and_artifact")).toBe(true);
  });

  it("gives models schemas that are valid in strict mode, with every field described", async () => {
    const { workflow } = await startFeedback();
    for (const tool of workflow.as_tools()) {
      const { parameters } = convertToOpenAITool(tool).function;
      expect(strictModeFaults(parameters as Record<string, unknown>)).toEqual([]);
      const { properties } = parameters as { properties: Record<string, { description?: string }> };
      for (const { description } of Object.values(properties)) expect(description).toBeTruthy();
    }
    expect(
      strictModeFaults({ type: "object", properties: { a: { type: "string", minLength: 1 } }, required: [] }),
    ).toHaveLength(3);
  });

  it("processes feedback and returns a line for the model and the whole result for the program", async () => {
    const { process, call, mails } = await startTools();
    const answer = await call(process, feedback({ sentiment: null, categories: null, send_response: null }));
    expect(answer.tool_call_id).toBe("call-1");
    expect(JSON.parse(answer.content as string)).toEqual(answer.artifact);
    expect(answer.artifact).toMatchObject({ success: true, action: "auto_respond", sentiment: "positive" });
    expect(mails.mails).toHaveLength(1);
  });

  it("accepts a call without the optional fields", async () => {
    const { process } = await startTools();
    expect(JSON.parse((await process.invoke(feedback())) as string)).toMatchObject({ success: true });
  });

  it("derives a missing or null id from the content, so that the same call made twice sends one email", async () => {
    const { process, call, mails, ontologyStore } = await startTools();
    const { feedback_id: _, ...rest } = feedback();
    const answers = await Promise.all([call(process, { ...rest, feedback_id: null }), call(process, rest)]);
    const [first, second] = answers.map(({ artifact }) => artifact as { feedback_id: string; duplicate?: boolean });
    expect(first!.feedback_id).toBe(second!.feedback_id);
    expect(answers.filter(({ artifact }) => (artifact as { duplicate?: boolean }).duplicate)).toHaveLength(1);
    expect(mails.mails).toHaveLength(1);
    const padded = (await call(process, { ...rest, feedback_text: ` ${rest.feedback_text}\n` })).artifact as {
      duplicate?: boolean;
    };
    expect(padded.duplicate).toBe(true);
    const other = (await call(process, { ...rest, subject: "Another" })).artifact as { feedback_id: string };
    expect(other.feedback_id).not.toBe(first!.feedback_id);
    expect(await values(ontologyStore, "Feedback", "abi:id")).toHaveLength(2);
  });

  it.each([
    ["bad arguments", { customer_id: 7.5, subject: "a\nb" }, "validation_error", /customer_id.*subject.*feedback_text/],
    ["no arguments", {}, "validation_error", /customer_id: is missing/],
    [
      "an unknown customer",
      feedback({ customer_id: "C-404" }),
      "validation_error",
      /^Customer with ID C-404 not found$/,
    ],
    ["a recipient, which no tool takes", feedback({ recipient: "me@evil.example" }), "validation_error", /recipient/],
  ])("answers %s with a result that the model can read", async (_, args, error_type, message) => {
    const { process, call, mails } = await startTools();
    const { content, artifact, status } = await call(process, args);
    expect(artifact).toMatchObject({
      success: false,
      error_type,
      retriable: false,
      error: expect.stringMatching(message),
    });
    expect(JSON.parse(content as string)).toEqual(artifact);
    expect(status).not.toBe("error");
    expect(mails.mails).toEqual([]);
  });

  it("analyzes and categorizes without storing anything", async () => {
    const { analyze, categorize, call, ontologyStore, engine } = await startTools();
    expect((await call(analyze, { text: "This product is terrible and I hate it!" })).artifact).toMatchObject({
      sentiment: "negative",
    });
    const { artifact } = await call(categorize, { text: "The product design is excellent but the price is too high." });
    expect((artifact as { categories: string[] }).categories).toEqual(["product", "pricing"]);
    expect((await call(analyze, { text: "" })).artifact).toMatchObject({
      error_type: "validation_error",
      retriable: false,
    });
    expect([await ontologyStore.listStores(), await engine.list()]).toEqual([[], []]);
  });

  it("reports the progress of a running call", async () => {
    const { process, call } = await startTools();
    const events: unknown[] = [];
    await call(process, feedback(), { callbacks: [{ handleToolEvent: (event: unknown) => void events.push(event) }] });
    expect(events).toEqual(
      [
        "customer_data_retrieved",
        "sentiment_analyzed",
        "feedback_categorized",
        "feedback_stored",
        "response_sent",
      ].flatMap((step) =>
        ["started", "completed"].map((phase) => expect.objectContaining({ type: "progress", step, phase, attempt: 1 })),
      ),
    );
  });

  it("reports to each caller only the progress of its own run", async () => {
    const { process, call } = await startTools();
    const progressOf = async (feedback_id: string): Promise<string[]> => {
      const ids: string[] = [];
      const handleToolEvent = ({ workflow_id }: { workflow_id: string }): void => void ids.push(workflow_id);
      await call(process, feedback({ feedback_id }), { callbacks: [{ handleToolEvent }] });
      return ids;
    };
    const progress = await Promise.all(["F-1", "F-2", "F-3"].map(progressOf));
    expect(progress.map((ids) => ids.length)).toEqual([10, 10, 10]);
    expect(progress.map((ids) => new Set(ids).size)).toEqual([1, 1, 1]);
    expect(new Set(progress.flat()).size).toBe(3);
  });

  it("starts nothing for a call that was already aborted, and returns early if a call is aborted later", async () => {
    const { process, call, mails, engine } = await startTools();
    await expect(call(process, feedback(), { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    expect(await engine.list()).toEqual([]);

    const held = Promise.withResolvers<void>();
    mails.script("data", { after: held.promise });
    const abort = new AbortController();
    const arrived = mails.reached("data");
    const leaving = call(process, feedback(), { signal: abort.signal });
    await arrived;
    abort.abort(new Error("left"));
    await expect(leaving).rejects.toThrow("left");
    held.resolve();
    const { id } = await engine.start("customer-feedback", { key: "other", fingerprint: "x", input: {} });
    await engine.wait(id);
    expect((await engine.wait((await engine.find("customer-feedback", "F-1"))!.id)).status).toBe("completed");
    expect(mails.mails).toHaveLength(1);
  });
});

describe("the workflow over HTTP", () => {
  async function startApi(configuration: Parameters<typeof startFeedback>[0] = {}) {
    const parts = await startFeedback(configuration);
    const app = new Hono();
    parts.workflow.as_api(app);
    const post = (body: unknown) =>
      app.request("/workflows/customer-feedback", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      });
    const get = (id: string) => app.request(`/workflows/customer-feedback/${encodeURIComponent(id)}`);
    return { ...parts, post, get };
  }

  it("accepts feedback at once and later reports its outcome", async () => {
    const { post, get, engine, mails } = await startApi();
    const held = Promise.withResolvers<void>();
    mails.script("data", { after: held.promise });
    const arrived = mails.reached("data");
    const accepted = await post(feedback());
    expect(accepted.status).toBe(202);
    const body = (await accepted.json()) as { workflow_id: string };
    expect(body).toEqual({
      status: "processing",
      feedback_id: "F-1",
      customer_id: "C-1",
      workflow_id: expect.stringMatching(/^workflow-/),
    });
    await arrived;
    const { workflow_id } = body;
    expect(await (await get("F-1")).json()).toEqual({ status: "processing", feedback_id: "F-1", workflow_id });
    held.resolve();
    await engine.wait(body.workflow_id);
    const processed = await get("F-1");
    expect(processed.status).toBe(200);
    const run = (await engine.get(body.workflow_id))!;
    const told = (await processed.json()) as { timestamp: string };
    expect(told).toEqual({
      status: "processed",
      feedback_id: "F-1",
      timestamp: expect.any(String),
      sentiment: "positive",
      categories: ["product"],
      response_sent: true,
      workflow_id,
    });
    expect(new Date(told.timestamp)).toEqual(run.startTime);
    expect(((await (await post(feedback())).json()) as { workflow_id: string }).workflow_id).toBe(body.workflow_id);
    expect(mails.mails).toHaveLength(1);
  });

  it("reports feedback as processing while its email waits for the mail server, with the reason", async () => {
    const { post, get, engine, mails } = await startApi();
    mails.greylists = true;
    const { workflow_id } = (await (await post(feedback())).json()) as { workflow_id: string };
    await engine.wait(workflow_id);
    expect(await (await get("F-1")).json()).toMatchObject({
      status: "processing",
      feedback_id: "F-1",
      failing: { step: "response_sent", attempts: 1, error_code: "mail_unavailable", until: expect.any(String) },
    });
  });

  it("reports feedback that got no answer, failed, was cancelled or is unknown", async () => {
    const { post, get, engine, mails } = await startApi({ mailRetryForMs: 0 });
    const ended = async (fields: Record<string, unknown>) => {
      const { workflow_id } = (await (await post(feedback(fields))).json()) as { workflow_id: string };
      await engine.wait(workflow_id);
    };
    await ended({ feedback_id: "a/b?c", send_response: false });
    expect(await (await get("a/b?c")).json()).toMatchObject({ status: "processed", response_sent: false });
    await ended({ feedback_id: "F-2", customer_id: "C-404" });
    expect(await (await get("F-2")).json()).toMatchObject({
      status: "failed",
      feedback_id: "F-2",
      error: "Customer with ID C-404 not found",
    });
    mails.script("rcpt", { code: 451 }, { code: 451 }, { code: 451 });
    await ended({ feedback_id: "F-mail" });
    expect(await (await get("F-mail")).json()).toMatchObject({ status: "failed", error_type: "io_error" });
    const { id } = await engine.start("customer-feedback", { key: "F-3", fingerprint: "x", input: {} });
    await engine.cancel(id);
    await engine.wait(id);
    expect((await (await get("F-3")).json()) as object).toMatchObject({
      feedback_id: "F-3",
      status: expect.stringMatching(/cancelled|failed/),
    });
    const unknown = await get("F-404");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toEqual({ status: "not_found", feedback_id: "F-404" });
  });

  it.each([
    ["invalid fields", feedback({ subject: "", categories: ["x"] }), 422],
    ["invalid JSON", "{", 400],
    ["invalid UTF-8", Uint8Array.of(0x22, 0xff, 0x22), 400],
    ["an empty body", "", 400],
    ["megabytes", feedback({ feedback_text: "x".repeat(2_000_000) }), 413],
  ])("refuses %s", async (_, body, status) => {
    const { post, engine } = await startApi();
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error_type: "validation_error", error: expect.any(String) });
    expect(await engine.list()).toEqual([]);
  });

  it("names the invalid fields", async () => {
    const { post } = await startApi();
    const response = await post(feedback({ subject: "", categories: ["x"] }));
    const { fields } = (await response.json()) as { fields: { field: string }[] };
    expect(fields.map(({ field }) => field)).toEqual(["subject", "categories[0]"]);
  });

  it("answers different content under a known id with 409", async () => {
    const { post } = await startApi();
    await post(feedback());
    expect((await post(feedback({ feedback_text: "other" }))).status).toBe(409);
  });
});
