import { AIMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { createServer } from "node:http";
import type pRetry from "p-retry";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { FeedbackAgent } from "../../agents/index.ts";
import { reply, startOpenAiServer, toolCall, type OpenAiServer, type ScriptStep } from "../support/openai-server.ts";
import { feedbackTools } from "./feedback-tools.ts";
import { delta, message, NO_ANSWERS, SOUND, UNSOUND, WORDS } from "./wire-formats.ts";

// No waits between attempts: another test checks those.
vi.mock("p-retry", async (original) => {
  const { default: retry, ...rest } = await original<{ default: typeof pRetry }>();
  const soon: typeof pRetry = (work, options) => retry(work, { ...options, minTimeout: 0, maxTimeout: 0 });
  return { ...rest, default: soon };
});
// Other test files have already loaded the modules that use p-retry, and later ones will load them again.
vi.resetModules();
afterAll(() => {
  vi.doUnmock("p-retry");
  vi.resetModules();
});
const { createChatModel, createFeedbackAgent } = await import("../../agents/index.ts");
const { toModelError } = await import("../../agents/model-errors.ts");
const { compatibleFetch } = await import("../../src/chat-completions/compatible-fetch.ts");
const { parseArguments } = await import("../../src/chat-completions/tool-calls.ts");
const { AbiError } = await import("../../src/errors.ts");

async function start(script: readonly ScriptStep[]): Promise<{ server: OpenAiServer; agent: FeedbackAgent }> {
  const server = await startOpenAiServer(script);
  const agent = await createFeedbackAgent({
    model: await createChatModel({ openaiBaseUrl: server.url, openaiModel: "m-1" }),
    tools: feedbackTools(),
  });
  onTestFinished(() => agent.close());
  onTestFinished(() => server.close());
  return { server, agent };
}

const MODES = ["streamed", "invoked"] as const;

/** Runs the agent in one of the two modes, and returns its answer and the calls that it carried out. */
async function run(agent: FeedbackAgent, mode: (typeof MODES)[number]) {
  if (mode === "streamed") {
    let heard = "";
    const { text, toolCalls } = await agent.ask("Do it", { onToken: (token) => (heard += token) });
    return { text, heard, calls: toolCalls.filter(({ failed }) => !failed).map(({ name, args }) => [name, args]) };
  }
  const { messages } = (await agent.agent.invoke({ messages: "Do it" })) as { messages: BaseMessage[] };
  const results = messages.filter((one) => ToolMessage.isInstance(one) && one.status !== "error") as ToolMessage[];
  const done = new Set(results.map((one) => one.tool_call_id));
  const planned = messages.flatMap((one) => (AIMessage.isInstance(one) ? (one.tool_calls ?? []) : []));
  const text = messages.at(-1)?.text ?? "";
  const calls = planned.filter(({ id = "" }) => done.has(id)).map(({ name, args }) => [name, args]);
  return { text, heard: text, calls };
}

describe.each(MODES)("an agent that is %s", (mode) => {
  test.each(SOUND)("carries out calls that can be understood: $name", async ({ answer, calls }) => {
    const { server, agent } = await start([answer, reply("All done.")]);
    expect(await run(agent, mode)).toMatchObject({ text: "All done.", calls });
    // Two requests, because the server refuses calls without results and results without calls.
    expect(server.requests).toHaveLength(2);
  });

  test.each(UNSOUND)("never carries out incomplete or malformed calls: $name", async ({ answer }) => {
    using _warnings = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const { agent } = await start([
      answer,
      toolCall("analyze_feedback_sentiment", { text: "again" }),
      reply("All done."),
    ]);
    expect(await run(agent, mode)).toMatchObject({
      text: "All done.",
      calls: [["analyze_feedback_sentiment", { text: "again" }]],
    });
  });

  test.each(WORDS)(
    "shows only what is meant for the user: $name",
    async ({ answer, text = "All done.", unopened = false }) => {
      const { agent } = await start([answer]);
      const { text: answered, heard } = await run(agent, mode);
      // Text before an unopened closing tag can't be recognized as reasoning while it is being streamed.
      const shown = unopened ? heard.split("</think>").at(-1) : heard;
      expect([answered, shown?.trim()]).toEqual([text, text]);
    },
  );

  test.each(NO_ANSWERS)("says what is wrong: $name", async ({ answer, code, retried, says, unexplained }) => {
    const { server, agent } = await start(Array.from({ length: 4 }, () => answer));
    const error: unknown = await run(agent, mode).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    // Once more without stream_options, if the server may have refused those.
    const again = unexplained === true && mode === "streamed";
    expect(server.requests).toHaveLength(retried ? 4 : again ? 2 : 1);
    if (mode === "invoked") return;
    expect(error).toBeInstanceOf(AbiError);
    expect(error).toMatchObject({ code, retriable: retried, message: expect.stringMatching(says) as string });
  });
});

test("a temporary failure goes unnoticed", async () => {
  const { agent } = await start([
    { body: { choices: [] } },
    { events: [{ error: { code: 502 } }] },
    reply("All done."),
  ]);
  expect((await agent.ask("Do it")).text).toBe("All done.");
});

describe("a stream that just stops", () => {
  const stopped = (fields: object): ScriptStep => ({ events: [delta(fields)], done: false });
  const call = {
    index: 0,
    id: "x",
    function: { name: "analyze_feedback_sentiment", arguments: '{"text":"a"}' },
  };

  test.each([{ content: "The" }, { tool_calls: [call] }])(
    "counts as broken off, and is requested again: %j",
    async (fields) => {
      const { agent } = await start([stopped(fields), reply("One."), reply("Two."), stopped(fields), reply("Three.")]);
      for (const text of ["One.", "Two.", "Three."])
        expect(await agent.ask("Do it")).toMatchObject({ text, toolCalls: [] });
    },
  );

  test("is an answer if the server never marks the end of one", async () => {
    const { server, agent } = await start([
      stopped({ content: "The" }),
      stopped({ content: "All done." }),
      stopped({ tool_calls: [call] }),
      stopped({ content: "Done again." }),
      stopped({ reasoning_content: "I wonder" }),
      stopped({ content: "And again." }),
    ]);
    const note = "[The model service did not say whether this answer is complete.]";
    expect((await agent.ask("Do it")).text).toBe(`All done.\n${note}`);
    expect(await agent.ask("Do it")).toMatchObject({ text: `Done again.\n${note}`, toolCalls: [{ failed: false }] });
    expect((await agent.ask("Do it")).text).toBe(`And again.\n${note}`);
    expect(server.requests).toHaveLength(6);
  });
});

test("a stream is understood even if its content type is that of a web page", async () => {
  const { agent } = await start([{ events: [delta({ content: "All done." }, "stop")], contentType: "text/html" }]);
  expect((await agent.ask("Do it")).text).toBe("All done.");
});

test("text is streamed while the answer is still being written", async () => {
  const heard = Promise.withResolvers<void>();
  const slow = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(delta({ content: "All " }))}\n\n`);
    void heard.promise.then(() => response.end(`data: ${JSON.stringify(delta({ content: "done." }, "stop"))}\n\n`));
  });
  await new Promise<void>((resolve) => {
    slow.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => void slow.close());
  const { port } = slow.address() as { port: number };
  const agent = await createFeedbackAgent({
    model: await createChatModel({ openaiBaseUrl: `http://127.0.0.1:${port}/v1` }),
    tools: [],
  });
  onTestFinished(() => agent.close());
  expect((await agent.ask("Hi", { onToken: () => heard.resolve() })).text).toBe("All done.");
});

test("missing arguments count as those of a tool without parameters", async () => {
  for (const args of ["", "null", null, undefined, {}, '""', "{}"]) {
    const { server, agent } = await start([
      {
        events: [
          delta(
            { tool_calls: [{ index: 0, id: "x", function: { name: "categorize_feedback_text", arguments: args } }] },
            "tool_calls",
          ),
        ],
      },
      reply("All done."),
    ]);
    await agent.ask("Do it");
    // The call was understood: the tool does have a parameter, and says that it is missing.
    expect(JSON.stringify(server.requests[1]?.body.messages.at(-1))).toContain("do not fit its schema");
  }
});

test("line breaks and tabs inside the strings of arguments are understood", () => {
  expect(parseArguments('{\n\t"text": "I \\"love\\"\n\tit\\n"\n}')).toEqual({ text: 'I "love"\n\tit\n' });
  expect(parseArguments('{"text": "I love\nit')).toBeUndefined();
});

test("extra fields of a server's calls are sent back with them", async () => {
  const signature = { google: { thought_signature: "sig" } };
  const call = {
    id: "x",
    type: "function",
    extra_content: signature,
    function: { name: "analyze_feedback_sentiment", arguments: '{"text":"a"}' },
  };
  const { server, agent } = await start([
    {
      events: [
        delta({ reasoning_content: "I " }),
        delta({ reasoning_content: "see" }),
        delta({ tool_calls: [{ index: 0, ...call }] }, "tool_calls"),
      ],
    },
    message({ content: "", reasoning_content: "Again", tool_calls: [call] }, "tool_calls"),
    reply("All done."),
  ]);
  await agent.ask("Do it");
  const assistant = server.requests[2]?.body.messages.filter(({ role }) => role === "assistant") ?? [];
  expect(assistant).toMatchObject([
    { reasoning_content: "I see", tool_calls: [{ id: "x", extra_content: signature }] },
    { reasoning_content: "Again", tool_calls: [{ extra_content: signature }] },
  ]);
  expect(assistant[1]?.tool_calls?.[0]?.id).not.toBe("x");
});

test("a server that refuses stream_options no longer gets them", async () => {
  const refusal = {
    status: 400,
    body: { error: { message: "Unrecognized request argument supplied: stream_options" } },
  };
  const { server, agent } = await start([refusal, reply("One."), reply("Two.")]);
  expect((await agent.ask("Do it")).text).toBe("One.");
  expect((await agent.ask("Do it")).text).toBe("Two.");
  expect(server.requests.map(({ body }) => body.stream_options)).toEqual([
    { include_usage: true },
    undefined,
    undefined,
  ]);
});

test("a server that refuses stream_options without naming them no longer gets them", async () => {
  const refusal = { status: 400, body: { error: { message: "Invalid request" } } };
  const { server, agent } = await start([refusal, reply("One."), reply("Two."), refusal, refusal]);
  expect((await agent.ask("Do it")).text).toBe("One.");
  expect((await agent.ask("Do it")).text).toBe("Two.");
  expect(server.requests.map(({ body }) => "stream_options" in body)).toEqual([true, false, false]);
});

test.each(["nothing more", "comments alone"])("a stream with %s times out", async (what) => {
  const service = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(delta({ role: "assistant", content: "" }))}\n\n`);
    if (what === "nothing more") return;
    const comments = setInterval(() => response.write(": comment\n\n"), 10);
    response.on("close", () => clearInterval(comments));
  });
  await new Promise<void>((resolve) => {
    service.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => void service.close());
  const { port } = service.address() as { port: number };
  const response = await compatibleFetch({ developerRole: false, idleLimit: 50 })(`http://127.0.0.1:${port}`, {
    method: "POST",
    body: JSON.stringify({ stream: true, messages: [] }),
  });
  const error: unknown = await response.text().catch((thrown: unknown) => thrown);
  expect(toModelError(error)).toMatchObject({
    code: "model_timeout",
    retriable: true,
    message: expect.stringContaining("stopped answering") as string,
  });
});

test("only OpenAI's own servers get the role developer, whatever the model", async () => {
  for (const openaiModel of [undefined, "gpt-5.4-mini", "o3"]) {
    await using server = await startOpenAiServer([reply("Hello")]);
    const agent = await createFeedbackAgent({
      model: await createChatModel({ openaiBaseUrl: server.url, openaiModel }),
      tools: [],
    });
    await agent.ask("Hi");
    await agent.close();
    expect(server.requests[0]?.body.messages[0]?.role).toBe("system");
  }
});

describe("a LangChain client that a user brings along", () => {
  const OWN = SOUND.filter(({ name }) =>
    /without id|neither id nor index, streamed|Gemini with index 0 for all|as an object|encoded twice|no id/u.test(
      name,
    ),
  );

  test.each(OWN)("has its valid calls carried out: $name", async ({ name, answer, calls }) => {
    using _warnings = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await using server = await startOpenAiServer([answer, reply("All done.")]);
    const agent = await createFeedbackAgent({
      model: new ChatOpenAI({ model: "m", apiKey: "none", configuration: { baseURL: server.url } }),
      tools: feedbackTools(),
    });
    onTestFinished(() => agent.close());
    expect((await run(agent, name.endsWith("whole") ? "invoked" : "streamed")).calls).toEqual(calls);
  });
});
