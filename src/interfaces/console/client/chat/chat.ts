/**
 * A chat with the agent. The person who is signed in can decide on waiting emails here, in their
 * own name; the agent can't.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, returns } from "../api.ts";
import { Decide } from "../approvals/decide.ts";
import { html } from "../html.ts";
import { useLoad } from "../load.ts";
import { go, href } from "../router.ts";
import { may, session } from "../session.ts";
import { Icon } from "../ui/icons.ts";
import { OneLine } from "../ui/one-line.ts";
import { Empty, Failed, Loading, Pending } from "../ui/states.ts";
import { say } from "../ui/toast.ts";
import { getStatus, type ChatStatus } from "./chat-api.ts";
import { clear, conversation, open, remove, reopen, resume, send, stop, type Item } from "./conversation.ts";
import { Earlier, useEarlier } from "./earlier.ts";
import { RichText } from "./rich-text.ts";
import { ToolCallView } from "./tool-call.ts";

const SAMPLES = [
  "Customer C-1007 wrote: 'Absolutely love the new dashboard, everything is so easy to find now!'",
  "Customer C-1022 wrote: 'This is the third outage this month. We are losing money.'",
  "What is the sentiment of: The checkout crashes every single time.",
];

const mayTalk = (): boolean => may("feedback:read") && may("feedback:write");

export function Chat({ id }: { id: string | undefined }) {
  const { value: status, error, reload } = useLoad(mayTalk() ? "chat" : undefined, getStatus);
  if (!mayTalk()) {
    return html`<header class="page-head"><h1>Chat</h1></header>
      <${Empty} title="You can't talk to the agent here"
        >The chat needs a token with the scopes feedback:read and feedback:write.<//
      >`;
  }
  if (!status) return html`<${Pending} error=${error} retry=${reload} rows=${6} label="Loading the chat" />`;
  if (status.model === null) return html`<${NoModel} />`;
  return html`<${Conversation} id=${id} status=${status} />`;
}

const NoModel = () => html`
  <header class="page-head"><h1>Chat</h1></header>
  <${Empty} title="No model is set">
    <p>The agent needs a language model. Set one of the first two variables, and restart the service:</p>
    <dl class="settings">
      <div class="fact">
        <dt><code>OPENAI_API_KEY</code></dt>
        <dd>the key for OpenAI, or for the service that you name below</dd>
      </div>
      <div class="fact">
        <dt><code>OPENAI_BASE_URL</code></dt>
        <dd>another service with the same protocol, even one on this machine such as Ollama</dd>
      </div>
      <div class="fact">
        <dt><code>OPENAI_MODEL</code></dt>
        <dd>the model's name; by default, one of OpenAI's models</dd>
      </div>
    </dl>
    <p>The demo (<code>abi-workflows serve --demo</code>) answers without a language model, by fixed rules.</p>
  <//>
`;

/** The owner of the conversation on the screen. If someone else signs in, they must not see it. */
let owner: string | undefined;

function Conversation({ id, status }: { id: string | undefined; status: ChatStatus }) {
  const { threadId, items, waiting, isBusy, isLoading, error } = conversation.value;
  const name = session.value?.name;
  useEffect(() => {
    if (owner !== name) clear();
    owner = name;
    const shown = conversation.value.threadId;
    if (id !== undefined && id !== shown) void open(id);
    else if (id === undefined && shown !== undefined) go(href(["chat", shown]), { replace: true });
  }, [id, name]);
  useEffect(() => {
    // The first message has created the conversation.
    if (threadId !== undefined && id === undefined) go(href(["chat", threadId]), { replace: true });
  }, [threadId]);
  const round = useRef(returns.value);
  useEffect(() => {
    if (round.current !== returns.value) void reopen();
    round.current = returns.value;
  }, [returns.value]);
  const onNew = (): void => {
    clear();
    go(href(["chat"]));
  };
  const earlier = useEarlier(`${threadId} ${isBusy}`);
  const isNew = items.length === 0 && !isLoading && !error;
  return html`
    <header class="page-head">
      <h1>Chat</h1>
      <p class="muted">${modelText(status)}</p>
      ${
        threadId !== undefined &&
        html`<div class="page-action">
          <button type="button" class="button small" onClick=${onNew}>New conversation</button>
          <${Delete} key=${threadId} />
        </div>`
      }
    </header>
    <div class="chat-columns">
      <div class="chat">
        ${error && html`<${Failed} error=${error} retry=${() => void open(threadId!)} />`}
        ${isLoading && html`<${Loading} rows=${6} label="Loading the conversation" />`}
        ${
          isNew &&
          html`<${Welcome} />
            <div class="earlier-below"><${Earlier} earlier=${earlier} current=${undefined} /></div>`
        }
        <${Transcript} items=${items} isBusy=${isBusy} />
        ${waiting.length > 0 && html`<${WaitingMails} />`}
        <${Composer} isBusy=${isBusy} isWaiting=${waiting.length > 0} />
      </div>
      <div class="chat-side"><${Earlier} earlier=${earlier} current=${threadId} /></div>
    </div>
  `;
}

/** Asks once more before the conversation is deleted. */
function Delete() {
  const [isSure, setIsSure] = useState(false);
  const onDelete = async (): Promise<void> => {
    setIsSure(false);
    try {
      await remove();
      go(href(["chat"]), { replace: true });
      say("The conversation has been deleted.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(error.message, "bad");
    }
  };
  if (!isSure)
    return html`<button type="button" class="button small plain" onClick=${() => setIsSure(true)}>
      Delete conversation
    </button>`;
  return html`
    <span>Delete it permanently?</span>
    <button type="button" class="button small danger" onClick=${onDelete}>Yes, delete</button>
    <button type="button" class="button small plain" onClick=${() => setIsSure(false)}>No</button>
  `;
}

const modelText = ({ model, offline }: ChatStatus) =>
  offline
    ? html`${"The offline demo model answers, by fixed rules. For a language model, set "}<code>OPENAI_API_KEY</code>${" or "}<code>OPENAI_BASE_URL</code>${"."}`
    : html`<span dir="auto">${model}</span>${" answers. It can make mistakes."}`;

const Welcome = () => html`
  <section class="welcome" aria-label="How to begin">
    <p class="welcome-title">What should the agent do?</p>
    <p class="muted">
      Give it what a customer wrote, with the customer's id. It processes the feedback and reports the outcome. Emails
      that need approval wait for you here.
    </p>
    <ul role="list" class="welcome-samples">
      ${SAMPLES.map(
        (sample) =>
          html`<li key=${sample}>
            <button type="button" class="sample" onClick=${() => void send(sample)}>
              <${Icon} name="chat" />${sample}
            </button>
          </li>`,
      )}
    </ul>
  </section>
`;

/** Keeps the end of the conversation in sight, unless the person has scrolled away from it. */
function useEndInSight(changes: readonly unknown[]) {
  const end = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const onScroll = (): void => {
      const { scrollHeight, clientHeight } = document.documentElement;
      isAtEnd.current = scrollHeight - clientHeight - scrollY < 120;
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => removeEventListener("scroll", onScroll);
  }, []);
  useLayoutEffect(() => {
    if (isAtEnd.current) end.current?.scrollIntoView({ block: "end" });
  }, changes);
  return end;
}

function Transcript({ items, isBusy }: { items: readonly Item[]; isBusy: boolean }) {
  const end = useEndInSight([items, isBusy]);
  const last = items.at(-1);
  return html`
    <ol class="transcript" role="list" aria-label="Conversation">
      ${items.map((item, index) => html`<li key=${index} class=${`turn ${item.type}`}><${Turn} item=${item} isBusy=${isBusy} /></li>`)}
      ${
        isBusy &&
        last?.type !== "assistant" &&
        html`<li key="busy" class="turn">
          <span class="typing" role="img" aria-label="The agent is at work"><i></i><i></i><i></i></span>
        </li>`
      }
    </ol>
    <p class="visually-hidden" role="status">
      ${isBusy ? "The agent is at work." : last?.type === "assistant" ? last.text : ""}
    </p>
    <div ref=${end} class="chat-end"></div>
  `;
}

function Turn({ item, isBusy }: { item: Item; isBusy: boolean }) {
  switch (item.type) {
    case "user":
      return html`<span class="visually-hidden">You: </span>
        <p class="said" dir="auto">${item.text}</p>`;
    case "assistant":
      return html`<span class="visually-hidden">Agent: </span><${RichText} text=${item.text} />`;
    case "call":
      return html`<${ToolCallView} call=${item} isBusy=${isBusy} />`;
    case "problem":
      return html`<p class="notice bad" role="alert" dir="auto">${item.text}</p>`;
  }
}

/**
 * Brings an element into sight, and keeps it there while it loads, until the person scrolls, clicks
 * or types.
 */
function useInSight() {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    const { current } = element;
    if (!current) return undefined;
    const observer = new ResizeObserver(() => current.scrollIntoView({ block: "start" }));
    const end = (): void => observer.disconnect();
    observer.observe(current);
    for (const type of TOUCHES) addEventListener(type, end, { passive: true });
    return () => {
      end();
      for (const type of TOUCHES) removeEventListener(type, end);
    };
  }, []);
  return element;
}

/** Ids that the service has made up. They mean nothing to people. */
const MADE_UP = /^auto-/;

const TOUCHES = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/**
 * The emails that the conversation waits for, each with buttons to decide on it. The agent
 * continues once the person has decided on all of them.
 */
function WaitingMails() {
  const { waiting } = conversation.value;
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set());
  const section = useInSight();
  const open = waiting.filter(({ workflow_id: id }) => !decided.has(id));
  const onDecided = (id: string): void => {
    const known = new Set([...decided, id]);
    setDecided(known);
    if (waiting.every(({ workflow_id }) => known.has(workflow_id))) void resume();
  };
  return html`
    <section ref=${section} class="waiting" aria-label="Emails that wait for you">
      ${open.map(
        ({ workflow_id: id, key }) => html`
          <div key=${id} class="card waiting-mail">
            <h2>
              <span class="badge warn">Needs you</span>
              <span>The email for</span>
              <a href=${href(["feedback", key])} class="id"
                >${MADE_UP.test(key) ? "this feedback" : html`<${OneLine} text=${key} />`}</a
              >
            </h2>
            <${Decide} id=${id} onDecided=${() => onDecided(id)} isEmbedded />
          </div>
        `,
      )}
      <div class="waiting-foot">
        <p class="muted">
          You decide as <b dir="auto">${session.value?.name}</b>; the agent can't. It continues after your decision.
        </p>
        <button type="button" class="button small" onClick=${() => void resume()}>Continue</button>
      </div>
    </section>
  `;
}

function Composer({ isBusy, isWaiting }: { isBusy: boolean; isWaiting: boolean }) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    // On a phone the keyboard would cover half of the page.
    if (matchMedia("(min-width: 800px)").matches) field.current?.focus({ preventScroll: true });
  }, []);
  useLayoutEffect(() => {
    const { current } = field;
    if (!current) return;
    current.style.height = "auto";
    current.style.height = `${Math.min(current.scrollHeight + 2, 260)}px`;
  }, [text]);
  const onSend = (): void => {
    if (isBusy || text.trim() === "") return;
    void send(text.trim());
    setText("");
  };
  return html`
    <form
      class="composer"
      aria-label="Message to the agent"
      onSubmit=${(event: Event) => {
        event.preventDefault();
        onSend();
      }}
    >
      <textarea
        ref=${field}
        rows="1"
        dir="auto"
        maxlength="100000"
        aria-label="Message"
        placeholder=${isWaiting ? "Decide above, or write" : "Write to the agent"}
        value=${text}
        onInput=${({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => setText(currentTarget.value)}
        onKeyDown=${(event: KeyboardEvent) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          onSend();
        }}
      ></textarea>
      ${
        isBusy
          ? html`<button type="button" class="button" onClick=${stop}>Stop</button>`
          : html`<button class="button primary" disabled=${text.trim() === ""}>Send <kbd>↵</kbd></button>`
      }
    </form>
  `;
}
