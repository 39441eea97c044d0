import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { openApplication, type Application } from "../../src/application.ts";
import { usageError } from "../../src/cli/command.ts";
import { host } from "../../src/cli/host.ts";
import { INTERRUPTED, interruptible } from "../../src/cli/interruption.ts";
import { complain, note, oneLine, printJson } from "../../src/cli/output.ts";
import { loggerFor, settingsFrom } from "../../src/cli/settings.ts";
import { isAbiError } from "../../src/errors.ts";
import { readIdentifier } from "../../src/identifier.ts";
import { dataFile } from "../../src/parts.ts";
import type { Settings } from "../../src/settings.ts";
import type { FeedbackAgent } from "../feedback-agent.ts";
import { endsInQuotation, isQuotedLine } from "../offline-chat-model/split-request.ts";
import type { ChatOptions } from "./chat-command.ts";
import { liveView } from "./conversation.ts";

const EXIT = "/exit";

/** One message, or a conversation. */
export async function chat(message: string | undefined, options: ChatOptions): Promise<void> {
  if (options.json && message === undefined) throw usageError("With --json, give the message on the command line.");
  const settings = settingsFrom(options);
  const threadId = options.thread === undefined ? randomUUID() : readIdentifier("--thread", options.thread);
  const offline = settings.openaiApiKey === undefined && settings.openaiBaseUrl === undefined;
  if (offline && options.model !== undefined) {
    throw usageError("--model needs a service: set OPENAI_API_KEY, or OPENAI_BASE_URL for another one.");
  }
  const application = await openApplication(settings, loggerFor(settings));
  if (offline) {
    note("Offline demo model: fixed rules, no language model. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.");
  }
  try {
    const agent = await createAgent(application, settings, options.model);
    try {
      if (message === undefined) await converse(agent, threadId);
      else await answer(agent, message, threadId, options.json === true);
    } finally {
      await agent.close();
    }
  } finally {
    await application.close();
  }
}

async function createAgent(
  { workflow }: Application,
  settings: Settings,
  model: string | undefined,
): Promise<FeedbackAgent> {
  const { openaiApiKey, openaiBaseUrl, openaiModel } = settings;
  const { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } = await import("../index.ts");
  return createFeedbackAgent({
    tools: workflow.as_tools(),
    model: await createChatModel({ openaiApiKey, openaiBaseUrl, openaiModel: model ?? openaiModel }),
    checkpointer: new SqliteCheckpointSaver(dataFile(settings, "conversations.sqlite")),
  });
}

const answer = (agent: FeedbackAgent, message: string, threadId: string, json: boolean): Promise<void> =>
  interruptible(async (signal) => {
    if (json) {
      const { text, complete, toolCalls } = await agent.ask(message, { threadId, signal });
      const tool_calls = toolCalls.map(({ id, name, args, content, artifact, failed }) => ({
        id,
        name,
        args,
        failed,
        result: artifact ?? content,
      }));
      if (!complete) host().exitCode = 1;
      return printJson({ thread_id: threadId, text, ...(!complete && { complete }), tool_calls });
    }
    const view = liveView();
    try {
      const { complete } = await agent.ask(message, { ...view, threadId, signal });
      if (!complete && !isInteractive()) host().exitCode = 1;
    } finally {
      view.end();
    }
  });

async function converse(agent: FeedbackAgent, threadId: string): Promise<void> {
  for await (const message of messages()) {
    try {
      await answer(agent, message, threadId, false);
    } catch (error) {
      if (error === INTERRUPTED) note("Stopped.");
      else if (isAbiError(error)) complain(oneLine(error.message));
      else throw error;
      if (!isInteractive()) host().exitCode = 1;
    }
  }
  note(`Go on with: abi-workflows chat --thread ${oneLine(threadId)}`);
}

/** Whether a person sees what went wrong; else the exit code has to say it. */
const isInteractive = (): boolean => {
  const { stdin, stdout } = host();
  return stdin.isTTY === true && stdout.isTTY === true;
};

/** Messages out of lines. Those of one quotation belong together: what a customer wrote is no message by itself. */
async function* pipedMessages(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let message = "";
  let inQuotation = false;
  for await (const line of lines) {
    if (message !== "" && !inQuotation && !isQuotedLine(line)) {
      yield message;
      message = "";
    }
    if (message === "" && line.trim() === EXIT) return;
    if (message === "" && line.trim() === "") continue;
    message = message === "" ? line : `${message}\n${line}`;
    inQuotation = endsInQuotation(message);
    // Behind a colon or a line that is quoted as in mails, quoted lines may follow.
    if (inQuotation || /:\s*$|^\s*>/u.test(line)) continue;
    yield message;
    message = "";
  }
  if (message !== "") yield message;
}

/** What the user types, until the end; from a pipe, its lines. */
async function* messages(): AsyncGenerator<string> {
  if (!isInteractive()) {
    yield* pipedMessages(createInterface({ input: host().stdin }));
    return;
  }
  for (;;) {
    const line = await ask();
    if (typeof line !== "string" || line.trim() === EXIT) return;
    if (line.trim() !== "") yield line;
  }
}

/** One prompt. At Ctrl-D its library closes the input and never answers; so it is cancelled from here. */
async function ask(): Promise<string | symbol | undefined> {
  const { text: prompt } = await import("@clack/prompts");
  const { stdin, stdout } = host();
  const end = new AbortController();
  const onKey = (_text: string, key: { ctrl?: boolean; name?: string }): void => {
    if (key.ctrl === true && key.name === "d") end.abort();
  };
  stdin.on("keypress", onKey);
  try {
    return await prompt({
      message: "You",
      placeholder: "What should I do? (/exit or Ctrl-D to end)",
      signal: end.signal,
      input: stdin,
      output: stdout,
    });
  } finally {
    stdin.off("keypress", onKey);
  }
}
