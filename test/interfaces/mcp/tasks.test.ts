import { resultFromTaskOutcome } from "@modelcontextprotocol/ext-tasks/client";
import { DetailedTaskV2Schema } from "@modelcontextprotocol/ext-tasks/core/v2";
import { describe, expect, it } from "vitest";
import type { McpCaller, McpOptions } from "../../../src/mcp.ts";
import { feedback } from "../../support/feedback.ts";
import { conformanceWorkflows } from "../../support/mcp-conformance.ts";
import { send, startMcp, TASKS, taskSession, WORKING } from "../../support/mcp.ts";

const PROCESS = "process_customer_feedback";

/** The current state of a task, checked against the extension's own schema. */
async function taskOf(url: URL, taskId: unknown): Promise<Record<string, unknown>> {
  const { result, error } = await send(url, "tasks/get", { taskId }, TASKS);
  if (error) throw new Error(error.message);
  expect(DetailedTaskV2Schema.safeParse(result)).toMatchObject({ success: true });
  return result!;
}

const start = (url: URL, fields: Record<string, unknown> = {}, name = PROCESS) =>
  send(url, "tools/call", { name, arguments: name === PROCESS ? feedback(fields) : fields }, TASKS);

/** A server that executes nothing, so that runs don't advance. */
const idle = (options: McpOptions = {}, caller: McpCaller | (() => McpCaller) = WORKING) =>
  startMcp(options, { surroundings: { worker: false }, caller });

describe("a durable run as a task", () => {
  it("can be found by the workflow id as soon as it is announced, permanently", async () => {
    const { url, workflow } = await idle();
    const { result } = await start(url);
    expect(result).toMatchObject({ resultType: "task", status: "working", ttlMs: null });
    const taskId = String(result!["taskId"]);
    expect(await workflow.getWorkflowStatus(taskId)).toMatchObject({ status: "started" });
    expect(await taskOf(url, taskId)).toMatchObject({ taskId, status: "working", resultType: "complete" });
  });

  it("ends with the tool's result for the extension's own client", async () => {
    const { url, mails } = await startMcp();
    const session = await taskSession(url, TASKS);
    const { outcome } = await (await session.callTool(PROCESS, feedback())).settle();
    expect(resultFromTaskOutcome(outcome)).toMatchObject({
      structuredContent: { success: true, action: "auto_respond", feedback_id: "F-1" },
    });
    expect(mails.mails).toHaveLength(1);
  });

  it("ends as completed if it fails, with the failure as the tool's result", async () => {
    const { url, engine } = await startMcp();
    const { result } = await start(url, { customer_id: "C-9" });
    await engine.wait(String(result!["taskId"]));
    expect(await taskOf(url, result!["taskId"])).toMatchObject({
      status: "completed",
      result: { isError: true, content: [{ text: "Customer with ID C-9 not found" }, {}] },
    });
  });

  it("is cancelled together with its run, and stays cancelled", async () => {
    const { url, engine } = await idle();
    const { result } = await start(url);
    const taskId = String(result!["taskId"]);
    expect(await send(url, "tasks/cancel", { taskId }, TASKS)).toMatchObject({ result: { resultType: "complete" } });
    expect(await taskOf(url, taskId)).toMatchObject({ status: "cancelled" });
    expect((await engine.get(taskId))?.status).toBe("cancelled");
    expect(await send(url, "tasks/cancel", { taskId }, TASKS)).toMatchObject({ result: { resultType: "complete" } });
  });

  it("says which step keeps failing", async () => {
    const { url, engine } = await startMcp(
      {},
      { surroundings: { mailUrl: "smtp://127.0.0.1:1", retry: { attempts: 1, initialDelayMs: 1, maximumDelayMs: 5 } } },
    );
    const { result } = await start(url);
    await engine.wait(String(result!["taskId"]));
    expect(await taskOf(url, result!["taskId"])).toMatchObject({
      status: "working",
      statusMessage: expect.stringMatching(/mail/i),
    });
  });

  it("is not created twice for the same call", async () => {
    const { url, engine } = await startMcp();
    const first = await start(url);
    const taskId = first.result!["taskId"];
    await engine.wait(String(taskId));
    expect(await start(url)).toMatchObject({
      result: { resultType: "complete", structuredContent: { duplicate: true, feedback_id: "F-1" } },
    });
    expect(await engine.list()).toHaveLength(1);
  });

  it("is not created if the run ends before it can be announced, and the result is no duplicate", async () => {
    const { url, engine, workflow } = await startMcp();
    const submit = workflow.submitCall.bind(workflow);
    workflow.submitCall = async (args, origin) => {
      const accepted = await submit(args, origin);
      await engine.wait(accepted.id);
      return accepted;
    };
    const { result } = await start(url);
    expect(result).toMatchObject({ resultType: "complete", structuredContent: { success: true, feedback_id: "F-1" } });
    expect(result!["structuredContent"]).not.toHaveProperty("duplicate");
  });

  it("says when it was last changed: at the end of its run, or at the last event so far", async () => {
    const { url, engine } = await startMcp({}, { configuration: { approval: true } });
    const [ended, waiting] = await Promise.all([
      start(url, { send_response: false }),
      start(url, { feedback_id: "F-2" }),
    ]);
    for (const { result } of [ended, waiting]) {
      const id = String(result!["taskId"]);
      await engine.wait(id);
      const last = (await engine.events(id)).at(-1)!;
      expect(await taskOf(url, id)).toMatchObject({ lastUpdatedAt: last.time.toISOString() });
    }
  });

  it("is not created if the arguments are invalid or the content differs", async () => {
    const { url, engine } = await startMcp();
    expect(await start(url, { subject: "" })).toMatchObject({ result: { isError: true, resultType: "complete" } });
    await start(url);
    expect(await start(url, { feedback_text: "Something else." })).toMatchObject({
      result: { isError: true, structuredContent: { error_type: "conflict" } },
    });
    expect(await engine.list()).toHaveLength(1);
  });

  it("is not created for a client that has not declared support for tasks", async () => {
    const { url } = await startMcp();
    const call = { name: PROCESS, arguments: feedback() };
    const { result } = await send(url, "tools/call", call);
    expect(result).toMatchObject({ resultType: "complete", structuredContent: { success: true } });
    const run = (await start(url, { feedback_id: "F-2" })).result!;
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
      expect(await send(url, method, { taskId: run["taskId"], inputResponses: {} })).toMatchObject({
        status: 400,
        error: { code: -32021 },
      });
    }
  });

  it("is not created for a call that is answered at once", async () => {
    const { url } = await startMcp();
    const call = { name: "analyze_feedback_sentiment", arguments: { text: "I love it" } };
    expect(await send(url, "tools/call", call, TASKS)).toMatchObject({
      result: { resultType: "complete", structuredContent: { sentiment: "positive" } },
    });
  });
});

describe("a task id", () => {
  it.each(["workflow-00000000-0000-4000-8000-000000000000", "", "x".repeat(900), "../F-1"])(
    "that is unknown (%s) is refused",
    async (taskId) => {
      const { url } = await startMcp();
      for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
        expect(await send(url, method, { taskId, inputResponses: {} }, TASKS)).toMatchObject({
          error: { code: -32602, message: "There is no task with this id." },
        });
      }
    },
  );

  it("of another customer's run is unknown to a caller whose customer is set", async () => {
    let customer_id = "C-1";
    const { url, engine } = await idle({ fromContext: ["customer_id"] }, () => ({
      ...WORKING,
      context: { customer_id },
    }));
    const { customer_id: _, ...rest } = feedback();
    const { result } = await send(url, "tools/call", { name: PROCESS, arguments: rest }, TASKS);
    const taskId = String(result!["taskId"]);
    expect(await taskOf(url, taskId)).toMatchObject({ status: "working" });
    customer_id = "C-vip";
    for (const method of ["tasks/get", "tasks/cancel"]) {
      expect(await send(url, method, { taskId }, TASKS)).toMatchObject({ error: { code: -32602 } });
    }
    expect((await engine.get(taskId))?.status).toBe("started");
  });

  it("of any workflow is accepted", async () => {
    const { url } = await startMcp({}, { more: (engine) => ({ workflows: conformanceWorkflows(engine) }) });
    const { result } = await start(url, { seconds: 0 }, "slow_compute");
    expect(await taskOf(url, result!["taskId"])).toMatchObject({ taskId: result!["taskId"] });
  });
});
