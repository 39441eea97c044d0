import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } from "../../agents/index.ts";
import { openApplication } from "../../src/application/application.ts";
import { readSettings } from "../../src/application/settings.ts";
import { main } from "../../cli/main.ts";
import { serveConsole } from "../support/console.ts";
import { temporaryFolder } from "../support/folder.ts";
import { reply, startOpenAiServer, toolCall, type ScriptStep } from "../support/openai-server.ts";
import { call, workplace } from "./command-process.ts";

const FEEDBACK = { feedback_id: "F-5", customer_id: "C-1", subject: "Hi", feedback_text: "I love it!" };
const script = () => [toolCall("process_customer_feedback", FEEDBACK), reply("All done.")];

const ENTER = "\r";
const DOWN = "\u001b[B";

/** The command at a terminal, on which a test can read the screen and press keys. */
class TerminalCommand {
  readonly ended: Promise<void>;
  readonly #stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  readonly #screen = new EventEmitter();
  #text = "";

  constructor(args: string[], { cwd, env }: { cwd: string; env: Record<string, string> }) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    for (const stream of [stdout, stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#text += stripVTControlCharacters(text);
        this.#screen.emit("drawn");
      });
    }
    const signals = new EventEmitter();
    this.ended = main(["node", "abi-workflows", ...args], {
      stdin: this.#stdin,
      stdout: Object.assign(stdout, { isTTY: true, columns: 100, rows: 40 }),
      stderr,
      env: { HOME: cwd, TERM: "xterm", USER: "ann", ...env },
      execPath: process.execPath,
      cwd: () => cwd,
      on: signals.on.bind(signals),
      off: signals.off.bind(signals),
      exit: (code) => {
        throw new Error(`The command ended the process, with exit code ${code}.`);
      },
    });
  }

  /** Everything that was on the screen since the last call, up to and including this text. */
  async until(text: string): Promise<string> {
    while (!this.#text.includes(text)) await once(this.#screen, "drawn");
    const end = this.#text.indexOf(text) + text.length;
    const seen = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    return seen;
  }

  press(keys: string): void {
    this.#stdin.write(keys);
  }
}

const outboxOf = (cwd: string): string[] => {
  const folder = join(cwd, ".abi-workflows/outbox");
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")) : [];
};

test("at a terminal, the person sees the email and approves it", async () => {
  await using server = await startOpenAiServer(script());
  const { cwd, env } = workplace();
  const chat = new TerminalCommand(["chat", "Process it"], {
    cwd,
    env: { ...env, APPROVAL: "on", OPENAI_BASE_URL: server.url },
  });
  const card = await chat.until("Approve");
  expect(card).toMatch(/This email waits for you:[^]*to +ann@example\.com[^]*Ann Ford/);
  expect(outboxOf(cwd)).toEqual([]);
  chat.press(ENTER);
  await chat.until("Who decides?");
  chat.press(ENTER);
  expect(await chat.until("All done.")).toContain("approved by ann");
  await chat.ended;
  expect(outboxOf(cwd)).toHaveLength(1);
});

test("an email that is left for later keeps waiting", async () => {
  await using server = await startOpenAiServer([script()[0]!, reply("It waits.")]);
  const place = workplace();
  const env = { ...place.env, APPROVAL: "on", OPENAI_BASE_URL: server.url };
  const chat = new TerminalCommand(["chat", "Process it"], { cwd: place.cwd, env });
  await chat.until("Later");
  chat.press("\u0003");
  await chat.until("It waits.");
  await chat.ended;
  const waiting = await call(["approvals", "--json"], { cwd: place.cwd, env });
  expect(JSON.parse(waiting.stdout)).toMatchObject([{ feedback_id: "F-5", status: "waiting_for_approval" }]);
  expect(outboxOf(place.cwd)).toEqual([]);
});

test("a decision without a name decides nothing", async () => {
  await using server = await startOpenAiServer([script()[0]!, reply("It waits.")]);
  const { cwd, env } = workplace();
  const chat = new TerminalCommand(["chat", "Process it"], {
    cwd,
    env: { ...env, APPROVAL: "on", OPENAI_BASE_URL: server.url, USER: "" },
  });
  await chat.until("Approve");
  chat.press(ENTER);
  await chat.until("Who decides?");
  chat.press(ENTER);
  expect(await chat.until("It waits.")).toContain("A decision needs a name, so nothing was decided.");
  await chat.ended;
  expect(outboxOf(cwd)).toEqual([]);
});

test("an edited text is sent, under the name that was given", async () => {
  await using server = await startOpenAiServer(script());
  const { cwd, env } = workplace();
  const chat = new TerminalCommand(["chat", "Process it", "--by", "Ben"], {
    cwd,
    env: { ...env, APPROVAL: "on", OPENAI_BASE_URL: server.url },
  });
  await chat.until("Later");
  chat.press(DOWN);
  chat.press(ENTER);
  await chat.until("Subject");
  chat.press(`, and thanks${ENTER}`);
  await chat.until("Text");
  chat.press("P.S. Call me.\t");
  chat.press(ENTER);
  expect(await chat.until("All done.")).toContain("edited by Ben");
  await chat.ended;
  const [mail = ""] = outboxOf(cwd);
  expect(mail).toMatch(/^Subject: RE: .*, and thanks\r?$/mu);
  expect(mail).toContain("P.S. Call me.");
});

test("a rejected email is not sent", async () => {
  await using server = await startOpenAiServer(script());
  const { cwd, env } = workplace();
  const chat = new TerminalCommand(["chat", "Process it", "--by", "Ben"], {
    cwd,
    env: { ...env, APPROVAL: "on", OPENAI_BASE_URL: server.url },
  });
  await chat.until("Later");
  chat.press(DOWN + DOWN);
  chat.press(ENTER);
  await chat.until("Why not?");
  chat.press(`She has called.${ENTER}`);
  expect(await chat.until("All done.")).toContain("rejected by Ben");
  await chat.ended;
  expect(outboxOf(cwd)).toEqual([]);
});

test("a conversation that an earlier process left at a waiting email begins with that email", async () => {
  await using server = await startOpenAiServer([...script(), reply("Never mind.")]);
  const { cwd, env } = workplace();
  const dataDirectory = join(cwd, ".abi-workflows");
  const settings = readSettings({ dataDirectory, customerSource: env["CUSTOMER_SOURCE"]!, approval: true });
  const application = await openApplication(settings);
  const agent = await createFeedbackAgent({
    tools: application.workflow.as_tools(),
    model: await createChatModel({ openaiBaseUrl: server.url }),
    checkpointer: new SqliteCheckpointSaver(join(dataDirectory, "conversations.sqlite")),
    approval: { workflow: application.workflow },
  });
  expect((await agent.ask("Process it", { threadId: "t" })).review).toBeDefined();
  await agent.close();
  await application.close();

  const chat = new TerminalCommand(["chat", "--thread", "t", "--by", "Ann"], {
    cwd,
    env: { ...env, APPROVAL: "on", OPENAI_BASE_URL: server.url },
  });
  await chat.until("Later");
  chat.press(ENTER);
  await chat.until("All done.");
  await chat.until("/exit");
  chat.press(`/exit${ENTER}`);
  await chat.ended;
  expect(outboxOf(cwd)).toHaveLength(1);
});

test("a conversation whose process was killed right after a decision continues, and asks nobody again", async () => {
  await using server = await startOpenAiServer([...script(), reply("Hello.")]);
  const cwd = temporaryFolder();
  // By the time the mail server is called, the decision is stored.
  const called = Promise.withResolvers<void>();
  const silent = createServer(() => called.resolve());
  await once(silent.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void silent.close());
  const mailUrl = `smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const file = join(import.meta.dirname, "../agents/approval/killed-review.ts");
  const child = spawn(process.execPath, [file, cwd, server.url, mailUrl], { stdio: ["ignore", "ignore", "inherit"] });
  await called.promise;
  child.kill("SIGKILL");
  await once(child, "exit");

  const settings = { CUSTOMER_SOURCE: join(cwd, "customers.csv"), ABI_DATA_DIRECTORY: join(cwd, "data") };
  const place = { cwd, env: { ...settings, APPROVAL: "on", OPENAI_BASE_URL: server.url } };
  const chat = async (): Promise<{ begun: string; end: () => Promise<void> }> => {
    const command = new TerminalCommand(["chat", "--thread", "anna"], place);
    const begun = await command.until("/exit");
    const end = (): Promise<void> => {
      command.press(`/exit${ENTER}`);
      return command.ended;
    };
    return { begun, end };
  };
  const again = await chat();
  expect(again.begun).toContain("approved by Ann");
  expect(again.begun).toContain("All done.");
  expect(again.begun).not.toContain("This email waits");
  await again.end();
  expect(readdirSync(join(cwd, "data/outbox"))).toHaveLength(1);

  // The next time, the conversation shows the earlier decision.
  const later = await chat();
  expect(later.begun).toMatch(
    /Decided earlier in this conversation:\s+F-5 · RE: your feedback \S+ · approved by Ann · 20/u,
  );
  await later.end();
  expect(server.unused).toBe(1);
});

test("an email that was left waiting and was decided on elsewhere is shown with that decision", async () => {
  await using server = await startOpenAiServer([script()[0]!, reply("It waits.")]);
  const { cwd, env } = workplace();
  const place = { cwd, env: { ...env, APPROVAL: "on", OPENAI_BASE_URL: server.url } };
  const chat = new TerminalCommand(["chat", "Process it", "--thread", "t"], place);
  await chat.until("Later");
  chat.press("\u0003");
  await chat.until("It waits.");
  await chat.ended;
  const shown = JSON.parse((await call(["approvals", "show", "F-5", "--json"], place)).stdout) as { rendering: string };
  await call(["approvals", "reject", "F-5", "--rendering", shown.rendering, "--by", "Ben", "--reason", "No."], place);
  const later = new TerminalCommand(["chat", "--thread", "t"], place);
  expect(await later.until("/exit")).toMatch(/F-5 · RE: \S.* · rejected by Ben · 20.* UTC · No\./u);
  later.press(`/exit${ENTER}`);
  await later.ended;
});

test("in a pipe, nobody is asked: the email waits, and the agent continues", async () => {
  await using server = await startOpenAiServer(script());
  const { cwd, env } = workplace();
  const outcome = await call(["chat", "Process it"], {
    cwd,
    env: { ...env, APPROVAL: "on", OPENAI_BASE_URL: server.url },
  });
  expect(outcome).toMatchObject({ code: 0, stdout: "All done.\n" });
  expect(outcome.stderr).toContain("the email waits for approval");
  expect(outboxOf(cwd)).toEqual([]);
});

describe("chat with the agent of a service (--url)", () => {
  const SECRET = "ann-0123456789abcdef";

  async function serve(answers: ScriptStep[]) {
    const model = await startOpenAiServer(answers);
    onTestFinished(() => model.close());
    const httpTokens = `ann:feedback:read+feedback:write+approve:${SECRET},wes:feedback:write:wes-0123456789abcdef`;
    const service = await serveConsole({ openaiBaseUrl: model.url, httpTokens });
    const place = { cwd: temporaryFolder(), env: { ABI_URL: service.url, ABI_TOKEN: SECRET } };
    return { ...service, place };
  }

  const ofService = (id = "F-5") =>
    toolCall("process_customer_feedback", { ...FEEDBACK, feedback_id: id, customer_id: "C-1001" });

  test("lets the person decide with their own token, in the conversation", async () => {
    const { place, mails } = await serve([ofService(), reply("All done.")]);
    const chat = new TerminalCommand(["chat", "Process it"], place);
    expect(await chat.until("Approve")).toMatch(/→ process_customer_feedback[^]*This email waits for you:/);
    expect(mails()).toEqual([]);
    chat.press(ENTER);
    expect(await chat.until("All done.")).toContain("✓ C-1001: positive");
    await chat.ended;
    expect(mails()).toHaveLength(1);
    const shown = await fetch(`${place.env.ABI_URL}/workflows/customer-feedback/operations/get_feedback`, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET}`, "content-type": "application/json", connection: "close" },
      body: '{"feedback_id":"F-5"}',
    });
    expect(await shown.json()).toMatchObject({ mails: [{ decision: { decision: "approve", by: "ann" } }] });
  });

  test("says who decided first", async () => {
    const { place, mails, application } = await serve([ofService(), reply("It was rejected.")]);
    const chat = new TerminalCommand(["chat", "Process it"], place);
    await chat.until("Later");
    const [run] = await application.workflow.listWorkflows();
    const { rendering } = (await application.workflow.getPendingResponse(run!.workflow_id))!;
    await application.workflow.rejectResponse(run!.workflow_id, { rendering, by: "Ben" });
    chat.press(ENTER);
    expect(await chat.until("It was rejected.")).toContain("Ben was first and rejected the email.");
    await chat.ended;
    expect(mails()).toEqual([]);
  });

  test("asks again for an invalid decision", async () => {
    const { place, mails } = await serve([ofService(), reply("All done.")]);
    const chat = new TerminalCommand(["chat", "Process it"], place);
    await chat.until("Later");
    chat.press(DOWN + DOWN + ENTER);
    await chat.until("Why not?");
    chat.press(`${"x".repeat(600)}${ENTER}`);
    await chat.until("reason: must have at most 500 characters");
    await chat.until("Later");
    chat.press(ENTER);
    await chat.until("All done.");
    await chat.ended;
    expect(mails()).toHaveLength(1);
  });

  test("remembers a conversation by its thread, and begins with its waiting email", async () => {
    const { place, mails } = await serve([ofService(), reply("All done.")]);
    const thread = "6f1f9b2e-4d0e-4c39-9d2b-0a4b8f6f7a10";
    const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/json", connection: "close" };
    const body = JSON.stringify({ message: "Process it", thread_id: thread });
    await (await fetch(`${place.env.ABI_URL}/chat`, { method: "POST", headers, body })).text();
    const chat = new TerminalCommand(["chat", "--thread", thread], place);
    await chat.until("Later");
    chat.press(ENTER);
    await chat.until("All done.");
    await chat.until("/exit");
    chat.press(`/exit${ENTER}`);
    await chat.ended;
    expect(mails()).toHaveLength(1);
    const later = new TerminalCommand(["chat", "--thread", thread], place);
    expect(await later.until("/exit")).toMatch(/F-5 · RE: \S.* · approved by ann · 20/u);
    later.press(`/exit${ENTER}`);
    await later.ended;
  });

  test("continues a conversation whose email was decided on elsewhere, and asks nobody again", async () => {
    const { place, application } = await serve([ofService(), reply("It was rejected.")]);
    const thread = "6f1f9b2e-4d0e-4c39-9d2b-0a4b8f6f7a10";
    const headers = { authorization: `Bearer ${SECRET}`, "content-type": "application/json", connection: "close" };
    const body = JSON.stringify({ message: "Process it", thread_id: thread });
    await (await fetch(`${place.env.ABI_URL}/chat`, { method: "POST", headers, body })).text();
    const [run] = await application.workflow.listWorkflows();
    const { rendering } = (await application.workflow.getPendingResponse(run!.workflow_id))!;
    await application.workflow.rejectResponse(run!.workflow_id, { rendering, by: "Ben" });
    const chat = new TerminalCommand(["chat", "--thread", thread], place);
    expect(await chat.until("It was rejected.")).not.toContain("This email waits");
    await chat.until("/exit");
    chat.press(`/exit${ENTER}`);
    await chat.ended;
  });

  test("asks nobody in a pipe, and prints the result with --json", async () => {
    const { place, mails } = await serve([ofService(), reply("It waits.")]);
    const outcome = await call(["chat", "Process it", "--json"], place);
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      text: "It waits.",
      tool_calls: [{ name: "process_customer_feedback", result: { status: "waiting_for_approval" } }],
    });
    expect(mails()).toEqual([]);
  });

  test.each([
    [["--by", "Ben"], {}, 2, "--by is up to the service"],
    [["--model", "x"], {}, 2, "--model is up to the service"],
    [[], { ABI_TOKEN: "nobody-0123456789abcdef" }, 1, "This token is not known"],
    [[], { ABI_TOKEN: "wes-0123456789abcdef" }, 1, "feedback:read"],
    [[], { ABI_URL: "http://127.0.0.1:9" }, 1, "can't be reached"],
  ])("says what is wrong: %j %j", async (args, env, code, message) => {
    const { place } = await serve([]);
    const outcome = await call(["chat", "Hi", ...args], { ...place, env: { ...place.env, ...env } });
    expect(outcome).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
  });
});
