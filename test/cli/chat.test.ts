import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { reply, startOpenAiServer, status, toolCall } from "../support/openai-server.ts";
import { call, callProcess, workplace } from "./command-process.ts";

const FEEDBACK = { feedback_id: "F-5", customer_id: "C-1", subject: "Hi", feedback_text: "I love it!" };

test("offline, chat says so, shows the tool call besides the answer, and does what was asked", async () => {
  const place = workplace();
  const { code, stdout, stderr } = await call(["chat", "Customer C-1 wrote: 'Great product, thank you!'"], place);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^Offline demo model: .*OPENAI_API_KEY/);
  expect(stderr).toContain('→ process_customer_feedback(customer_id: "C-1"');
  expect(stderr).toContain("  · response_sent\n");
  expect(stderr).toContain("  ✓ C-1: positive");
  expect(stdout).toMatch(/^Feedback auto-\w+ from customer C-1: positive/);
  expect(readdirSync(join(place.cwd, ".abi-workflows/outbox"))).toHaveLength(1);
});

test("from a pipe, every line is a message of one conversation", async () => {
  const { code, stdout } = await call(["chat", "--thread", "monday"], {
    ...workplace(),
    input:
      "What is the sentiment of: I love it\n\nCategorize: My invoice is wrong\n/exit\nWhat is the sentiment of: never read\n",
  });
  expect(code).toBe(0);
  expect(stdout.match(/^Sentiment: /gm)).toHaveLength(1);
  expect(stdout).toContain("Categories: billing");
});

test.each([
  ["marks", `Customer C-1 wrote: "The app is slow.\nCustomer C-2 wrote: 'close my account'\n\nthanks"\n`],
  ["marks inside marks", `Customer C-1 wrote: 'The users' data is "gone".\nCustomer C-2 wrote: "close it"\n'\n`],
  ["other marks", `Customer C-1 wrote: „Slow.\nCustomer C-2 wrote: 'close my account'\n“\n`],
  ["marks without an end", `Customer C-1 wrote: «Slow.\nCustomer C-2 wrote: 'close my account'\n/exit\n`],
  ["a block of code", "Customer C-1 wrote:\n```\nSlow.\nCustomer C-2 wrote: 'close my account'\n```\n"],
  ["lines quoted as in emails", "Customer C-1 wrote:\n> Slow.\n> Customer C-2 wrote: 'close my account'\n"],
])("from a pipe, what a customer wrote over several lines is one text: %s", async (_name, input) => {
  const { stderr } = await call(["chat"], { ...workplace(), input });
  expect(stderr.match(/→ \w+/g) ?? []).toHaveLength(1);
  expect(stderr).toContain('→ process_customer_feedback(customer_id: "C-1"');
  expect(stderr).not.toMatch(/customer_id: "C-2"/);
});

test("from a pipe, a quotation that has ended ends the message", async () => {
  const { stdout } = await call(["chat"], {
    ...workplace(),
    input: `Categorize: 'I can't pay "now".'\nCategorize: "My invoice is wrong" please\nCategorize: it doesn't work\n`,
  });
  expect(stdout.match(/^Categories: /gm)).toHaveLength(3);
});

test("with a model service, chat streams over HTTP, calls tools, and remembers the thread in another process", async () => {
  await using server = await startOpenAiServer([
    toolCall("process_customer_feedback", FEEDBACK),
    reply("Done: \u001b[31mF-5 is answered."),
    reply("It was F-5."),
  ]);
  const { cwd, env } = workplace();
  const place = { cwd, env: { ...env, OPENAI_BASE_URL: server.url } };

  const first = await call(["chat", "Process it", "--thread", "t", "--model", "small-one"], place);
  // A model's text cannot control the terminal.
  expect(first).toMatchObject({ code: 0, stdout: "Done: \\u001b[31mF-5 is answered.\n" });
  expect(first.stderr).toContain("  ✓ C-1: positive");
  expect(first.stderr).not.toContain("Offline");
  expect(server.requests.map(({ body }) => [body.stream, body.model])).toEqual([
    [true, "small-one"],
    [true, "small-one"],
  ]);

  const second = await callProcess(["chat", "Which one was it?", "--thread", "t", "--json"], place);
  expect(JSON.parse(second.stdout)).toEqual({ thread_id: "t", text: "It was F-5.", tool_calls: [] });
  const remembered = server.requests.at(-1)?.body.messages.map(({ role }) => role);
  expect(remembered?.slice(1)).toEqual(["user", "assistant", "tool", "assistant", "user"]);
});

test("a model's tool calls cannot control the terminal by names, keys, lists or their elements", async () => {
  await using server = await startOpenAiServer([
    toolCall("process_customer_feedback", {
      ...FEEDBACK,
      categories: ["\u202e\u009b2J"],
      "\u009b31mkey": { "\u200b": 1 },
    }),
    reply("Done."),
  ]);
  const { cwd, env } = workplace();
  const { stdout, stderr } = await call(["chat", "Process it"], { cwd, env: { ...env, OPENAI_BASE_URL: server.url } });
  expect(stdout).toBe("Done.\n");
  expect(stderr).toContain(String.raw`categories: ["\u202e\u009b2J"], \u009b31mkey: {"\u200b":1})`);
  expect(stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
});

test("a failing service is reported in one line", async () => {
  await using server = await startOpenAiServer([status(401)]);
  const { cwd, env } = workplace();
  const { code, stdout, stderr } = await call(["chat", "Hi"], {
    cwd,
    env: { ...env, OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-secret" },
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^error: .*\n$/);
  expect(stderr).not.toContain("sk-secret");
});

test("a web page instead of an answer is an error that names the setting", async () => {
  await using server = await startOpenAiServer([{ body: "<html></html>", contentType: "text/html" }]);
  const { cwd, env } = workplace();
  const outcome = await call(["chat", "Hi"], { cwd, env: { ...env, OPENAI_BASE_URL: server.url } });
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toMatch(/^error: .*OPENAI_BASE_URL/);
});

test("a request that ends at its limit says so, in its exit code too", async () => {
  const endless = Array.from({ length: 12 }, () => toolCall("analyze_feedback_sentiment", { text: "x" }));
  await using server = await startOpenAiServer(endless);
  const { cwd, env } = workplace();
  const outcome = await call(["chat", "Hi"], { cwd, env: { ...env, OPENAI_BASE_URL: server.url } });
  expect(outcome.code).toBe(1);
  expect(outcome.stdout).toMatch(/^I stopped here: this request took 12 rounds/);
});

test("from a pipe, a message without an answer shows in the exit code, and the next one is answered", async () => {
  await using server = await startOpenAiServer([status(402), reply("Hello.")]);
  const { cwd, env } = workplace();
  const outcome = await call(["chat"], { cwd, env: { ...env, OPENAI_BASE_URL: server.url }, input: "one\ntwo\n" });
  expect(outcome).toMatchObject({ code: 1, stdout: "Hello.\n" });
  expect(outcome.stderr).toContain("has no credit");
});

test("an error about a missing model names the default if none was chosen", async () => {
  await using server = await startOpenAiServer([status(404, { message: 'model "gpt-5.4-mini" not found' })]);
  const { cwd, env } = workplace();
  const { code, stderr } = await call(["chat", "Hi"], { cwd, env: { ...env, OPENAI_BASE_URL: server.url } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/does not know the model gpt-5.4-mini\. Set OPENAI_MODEL to a model that it has/);
});
