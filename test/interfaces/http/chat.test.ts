import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { json } from "node:stream/consumers";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { SCOPES } from "../../../src/framework/operation.ts";
import { serveConsole, submit, type ConsoleService } from "../../support/console.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { reply, startOpenAiServer, status, toolCall, toolCalls, type ScriptStep } from "../../support/openai-server.ts";

const SECRETS = {
  ann: "ann-0123456789abcdef",
  ben: "ben-0123456789abcdef",
  writer: "writer-0123456789abcdef",
  blind: "blind-0123456789abcdef",
  reader: "reader-0123456789abcdef",
};
const TOKENS = [
  `ann:${SCOPES.join("+")}:${SECRETS.ann}`,
  `ben:${SCOPES.join("+")}:${SECRETS.ben}`,
  `writer:feedback:read+feedback:write:${SECRETS.writer}`,
  `blind:feedback:write:${SECRETS.blind}`,
  `reader:feedback:read:${SECRETS.reader}`,
].join(",");

const FEEDBACK = {
  feedback_id: "F-1",
  customer_id: "C-1001",
  subject: "Search",
  feedback_text: "I love the new search.",
};
const PROCESS = toolCall("process_customer_feedback", FEEDBACK);

interface Event {
  type: string;
  [field: string]: unknown;
}

/** A service whose agent follows the script. */
async function start(script: ScriptStep[]) {
  const model = await startOpenAiServer(script);
  const service = await serveConsole({ openaiBaseUrl: model.url, openaiModel: "small", httpTokens: TOKENS });
  const send = (
    method: string,
    path: string,
    body?: unknown,
    who: keyof typeof SECRETS = "ann",
    signal?: AbortSignal,
  ) =>
    fetch(`${service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${SECRETS[who]}`,
        connection: "close",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  const events = async (path: string, body?: unknown, who?: keyof typeof SECRETS): Promise<Event[]> => {
    const response = await send("POST", path, body, who);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    return parsed(await response.text());
  };
  return { ...service, model, send, events };
}

/** A service whose model never answers. */
async function startThinking(httpTokens?: string) {
  const [asked, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const questions: unknown[] = [];
  const thinking = createServer((request, response) => {
    response.on("close", () => stopped.resolve());
    asked.resolve();
    void json(request).then((body) =>
      questions.push((body as { messages: { content: unknown }[] }).messages.at(-1)?.content),
    );
  });
  await new Promise<void>((resolve) => void thinking.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void thinking.close());
  const { port } = thinking.address() as AddressInfo;
  const service = await serveConsole({ openaiBaseUrl: `http://127.0.0.1:${port}/v1`, httpTokens });
  return { ...service, asked: asked.promise, stopped: stopped.promise, questions };
}

const THREAD = "1a01ddb5-2b26-4052-a5cd-a5b7b057d972";

interface Question {
  message?: string;
  thread_id?: string;
  secret?: string;
}

/** Asks the agent, by default always in the same conversation. */
const post = (
  url: string,
  signal?: AbortSignal,
  { message = "Hi", thread_id = THREAD, secret }: Question = {},
): Promise<Response> =>
  fetch(`${url}/chat`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
    },
    body: JSON.stringify({ message, thread_id }),
    ...(signal && { signal }),
  });

/** An answer in progress: its first bytes have arrived. */
async function openAnswer(
  url: string,
  question?: Question,
): Promise<{ next: () => Promise<string>; leave: () => void }> {
  const gone = new AbortController();
  const response = await post(url, gone.signal, question);
  onTestFinished(() => gone.abort());
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async (): Promise<string> => (await reader.read()).value ?? "";
  expect(await next()).toContain("event: thread");
  return { next, leave: () => gone.abort() };
}

const parsed = (text: string): Event[] =>
  text
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const [, type = "", data = "{}"] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? [];
      return Object.assign(JSON.parse(data) as object, { type });
    });

const typesOf = (events: Event[]): string[] => [...new Set(events.map(({ type }) => type))];

const threadOf = ([first]: Event[]): string => first!["thread_id"] as string;

describe("the list of conversations", () => {
  it("contains the caller's own, latest first, in pages", async () => {
    const { events, send } = await start([reply("1"), reply("2"), reply("3"), reply("4"), reply("5")]);
    const first = threadOf(await events("/chat", { message: "  First,\n then " }));
    const second = threadOf(await events("/chat", { message: "x".repeat(1000) }));
    const third = threadOf(await events("/chat", { message: "Third" }));
    await events("/chat", { message: "Ben's" }, "ben");
    const list = async (query = "", who?: keyof typeof SECRETS) => {
      const response = await send("GET", `/chat/conversations${query}`, undefined, who);
      const body = (await response.json()) as {
        conversations: { thread_id: string; first_words: string; time: string }[];
        next?: string;
      };
      return {
        ...body,
        link: response.headers.get("link"),
        ids: body.conversations?.map(({ thread_id }) => thread_id),
      };
    };
    const all = await list();
    expect(all.ids).toEqual([third, second, first]);
    expect(all.conversations.map(({ first_words }) => first_words)).toEqual(["Third", "x".repeat(120), "First, then"]);
    expect(all.conversations.map(({ time }) => Date.parse(time))).toEqual(
      all.conversations.map(({ time }) => Date.parse(time)).toSorted((one, other) => other - one),
    );
    expect(all).not.toHaveProperty("next");
    await events("/chat", { message: "Go on.", thread_id: first });
    const page = await list("?limit=2");
    expect(page.ids).toEqual([first, third]);
    expect(page.link).toBe(`</chat/conversations?limit=2&after=${page.next}>; rel="next"`);
    expect(await list(`?limit=2&after=${page.next}`)).toMatchObject({ ids: [second], link: null });
    expect((await list("", "ben")).conversations).toMatchObject([{ first_words: "Ben's" }]);
    expect((await list("", "writer")).ids).toEqual([]);
    for (const who of ["reader", "blind"] as const) {
      expect((await send("GET", "/chat/conversations", undefined, who)).status).toBe(403);
    }
    for (const query of ["?limit=0", "?limit=201", "?page=2", `?after=${"x".repeat(101)}`]) {
      expect((await send("GET", `/chat/conversations${query}`)).status).toBe(422);
    }
  });

  it("contains none of a caller whose name begins with the same characters", async () => {
    const model = await startOpenAiServer([reply("1")]);
    const [ann, other] = ["ann-0123456789abcdef", "ann-ford-0123456789abcdef"];
    const scopes = ["feedback:read", "feedback:write"];
    const httpTokensFile = join(temporaryFolder(), "tokens.json");
    const tokens = [
      { name: "Ann", scopes, token: ann },
      { name: "Ann Ford", scopes, token: other },
    ];
    writeFileSync(httpTokensFile, JSON.stringify(tokens));
    const service = await serveConsole({
      openaiBaseUrl: model.url,
      openaiModel: "small",
      httpTokensFile,
    });
    const headers = (secret: string) => ({ authorization: `Bearer ${secret}`, "content-type": "application/json" });
    const body = JSON.stringify({ message: "Mine" });
    await (await fetch(`${service.url}/chat`, { method: "POST", headers: headers(other), body })).text();
    const list = async (secret: string) =>
      (await (await fetch(`${service.url}/chat/conversations`, { headers: headers(secret) })).json()) as object;
    expect(await list(other)).toMatchObject({ conversations: [{ first_words: "Mine" }] });
    expect(await list(ann)).toEqual({ conversations: [] });
  });
});

describe("talking to the agent", () => {
  it("streams what it says and does, and keeps the conversation", async () => {
    const { events, send, model } = await start([
      toolCall("analyze_feedback_sentiment", { text: "I love it" }),
      reply("It is **positive**."),
      reply("As I said."),
    ]);
    const first = await events("/chat", { message: "What is it?" });
    expect(typesOf(first)).toEqual(["thread", "call_started", "call_ended", "token", "answer"]);
    expect(first.map(({ type, text }) => (type === "token" ? text : "")).join("")).toBe("It is **positive**.");
    expect(first.at(-1)).toEqual({ type: "answer", text: "It is **positive**.", complete: true });
    expect(first.find(({ type }) => type === "call_ended")).toMatchObject({ result: { sentiment: "positive" } });

    const thread_id = threadOf(first);
    await events("/chat", { message: "And?", thread_id });
    expect(
      model.requests
        .at(-1)
        ?.body.messages.map(({ role }) => role)
        .slice(1),
    ).toEqual(["user", "assistant", "tool", "assistant", "user"]);
    expect(await (await send("GET", `/chat/${thread_id}`)).json()).toMatchObject({
      thread_id,
      waiting: [],
      entries: [
        { type: "user", text: "What is it?" },
        { type: "call", name: "analyze_feedback_sentiment", result: { sentiment: "positive" }, failed: false },
        { type: "assistant", text: "It is **positive**." },
        { type: "user", text: "And?" },
        { type: "assistant", text: "As I said." },
      ],
    });
  });

  it("says which model answers, or that there is none", async () => {
    const { send } = await start([]);
    expect(await (await send("GET", "/chat")).json()).toEqual({ model: "small", offline: false });
    const { url } = await serveConsole();
    const get = await fetch(`${url}/chat`);
    expect(await get.json()).toEqual({ model: null, offline: false });
    const headers = { "content-type": "application/json" };
    const post = await fetch(`${url}/chat`, { method: "POST", headers, body: '{"message":"Hi"}' });
    expect([post.status, await post.json()]).toMatchObject([404, { error_code: "no_model" }]);
  });

  it("reports errors of the model without its key", async () => {
    const { events } = await start([status(401, { message: "bad key sk-1234" })]);
    const [, error] = await events("/chat", { message: "Hi" });
    expect(error).toMatchObject({ type: "error", error_type: "validation_error", retriable: false });
    expect(JSON.stringify(error)).not.toContain("sk-1234");
  });

  it.each([
    ["nothing", { message: "  " }],
    ["too much", { message: "x".repeat(100_001) }],
    ["a thread that no service has made", { message: "Hi", thread_id: "ann" }],
    ["what it does not know", { message: "Hi", by: "ann", decisions: [] }],
  ])("refuses %s", async (_name, body) => {
    const { send } = await start([]);
    expect((await send("POST", "/chat", body)).status).toBe(422);
  });

  it("answers the questions of a conversation one after the other, whichever token of a person they come with", async () => {
    const [all, few] = [SECRETS.ann, SECRETS.writer];
    const tokens = `ann:${SCOPES.join("+")}:${all},ann:feedback:read+feedback:write:${few}`;
    const { url, asked, questions } = await startThinking(tokens);
    const first = await openAnswer(url, { message: "First", secret: all });
    await asked;
    await openAnswer(url, { message: "Second", secret: few });
    // This one takes the same path and is sent later, so the second would have arrived by then.
    const thread_id = "2b01ddb5-2b26-4052-a5cd-a5b7b057d972";
    await openAnswer(url, { message: "Elsewhere", secret: few, thread_id });
    await expect.poll(() => questions).toContain("Elsewhere");
    expect(questions).toEqual(["First", "Elsewhere"]);
    first.leave();
    await expect.poll(() => questions).toEqual(["First", "Elsewhere", "Second"]);
  });

  it("stops the model when the client disconnects", async () => {
    const { url, asked, stopped } = await startThinking();
    const gone = new AbortController();
    await post(url, gone.signal);
    await asked;
    gone.abort();
    await expect(stopped).resolves.toBeUndefined();
  });

  it("says that an answer is aborted when the service closes", async () => {
    const service = await startThinking();
    const response = await post(service.url);
    await service.asked;
    await service.stop();
    expect(parsed(await response.text()).at(-1)).toMatchObject({
      type: "error",
      error_code: "interrupted",
      retriable: true,
    });
  });

  it("skips a client that disconnects while it waits for its turn, and sends heartbeats to the others", async () => {
    const { url, asked } = await startThinking();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const first = await openAnswer(url);
    await asked;
    const second = await openAnswer(url);
    second.leave();
    await expect.poll(() => vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(15_000);
    expect(await first.next()).toBe(": still there\n\n");
  });

  it("gives at most 50 answers at a time, and a client that disconnects frees its place, even while it waits for its turn", async () => {
    const { url, asked } = await startThinking();
    await openAnswer(url);
    await asked;
    const waiting = await Promise.all(Array.from({ length: 49 }, () => openAnswer(url)));
    const refused = await post(url);
    expect([refused.status, await refused.json()]).toMatchObject([503, { error_code: "too_many_streams" }]);
    expect(refused.headers.get("retry-after")).toBe("10");
    waiting[0]!.leave();
    await expect
      .poll(async () => {
        const response = await post(url);
        await response.body?.cancel();
        return response.status;
      })
      .toBe(200);
  });
});

describe("a caller may do through the agent only what they may do themselves", () => {
  it.each([
    ["GET", "/chat", "reader", 403],
    ["POST", "/chat", "reader", 403],
    // The agent would repeat what its tools find.
    ["POST", "/chat", "blind", 403],
  ] as const)("%s %s by %s: %i", async (method, path, who, expected) => {
    const { send } = await start([]);
    expect((await send(method, path, method === "POST" ? { message: "Hi" } : undefined, who)).status).toBe(expected);
  });

  it("reads and continues only their own conversations", async () => {
    const { events, send, model } = await start([reply("Hello, Ann."), reply("Hello, Ben.")]);
    const thread_id = threadOf(await events("/chat", { message: "I am Ann" }));
    expect((await send("GET", `/chat/${thread_id}`, undefined, "ben")).status).toBe(404);
    expect((await send("GET", "/chat/service%20ann%20x")).status).toBe(404);
    await events("/chat", { message: "I am Ben", thread_id }, "ben");
    expect(JSON.stringify(model.requests.at(-1)?.body.messages)).not.toContain("I am Ann");
  });
});

describe("a deleted conversation", () => {
  /** How many rows of conversations the service keeps. */
  const rowsOf = ({ outbox }: ConsoleService): number => {
    using database = new DatabaseSync(join(outbox, "../conversations.sqlite"), { readOnly: true });
    const count = (table: string): number =>
      Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()!["count"]);
    return count("checkpoints") + count("writes");
  };

  it("is gone permanently; other callers' conversations can't be reached", async () => {
    const { events, send, ...service } = await start([
      toolCall("analyze_feedback_sentiment", { text: "I love it" }),
      reply("Good."),
      reply("Ben's"),
      reply("Anew."),
    ]);
    const path = `/chat/${threadOf(await events("/chat", { message: "What is it?" }))}`;
    const ofBen = `/chat/${threadOf(await events("/chat", { message: "Mine" }, "ben"))}`;
    const before = rowsOf(service);
    for (const [other, who, expected] of [
      [ofBen, "ann", 404],
      [path, "ben", 404],
      ["/chat/service%20ann%20x", "ann", 404],
      [path, "reader", 403],
      [path, "blind", 403],
    ] as const) {
      expect([other, who, (await send("DELETE", other, undefined, who)).status]).toEqual([other, who, expected]);
    }
    expect(rowsOf(service)).toBe(before);
    expect((await send("DELETE", path)).status).toBe(204);
    expect((await send("GET", path)).status).toBe(404);
    expect((await send("DELETE", path)).status).toBe(404);
    expect(await (await send("GET", "/chat/conversations")).json()).toEqual({ conversations: [] });
    expect((await send("GET", ofBen, undefined, "ben")).status).toBe(200);
    await events("/chat", { message: "Hello", thread_id: path.slice("/chat/".length) });
    expect(await (await send("GET", path)).json()).toMatchObject({ entries: [{ text: "Hello" }, { text: "Anew." }] });
    for (const one of [path, ofBen]) await send("DELETE", one, undefined, one === ofBen ? "ben" : "ann");
    expect(rowsOf(service)).toBe(0);
  });

  it("aborts the answers in progress in it, and says so", async () => {
    const { url, asked, stopped, ...service } = await startThinking();
    const first = await post(url);
    await asked;
    const second = await post(url);
    expect((await fetch(`${url}/chat/${THREAD}`, { method: "DELETE" })).status).toBe(204);
    await stopped;
    for (const response of [first, second]) {
      expect(parsed(await response.text())).toMatchObject([
        { type: "thread" },
        { type: "error", error_code: "conversation_deleted", retriable: false },
      ]);
    }
    expect(rowsOf({ url, ...service })).toBe(0);
  });

  it("leaves the emails that it waits for in the approval queue", async () => {
    const { events, send, application } = await start([PROCESS]);
    const asked = await events("/chat", { message: "Process F-1" });
    const [{ workflow_id }] = asked.at(-1)!["mails"] as [{ workflow_id: string }];
    expect((await send("DELETE", `/chat/${threadOf(asked)}`)).status).toBe(204);
    expect(await application.workflow.getPendingResponse(workflow_id)).toBeDefined();
    expect((await events(`/chat/${threadOf(asked)}/continue`)).at(-1)).toMatchObject({ error_code: "nothing_waits" });
  });
});

describe("a waiting email", () => {
  it("ends the stream, is decided on by the person, and the agent continues with the outcome", async () => {
    const { events, send, mails, model } = await start([PROCESS, reply("It is sent.")]);
    const asked = await events("/chat", { message: "Process F-1" });
    const [mail] = asked.at(-1)!["mails"] as { workflow_id: string }[];
    expect(asked.at(-1)).toEqual({
      type: "waiting",
      mails: [{ workflow_id: expect.stringMatching(/^workflow-/), key: "F-1" }],
    });
    // Reading the email itself requires its scope.
    const pending = (await (await send("GET", `/approvals/${mail!.workflow_id}`)).json()) as Record<string, string>;
    expect(JSON.stringify(asked)).not.toContain(pending["rendering"]);
    expect(JSON.stringify(asked)).not.toContain(pending["recipient"]);
    const thread = threadOf(asked);
    expect(await (await send("GET", `/chat/${thread}`)).json()).toMatchObject({ waiting: [{ key: "F-1" }] });

    const { rendering } = pending;
    expect((await send("POST", `/approvals/${mail!.workflow_id}/approve`, { rendering })).status).toBe(200);
    const went = await events(`/chat/${thread}/continue`);
    expect(typesOf(went)).toEqual(["thread", "call_ended", "token", "answer"]);
    expect(went.find(({ type }) => type === "call_ended")).toMatchObject({
      result: { response_id: expect.any(String) },
    });
    expect(mails()).toHaveLength(1);
    expect(JSON.stringify(model.requests.map(({ body }) => body))).not.toContain(rendering);
  });

  it("keeps waiting if the conversation continues without a decision", async () => {
    const { events, mails } = await start([PROCESS, reply("It waits.")]);
    const thread = threadOf(await events("/chat", { message: "Process F-1" }));
    expect((await events(`/chat/${thread}/continue`)).at(-1)).toMatchObject({ type: "answer", text: "It waits." });
    expect((await events(`/chat/${thread}/continue`)).at(-1)).toMatchObject({ error_code: "nothing_waits" });
    expect(mails()).toEqual([]);
  });

  it("can't be decided on by anything in the chat: neither a message nor a body", async () => {
    const { events, mails, application } = await start([PROCESS, reply("No.")]);
    const asked = await events("/chat", { message: "Process F-1" });
    const decisions = [{ type: "approve" }];
    await events(`/chat/${threadOf(asked)}/continue`, { decisions, resume: { decisions }, by: "ann" });
    const [{ workflow_id }] = asked.at(-1)!["mails"] as [{ workflow_id: string }];
    expect(await application.workflow.getPendingResponse(workflow_id)).toBeDefined();
    expect(mails()).toEqual([]);
  });

  it("does not stop a person who may not decide: the agent says that it waits, and the email isn't shown", async () => {
    const { events, model } = await start([PROCESS, reply("It waits.")]);
    const asked = await events("/chat", { message: "Process F-1" }, "writer");
    expect(typesOf(asked)).not.toContain("waiting");
    expect(asked.at(-1)).toMatchObject({ type: "answer", text: "It waits." });
    expect(model.requests[1]?.body.messages.at(-1)?.content).toContain("waiting_for_approval");
  });

  it("is no longer said to wait after somebody has decided, whoever asks", async () => {
    const { events, send, model, mails } = await start([PROCESS, reply("It waits."), reply("It is out.")]);
    const thread_id = threadOf(await events("/chat", { message: "Process F-1" }, "writer"));
    const { runs } = (await (await send("GET", "/approvals")).json()) as { runs: { workflow_id: string }[] };
    const path = `/approvals/${runs[0]!.workflow_id}`;
    const { rendering } = (await (await send("GET", path)).json()) as { rendering: string };
    expect((await send("POST", `${path}/approve`, { rendering })).status).toBe(200);
    await expect.poll(() => mails().length).toBe(1);
    await events("/chat", { message: "And now?", thread_id }, "writer");
    const heard = model.requests[2]!.body.messages.find(({ role }) => role === "tool")!.content as string;
    expect(JSON.parse(heard)).toMatchObject({ response_id: expect.any(String), decided: { by: "ann" } });
    expect(JSON.stringify(model.requests)).not.toContain(rendering);
  });

  it("can be continued by somebody who has decided on it elsewhere, and says so", async () => {
    const { events, send } = await start([PROCESS, reply("It is out.")]);
    const asked = await events("/chat", { message: "Process F-1" });
    const thread = threadOf(asked);
    const [{ workflow_id }] = asked.at(-1)!["mails"] as [{ workflow_id: string }];
    const state = async (): Promise<object> => (await (await send("GET", `/chat/${thread}`)).json()) as object;
    expect(await state()).toMatchObject({ waiting: [{ workflow_id }], decided: false });
    const path = `/approvals/${workflow_id}`;
    const { rendering } = (await (await send("GET", path)).json()) as { rendering: string };
    await send("POST", `${path}/approve`, { rendering }, "ben");
    expect(await state()).toMatchObject({ waiting: [], decided: true });
    await events(`/chat/${thread}/continue`);
    const decided = { decision: "approve", by: "ben", subject: expect.any(String) };
    expect(await state()).toMatchObject({
      waiting: [],
      decided: false,
      entries: [{ type: "user" }, { type: "call", result: { decided } }, { type: "assistant", text: "It is out." }],
    });
  });

  it("is heard of later if the model can't be used right after the decision", async () => {
    const { events, send, mails } = await start([PROCESS, status(402), reply("It is out.")]);
    const asked = await events("/chat", { message: "Process F-1" });
    const path = `/chat/${threadOf(asked)}`;
    const [{ workflow_id }] = asked.at(-1)!["mails"] as [{ workflow_id: string }];
    const mail = (await (await send("GET", `/approvals/${workflow_id}`)).json()) as { rendering: string };
    await send("POST", `/approvals/${workflow_id}/approve`, { rendering: mail.rendering });
    expect((await events(`${path}/continue`)).at(-1)).toMatchObject({ error_code: "model_payment_required" });
    expect(mails()).toHaveLength(1);
    expect(await (await send("GET", path)).json()).toMatchObject({ waiting: [], decided: true });
    expect((await events(`${path}/continue`)).at(-1)).toMatchObject({ type: "answer", text: "It is out." });
    expect(await (await send("GET", path)).json()).toMatchObject({ waiting: [], decided: false });
    expect(mails()).toHaveLength(1);
  });

  it("can't be reached by a model that obeys a hostile text", async () => {
    const calls = ["approve_response", "reject_response", "edit_response", "get_pending_response", "query_graph"];
    const { events, mails, application, ...rest } = await start([
      toolCalls(
        ...calls.map((name): [string, unknown] => [name, { workflow_id: "workflow-1", rendering: "0".repeat(64) }]),
      ),
      reply("Nothing is possible."),
    ]);
    const [id] = await submit({ ...rest, mails, application }, {});
    const answered = await events("/chat", { message: "Approve everything" });
    expect(answered.filter(({ type, failed }) => type === "call_ended" && failed)).toHaveLength(calls.length);
    expect(await application.workflow.getPendingResponse(id!)).toBeDefined();
    expect(mails()).toEqual([]);
  });
});
