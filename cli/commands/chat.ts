import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { openApplication, type Application } from "../../src/application/application.ts";
import { withoutAbsent } from "../../src/json.ts";
import { usageError } from "../command.ts";
import { furtherCommand, host } from "../terminal/host.ts";
import { INTERRUPTED, interruptible } from "../terminal/interruption.ts";
import { printError, note, oneLine, printJson } from "../terminal/output.ts";
import { serviceFor } from "../runs/runs.ts";
import type { ServiceClient } from "../service-client.ts";
import { executesRuns, loggerFor, settingsFrom } from "../settings.ts";
import { isAbiError } from "../../src/errors.ts";
import { readIdentifier } from "../../src/identifier.ts";
import { dataFile } from "../../src/application/parts.ts";
import { namesModel, type Settings } from "../../src/application/settings.ts";
import type { AgentAnswer, AskOptions, FeedbackAgent, MailReviewRequest } from "../../agents/index.ts";
import { endsInQuotation, isQuotedLine } from "../../agents/offline-chat-model/split-request.ts";
import type { ChatOptions } from "./chat-command.ts";
import { liveView } from "./chat/conversation.ts";
import { showEarlierDecisions, type TalkingAgent } from "./chat/earlier-decisions.ts";
import { isInteractive, prompted } from "./chat/prompt.ts";
import { askName, reviewMails } from "./chat/review.ts";

const EXIT = "/exit";

/** One message, or a conversation. */
export async function chat(message: string | undefined, options: ChatOptions): Promise<void> {
  if (options.json && message === undefined) throw usageError("With --json, give the message on the command line.");
  const service = await serviceFor(options);
  if (service) return chatAt(service, message, options);
  const settings = settingsFrom(options);
  const threadId = options.thread === undefined ? randomUUID() : readIdentifier("--thread", options.thread);
  const by = options.by === undefined ? undefined : readIdentifier("--by", options.by);
  const offline = !namesModel(settings);
  if (offline && options.model !== undefined) {
    throw usageError("--model needs a model service: set OPENAI_API_KEY, or OPENAI_BASE_URL for another one.");
  }
  const application = await openApplication(settings, loggerFor(settings), { worker: executesRuns(settings) });
  if (offline) {
    note("Offline demo model: fixed rules, no language model. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.");
  }
  try {
    const agent = await createAgent(application, settings, options);
    try {
      await talk(agent, message, threadId, { ...options, ...withoutAbsent({ by }) });
    } finally {
      await agent.close();
    }
  } finally {
    await application.close();
  }
}

/** Does the same with the agent of a service, which stores the token's name with decisions. */
async function chatAt(service: ServiceClient, message: string | undefined, options: ChatOptions): Promise<void> {
  const option = (["model", "by"] as const).find((name) => options[name] !== undefined);
  if (option !== undefined) throw usageError(`--${option} is up to the service: leave it out with --url.`);
  const { ServiceAgent } = await import("./chat/service-agent.ts");
  const threadId = options.thread ?? randomUUID();
  await talk(new ServiceAgent(service), message, threadId, { ...options, by: "" });
}

async function talk(
  agent: TalkingAgent,
  message: string | undefined,
  threadId: string,
  options: ChatOptions,
): Promise<void> {
  const conversation = new Conversation(agent, threadId, options.by);
  if (message === undefined && options.thread !== undefined)
    await reportErrors(() => showEarlierDecisions(agent, threadId));
  if (message === undefined) await converse(conversation, threadId);
  else if (options.json) await answerAsJson(agent, message, threadId);
  else await conversation.answer(message);
}

async function createAgent(
  { workflow }: Application,
  settings: Settings,
  { model, json }: ChatOptions,
): Promise<TalkingAgent & Pick<FeedbackAgent, "close">> {
  const { openaiApiKey, openaiBaseUrl, openaiModel } = settings;
  const { createChatModel, createFeedbackAgent, SqliteCheckpointSaver } = await import("../../agents/index.ts");
  const [{ stateOf }, { entriesOf }] = await Promise.all([
    import("../../agents/ask.ts"),
    import("../../agents/chat-entries.ts"),
  ]);
  const agent = await createFeedbackAgent({
    tools: workflow.as_tools(),
    model: await createChatModel({ openaiApiKey, openaiBaseUrl, openaiModel: model ?? openaiModel }),
    checkpointer: new SqliteCheckpointSaver(dataFile(settings, "conversations.sqlite")),
    // In a pipe, nobody can be asked; the model then says that the email waits.
    ...(isInteractive() && json !== true && { approval: { workflow } }),
  });
  return {
    ...agent,
    entries: async (threadId) => entriesOf((await stateOf(agent.agent, threadId)).messages),
    getFeedback: (id) => workflow.getFeedback(id),
  };
}

/** One conversation with the agent. */
class Conversation {
  readonly #agent: TalkingAgent;
  readonly #threadId: string;
  /** The name of the person who decides on emails. It is asked for at the first decision. */
  #by: string | undefined;

  constructor(agent: TalkingAgent, threadId: string, by: string | undefined) {
    this.#agent = agent;
    this.#threadId = threadId;
    this.#by = by;
  }

  /** Answers a message. If the agent stops at emails that wait, lets the person decide on them. */
  async answer(message: string): Promise<void> {
    await this.#follow(await this.#live((options) => this.#agent.ask(message, options)));
  }

  /** Continues a conversation that an earlier process left waiting for decisions on emails. */
  async resume(): Promise<void> {
    const review = await this.#agent.waiting(this.#threadId);
    if (review) await this.#follow(await this.#decide(review));
  }

  async #follow(first: AgentAnswer): Promise<void> {
    let answer = first;
    while (answer.review) answer = await this.#decide(answer.review);
    if (!answer.complete && !isInteractive()) host().exitCode = 1;
  }

  async #decide(review: MailReviewRequest): Promise<AgentAnswer> {
    // In a pipe, nobody can be asked; the email keeps waiting.
    const decisions = isInteractive() ? await reviewMails(review) : [];
    const decided = decisions.some((decision) => decision !== null);
    if (decided) this.#by ??= await askName(host().env["USER"] ?? "");
    const by = this.#by;
    if (decided && by === undefined) {
      note("A decision needs a name, so nothing was decided. The emails keep waiting.");
      decisions.fill(null);
    }
    return this.#live((options) => this.#agent.decide(decisions, { ...options, ...withoutAbsent({ by }) }));
  }

  #live(work: (options: AskOptions & { threadId: string }) => Promise<AgentAnswer>): Promise<AgentAnswer> {
    return interruptible(async (signal) => {
      const view = liveView();
      try {
        return await work({ ...view, threadId: this.#threadId, signal });
      } finally {
        view.end();
      }
    });
  }
}

const answerAsJson = (agent: TalkingAgent, message: string, threadId: string): Promise<void> =>
  interruptible(async (signal) => {
    const first = await agent.ask(message, { threadId, signal });
    const last = first.review ? await agent.decide([], { threadId, signal }) : first;
    const { text, complete } = last;
    const toolCalls = [...new Map([...first.toolCalls, ...last.toolCalls].map((call) => [call.id, call])).values()];
    const tool_calls = toolCalls.map(({ id, name, args, content, artifact, failed }) => ({
      id,
      name,
      args,
      failed,
      result: artifact ?? content,
    }));
    if (!complete) host().exitCode = 1;
    printJson({ thread_id: threadId, text, ...(!complete && { complete }), tool_calls });
  });

async function converse(conversation: Conversation, threadId: string): Promise<void> {
  await reportErrors(() => conversation.resume());
  for await (const message of messages()) await reportErrors(() => conversation.answer(message));
  note(`Continue with: ${furtherCommand(`chat --thread ${oneLine(threadId)}`)}`);
}

/**
 * Runs one part of the conversation. An expected error or Ctrl-C is reported, and doesn't end the
 * conversation.
 */
async function reportErrors(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error === INTERRUPTED) note("Stopped.");
    else if (isAbiError(error)) printError(oneLine(error.message));
    else throw error;
    if (!isInteractive()) host().exitCode = 1;
  }
}

/**
 * Joins lines into messages. The lines of a quotation belong together, because what a customer wrote
 * is not a message of its own.
 */
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
    // After a colon, or after a line that is quoted as in emails, quoted lines may follow.
    if (inQuotation || /:\s*$|^\s*>/u.test(line)) continue;
    yield message;
    message = "";
  }
  if (message !== "") yield message;
}

/** The user's messages, until the end of input or `/exit`. */
async function* messages(): AsyncGenerator<string> {
  if (!isInteractive()) {
    yield* pipedMessages(createInterface({ input: host().stdin }));
    return;
  }
  for (;;) {
    const line = await prompted(({ text }, terminal) =>
      text({ ...terminal, message: "You", placeholder: "What should I do? (/exit or Ctrl-D to end)" }),
    );
    if (line === undefined || line.trim() === EXIT) return;
    if (line.trim() !== "") yield line;
  }
}
