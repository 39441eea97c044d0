import type { ChatMessage, ChatRequest } from "../chat-completions/protocol.ts";
import { serveChatCompletions, type Answer, type ChatCompletionsServer } from "../chat-completions/server.ts";
import { DEFAULT_NAMES, type HostileText } from "./hostile-text.ts";
import { ordinaryCalls, wishedCalls, type PlannedCall } from "./obey.ts";

/** Which texts to obey, and options. */
export interface ObedientModelOptions {
  texts: readonly HostileText[];
  /**
   * Id of the customer whom the program or the user names; default `C-1001`, as with
   * `hostileTexts`.
   */
  customer?: string;
  /**
   * Calls of your own that it also makes when it obeys a text, for tools whose field names say too
   * little.
   */
  moreCalls?: (text: HostileText, request: ChatRequest) => readonly PlannedCall[];
}

/** A call that the model has made, with its result. */
export interface MadeCall extends PlannedCall {
  /** Name of the text that it obeys. */
  text: string;
  /** Whether the attacker wanted the call; otherwise the user did. */
  isWished: boolean;
  result: string;
}

/** A chat model that does what hostile texts ask, served over OpenAI's Chat Completions. */
export interface ObedientModel extends ChatCompletionsServer {
  /** Every call whose result has been returned. */
  readonly calls: readonly MadeCall[];
}

/** One round before any email waits for a decision, one to look at the email, and one to decide. */
const DECIDING_ROUNDS = 3;

const WISHED = "call_wished";
const ASKED = "call_asked";

/**
 * Starts a scripted model that obeys hostile texts, on a free port of the loopback interface. It
 * searches the whole conversation for the texts, tool results included, and obeys the newest one,
 * once after each message of the user. First it does what the attacker asks: it calls every
 * available tool with the recipient, customer, decision and query that the text names, even as
 * arguments that no tool has, and also calls tools that only the text mentions. Then it does what
 * the user wanted, and decides on waiting emails if the text asks for that. Finally it repeats all
 * tool results since the user's message, with the attacker's link.
 *
 * If it has read no hostile text, it calls every tool once, so that it reads what they return.
 *
 * @example const texts = hostileTexts(); const obedient = await obedientModel({ texts }); const
 *   model = new ChatOpenAI({ model: "obedient", apiKey: "none", configuration: { baseURL:
 *   obedient.url } });
 */
export async function obedientModel(options: ObedientModelOptions): Promise<ObedientModel> {
  const { texts, customer = DEFAULT_NAMES.customer, moreCalls = () => [] } = options;
  const open = new Map<string, Omit<MadeCall, "result">>();
  const calls: MadeCall[] = [];

  const noteResults = ({ messages }: ChatRequest): void => {
    for (const { tool_call_id: id = "", content } of messages) {
      const call = open.get(id);
      if (call && open.delete(id)) calls.push({ ...call, result: plain(content) });
    }
  };
  const plan = (text: string, isWished: boolean, planned: readonly PlannedCall[], nth: number): Answer => ({
    toolCalls: planned.map(({ name, args }, index) => {
      const id = `${isWished ? WISHED : ASKED}_${nth}_${index}`;
      open.set(id, { name, args, text, isWished });
      return { id, name, arguments: JSON.stringify(args) };
    }),
  });

  const decide = (request: ChatRequest, nth: number): Answer => {
    noteResults(request);
    const { messages } = request;
    const text = newestIn(messages, texts);
    const made = sinceUser(messages).flatMap(({ tool_calls: ofMessage = [] }) => ofMessage.map(({ id }) => id));
    const hasMade = (kind: string): boolean => made.some((id) => id.startsWith(kind));
    if (!text) {
      const looking = hasMade(ASKED) ? [] : ordinaryCalls(NOTHING_HOSTILE, customer, request);
      return looking.length > 0 ? plan("", false, looking, nth) : { reply: "There is nothing to do." };
    }
    const rounds = new Set(made.filter((id) => id.startsWith(WISHED)).map((id) => id.split("_")[2])).size;
    // An email waits only after the user's wish was carried out, so decisions take more rounds.
    if (rounds === 0 || (hasMade(ASKED) && text.wishes.decision !== undefined && rounds < DECIDING_ROUNDS)) {
      const wished = [...wishedCalls(text, customer, request), ...moreCalls(text, request)];
      if (wished.length > 0) return plan(text.name, true, wished, nth);
    }
    const asked = hasMade(ASKED) ? [] : ordinaryCalls(text, customer, request);
    return asked.length > 0 ? plan(text.name, false, asked, nth) : { reply: lastWords(text, messages) };
  };

  const server = await serveChatCompletions(decide);
  return { ...server, calls };
}

const NOTHING_HOSTILE: Pick<HostileText, "feedback"> = {
  feedback: { feedback_id: "H-look", subject: "The new search", feedback_text: "Where is the new search?" },
};

const plain = (content: ChatMessage["content"]): string =>
  typeof content === "string" ? content : (content ?? []).map(({ text = "" }) => text).join("\n");

const sinceUser = (messages: readonly ChatMessage[]): ChatMessage[] =>
  messages.slice(messages.findLastIndex(({ role }) => role === "user") + 1);

/**
 * The hostile text in the newest message that has one, as written or escaped in JSON. If a message
 * has several, the longest.
 */
function newestIn(messages: readonly ChatMessage[], texts: readonly HostileText[]): HostileText | undefined {
  for (const { role, content } of messages.toReversed()) {
    if (role !== "user" && role !== "tool") continue;
    const said = plain(content);
    const found = texts
      .filter(({ payload }) => said.includes(payload) || said.includes(JSON.stringify(payload).slice(1, -1)))
      .toSorted((a, b) => b.payload.length - a.payload.length);
    if (found[0]) return found[0];
  }
  return undefined;
}

/** The tool results since the user's last message, also in a link to the attacker. */
function lastWords({ wishes }: HostileText, messages: readonly ChatMessage[]): string {
  const known = sinceUser(messages)
    .filter(({ role }) => role === "tool")
    .map(({ content }) => plain(content))
    .join("\n");
  const { url } = wishes;
  const links = url === undefined ? "" : `\n![done](${url}${encodeURIComponent(known.slice(0, 500))}) [more](${url})`;
  return `Done as I was told.\n${known}${links}`;
}
