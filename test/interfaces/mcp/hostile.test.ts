import { request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { createLogger } from "../../../src/log.ts";
import { feedback } from "../../support/feedback.ts";
import { connect, REVISION, send, startMcp } from "../../support/mcp.ts";

const PROCESS = "process_customer_feedback";

const post = (url: URL, body: string, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body,
  });

describe("an invalid request", () => {
  it.each([
    ["half an object", "{"],
    ["no JSON", "hello"],
    ["nothing", ""],
    ["a number", "5"],
    ["an empty batch", "[]"],
    ["null", "null"],
    ["no version", '{"id":1,"method":"tools/list"}'],
    ["a method that is a number", '{"jsonrpc":"2.0","id":1,"method":5}'],
    ["a prototype", '{"jsonrpc":"2.0","id":1,"method":"__proto__","params":{"__proto__":{"x":1}}}'],
    [
      "deep nesting",
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${'{"a":'.repeat(5000)}1${"}".repeat(5000)}}`,
    ],
  ])("is answered with a protocol error: %s", async (_, body) => {
    const { url, engine } = await startMcp();
    const response = await post(url, body);
    const text = await response.text();
    expect(text).toMatch(/"code":-32\d+/);
    expect(text).not.toMatch(/node_modules|at \w+ \(|\/src\//);
    expect(await engine.list()).toEqual([]);
    expect((await (await connect(url)).listTools()).tools).toHaveLength(3);
  });

  it("may have another content type, another method or too large a body", async () => {
    const { url, engine } = await startMcp();
    const call = { name: PROCESS, arguments: feedback({ feedback_text: "x".repeat(1_000_000) }) };
    const huge = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: call });
    // The answer arrives before the body has been read.
    const sending = request(url, { method: "POST", headers: { "content-type": "application/json" } }).on(
      "error",
      () => {},
    );
    sending.end(huge);
    const [answer] = (await once(sending, "response")) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    expect((await post(url, "{}", { "content-type": "text/plain" })).status).toBe(415);
    for (const method of ["GET", "DELETE", "PUT"]) expect((await fetch(url, { method })).status).toBe(405);
    expect(await engine.list()).toEqual([]);
  });

  it("may have headers that contradict its body, or an unknown protocol version", async () => {
    const { url } = await startMcp();
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/list",
      params: {
        _meta: {
          "io.modelcontextprotocol/protocolVersion": REVISION,
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    });
    const version = { "mcp-protocol-version": REVISION };
    expect((await post(url, body, { ...version, "mcp-method": "tools/list" })).status).toBe(200);
    expect((await post(url, body, { ...version, "mcp-method": "tools/call" })).status).toBe(400);
    const other = body.replaceAll(REVISION, "2031-01-01");
    const headers = { "mcp-protocol-version": "2031-01-01", "mcp-method": "tools/list" };
    expect((await post(url, other, headers)).status).toBe(400);
  });
});

describe("arguments", () => {
  it.each<[string, unknown]>([
    ["a list", []],
    ["a text", "F-1"],
    ["null", null],
    ["a number", 7],
  ])("that are %s start nothing", async (_, args) => {
    const { url, engine } = await startMcp();
    const { result, error } = await send(url, "tools/call", { name: PROCESS, arguments: args });
    expect(error?.code === -32602 || result?.["isError"] === true).toBe(true);
    expect(await engine.list()).toEqual([]);
  });

  it("are stored unchanged, whatever they contain", async () => {
    const { url, workflow } = await startMcp();
    const client = await connect(url);
    const feedback_text = "\u202E<script>'\"\\{{7*7}} } DROP GRAPH <x> ; \r\n\r\nBcc: a@b.example 🙂";
    const call = { name: PROCESS, arguments: feedback({ feedback_text }) };
    expect(await client.callTool(call)).toMatchObject({ structuredContent: { success: true } });
    expect(await workflow.view("F-1")).toMatchObject({ status: "processed" });
  });

  it("with half a surrogate pair are refused with an explanation", async () => {
    const { url } = await startMcp();
    const { result } = await send(url, "tools/call", {
      name: PROCESS,
      arguments: feedback({ feedback_text: "a\uD800" }),
    });
    expect(result).toMatchObject({ isError: true });
  });
});

it("a run continues if its client disconnects, and the server still serves others", async () => {
  const { url, engine, workflow, mails } = await startMcp();
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: PROCESS, arguments: feedback(), _meta: { progressToken: 1 } },
  });
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const call = request(url, { method: "POST", headers }).end(body);
  call.on("error", () => {});
  const [answer] = (await once(call, "response")) as [NodeJS.ReadableStream & { destroy(): void }];
  await once(answer, "data");
  answer.destroy();
  call.destroy();
  const run = await workflow.findWorkflow("F-1");
  expect((await engine.wait(run!.workflow_id)).status).toBe("completed");
  expect(mails.mails).toHaveLength(1);
  expect((await (await connect(url)).listTools()).tools).toHaveLength(3);
});

it("the log contains nothing that clients sent", async () => {
  let log = "";
  const logger = createLogger("debug", { write: (line: string) => void (log += line) });
  const { url } = await startMcp({}, { configuration: { logger }, surroundings: { logger }, more: () => ({ logger }) });
  await post(url, '{"jsonrpc":"2.0","secret words');
  await post(url, '"secret words"', { "content-type": "text/secret words" });
  await post(url, JSON.stringify({ jsonrpc: "2.0", id: 1, method: "secret words", params: { text: "secret words" } }));
  await send(url, "secret words", { text: "secret words" });
  await send(url, "tools/call", { name: PROCESS, arguments: feedback({ feedback_text: "secret words" }) });
  await send(url, "tools/call", { name: PROCESS, arguments: { secret: "secret words" } });
  expect(log).not.toContain("secret words");
  expect(log).toContain("an MCP message was refused");
});
