/** The conversation on the screen. It continues while other pages are shown. */
import { signal } from "@preact/signals";
import { ApiError } from "../api.ts";
import {
  ask,
  deleteConversation,
  getConversation,
  goOn,
  type ChatEvent,
  type Entry,
  type ToolCall,
  type WaitingMail,
} from "./chat-api.ts";

/** One entry on the screen. `step`: the latest step of a call in progress. */
export type Item = Exclude<Entry, ToolCall> | (ToolCall & { step?: string }) | { type: "problem"; text: string };

export interface ConversationState {
  /** Undefined until the service has accepted the first message. */
  threadId?: string;
  items: readonly Item[];
  waiting: readonly WaitingMail[];
  /** Whether the agent is at work. */
  isBusy: boolean;
  /** Whether the service has begun an answer whose last event has not arrived here. */
  isUnfinished?: boolean;
  /** Why the conversation couldn't be loaded. */
  error?: ApiError | undefined;
  isLoading?: boolean;
}

const NOTHING: ConversationState = { items: [], waiting: [], isBusy: false };

export const conversation = signal<ConversationState>(NOTHING);

let work = new AbortController();

const change = (changes: Partial<ConversationState>): void => {
  conversation.value = { ...conversation.value, ...changes };
};

/** Stops the agent. Runs that it has started continue. */
export function stop(): void {
  work.abort();
  showWords();
  work = new AbortController();
  change({ isBusy: false, isUnfinished: false });
}

/** Stops the agent, and shows an empty conversation. */
export function clear(): void {
  stop();
  conversation.value = NOTHING;
}

/** Shows a conversation that was begun earlier. */
export async function open(threadId: string): Promise<void> {
  stop();
  conversation.value = { ...NOTHING, threadId, isLoading: true };
  await load(threadId);
}

/**
 * Loads the conversation again after the service was unavailable: it may not have been loaded, or
 * the service may have been stopped between a decision and the agent's answer to it.
 */
export async function reopen(): Promise<void> {
  const { threadId, waiting, isBusy, isUnfinished = false, error } = conversation.value;
  const mayHaveChanged = waiting.length > 0 || isUnfinished || error !== undefined;
  if (threadId !== undefined && !isBusy && mayHaveChanged) await load(threadId);
}

/** Loads a conversation, and lets the agent continue if all its emails have been decided on. */
async function load(threadId: string): Promise<void> {
  const { signal: stopped } = work;
  try {
    const { entries, waiting, decided } = await getConversation(threadId, stopped);
    if (stopped.aborted) return;
    const { items } = conversation.value;
    // Problems at the end stay, because nothing else says why there is no answer.
    const problems = decided ? [] : items.slice(items.findLastIndex(({ type }) => type !== "problem") + 1);
    change({ items: [...entries, ...problems], waiting, isLoading: false, isUnfinished: false, error: undefined });
    if (decided) await resume();
  } catch (error) {
    if (!stopped.aborted) change({ isLoading: false, error: asApiError(error) });
  }
}

/**
 * Deletes the conversation that is shown, permanently.
 * @throws ApiError: then it is still there
 */
export async function remove(): Promise<void> {
  const { threadId } = conversation.value;
  stop();
  if (threadId !== undefined) await deleteConversation(threadId);
  clear();
}

/** Sends a message. Waiting emails disappear from the conversation, but stay in Approvals. */
export async function send(message: string): Promise<void> {
  const { threadId, items } = conversation.value;
  change({ items: [...items, { type: "user", text: message }], waiting: [] });
  await follow((stopped) => ask(message, threadId, stopped), false);
}

/** Lets the agent continue, whether or not the emails have been decided on. */
export async function resume(): Promise<void> {
  const { threadId } = conversation.value;
  if (threadId === undefined) return;
  change({ waiting: [] });
  const last = await follow((stopped) => goOn(threadId, stopped), true);
  // Another page has already continued this conversation.
  if (isOvertaken(last)) await load(threadId);
}

const isOvertaken = (event: ChatEvent | undefined): boolean =>
  event?.type === "error" && event.error_code === "nothing_waits";

/**
 * Shows an answer as it arrives.
 * @param isUnfinished the state's `isUnfinished` at the start
 * @returns the answer's last event; undefined if the answer was stopped or broken off
 */
async function follow(
  begin: (stopped: AbortSignal) => AsyncGenerator<ChatEvent>,
  isUnfinished: boolean,
): Promise<ChatEvent | undefined> {
  stop();
  const { signal: stopped } = work;
  change({ isBusy: true, isUnfinished });
  let last: ChatEvent | undefined;
  try {
    for await (const event of begin(stopped)) {
      if (stopped.aborted) return undefined;
      take(event);
      last = event;
    }
    if (!END.has(last?.type)) throw brokenOff();
  } catch (error) {
    if (stopped.aborted) return undefined;
    last = undefined;
    showWords();
    addProblem(asApiError(error).message);
  }
  if (stopped.aborted) return undefined;
  showWords();
  change({ isBusy: false });
  return last;
}

/** Events with which an answer ends. */
const END: ReadonlySet<ChatEvent["type"] | undefined> = new Set(["answer", "waiting", "error"] as const);

const brokenOff = (): ApiError =>
  new ApiError(0, { detail: "The connection was lost. Ask again, or reload the page." });

const asApiError = (error: unknown): ApiError => (error instanceof ApiError ? error : brokenOff());

const addProblem = (text: string): void => change({ items: [...conversation.value.items, { type: "problem", text }] });

function take(event: ChatEvent): void {
  if (event.type !== "token") showWords();
  switch (event.type) {
    case "thread":
      return change({ threadId: event.thread_id, isUnfinished: true });
    case "token":
      return addText(event.text);
    case "call_started":
    case "call_ended": {
      const { type: _type, ...known } = event;
      return setCall(known);
    }
    case "call_progress": {
      const { step, phase } = event.progress;
      return phase === "started" && step !== undefined ? setCall({ id: event.id, step }) : undefined;
    }
    case "waiting":
      return change({ waiting: event.mails, isUnfinished: false });
    case "answer":
      return change({ isUnfinished: false });
    case "error":
      return isOvertaken(event) ? undefined : addProblem(event.error);
  }
}

/** Words of the agent that have arrived and are not on the screen yet. */
let words = "";
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * How often to draw new words. They come in pieces of a few letters, each of which would redraw the
 * whole answer. Milliseconds.
 */
const WORDS_MS = 50;

function addText(text: string): void {
  words += text;
  timer ??= setTimeout(showWords, WORDS_MS);
}

function showWords(): void {
  clearTimeout(timer);
  timer = undefined;
  const text = words;
  words = "";
  if (text === "") return;
  const { items } = conversation.value;
  const last = items.at(-1);
  if (last?.type === "assistant") {
    change({ items: [...items.slice(0, -1), { ...last, text: last.text + text }] });
  } else if (text.trim() !== "") {
    change({ items: [...items, { type: "assistant", text: text.trimStart() }] });
  }
}

type CallChange = Partial<Omit<ToolCall, "type">> & { id: string; step?: string };

/** Adds a call, or updates the call with this id. */
function setCall(known: CallChange): void {
  const { items } = conversation.value;
  const isIt = (item: Item): boolean => item.type === "call" && item.id === known.id;
  if (items.some(isIt)) {
    change({ items: items.map((item) => (isIt(item) ? { ...item, ...known } : item)) });
  } else if (known.name !== undefined) {
    change({ items: [...items, { type: "call", name: known.name, args: {}, ...known }] });
  }
}
