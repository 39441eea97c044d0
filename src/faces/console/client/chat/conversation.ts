/** The conversation on the screen. It goes on while other pages are looked at. */
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

/** What is shown of a conversation, in its order. `step`: the last one of a call under way. */
export type Item = Exclude<Entry, ToolCall> | (ToolCall & { step?: string }) | { type: "problem"; text: string };

export interface ConversationState {
  /** Undefined until the first message was sent. */
  threadId?: string;
  items: readonly Item[];
  waiting: readonly WaitingMail[];
  /** Whether the agent is at work. */
  isBusy: boolean;
  /** Of loading it. */
  error?: ApiError;
  isLoading?: boolean;
}

const NOTHING: ConversationState = { items: [], waiting: [], isBusy: false };

export const conversation = signal<ConversationState>(NOTHING);

let work = new AbortController();

const change = (changes: Partial<ConversationState>): void => {
  conversation.value = { ...conversation.value, ...changes };
};

/** Stops the agent; what it has begun goes on. */
export function stop(): void {
  work.abort();
  showWords();
  work = new AbortController();
  change({ isBusy: false });
}

/** An empty conversation. */
export function clear(): void {
  stop();
  conversation.value = NOTHING;
}

/** Shows a conversation that was begun earlier. */
export async function open(threadId: string): Promise<void> {
  stop();
  const { signal: stopped } = work;
  conversation.value = { ...NOTHING, threadId, isLoading: true };
  try {
    const { entries, waiting } = await getConversation(threadId, stopped);
    change({ items: entries, waiting, isLoading: false });
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

/** Sends a message. Mails that wait go on waiting. */
export function send(message: string): Promise<void> {
  const { threadId, items } = conversation.value;
  change({ items: [...items, { type: "user", text: message }], waiting: [] });
  return follow((stopped) => ask(message, threadId, stopped));
}

/** Lets the agent go on once the mails are decided on, or without. */
export function resume(): Promise<void> {
  const { threadId } = conversation.value;
  if (threadId === undefined) return Promise.resolve();
  change({ waiting: [] });
  return follow((stopped) => goOn(threadId, stopped));
}

async function follow(begin: (stopped: AbortSignal) => AsyncGenerator<ChatEvent>): Promise<void> {
  stop();
  const { signal: stopped } = work;
  change({ isBusy: true });
  let last: ChatEvent["type"] | undefined;
  try {
    for await (const event of begin(stopped)) {
      if (stopped.aborted) return;
      take(event);
      last = event.type;
    }
    if (!END.has(last)) throw brokenOff();
  } catch (error) {
    if (stopped.aborted) return;
    showWords();
    addProblem(asApiError(error).message);
  }
  if (stopped.aborted) return;
  showWords();
  change({ isBusy: false });
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
      return change({ threadId: event.thread_id });
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
      return change({ waiting: event.mails });
    case "answer":
      return undefined;
    case "error":
      return addProblem(event.error);
  }
}

/** Words of the agent that have come and are not on the screen yet. */
let words = "";
let timer: ReturnType<typeof setTimeout> | undefined;

/** Words come in pieces of a few letters, and with each the whole answer would be drawn again. Milliseconds. */
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

/** A call of a conversation has the same id however often it is heard of. */
function setCall(known: CallChange): void {
  const { items } = conversation.value;
  const isIt = (item: Item): boolean => item.type === "call" && item.id === known.id;
  if (items.some(isIt)) {
    change({ items: items.map((item) => (isIt(item) ? { ...item, ...known } : item)) });
  } else if (known.name !== undefined) {
    change({ items: [...items, { type: "call", name: known.name, args: {}, ...known }] });
  }
}
