import { note, oneLine } from "../../terminal/output.ts";
import type { ServiceClient } from "../../service-client.ts";
import { ConflictError, fromWireError, IoError, isAbiError } from "../../../src/errors.ts";
import type { ChatEntry, ChatEvent, Conversation, WaitingMail } from "../../../src/interfaces/http/chat.ts";
import type { FeedbackDetails } from "../../../src/workflows/customer-feedback/feedback-schemas.ts";
import { withoutAbsent, isObject } from "../../../src/json.ts";
import type { PendingResponse } from "../../../src/workflows/customer-feedback/responses/approval.ts";
import {
  reviewRequest,
  waitingText,
  type MailDecision,
  type MailReviewRequest,
} from "../../../agents/approval/mail-review.ts";
import type { AgentAnswer, AskOptions, ToolCallEnd } from "../../../agents/index.ts";
import type { TalkingAgent } from "./earlier-decisions.ts";

type ServiceOptions = AskOptions & { threadId: string };

/**
 * The agent of a service. Decisions on emails don't go through the agent: they are sent to the
 * service's `/approvals`, with the token of the person at this terminal.
 */
export class ServiceAgent implements TalkingAgent {
  readonly #service: ServiceClient;
  /**
   * The emails of each conversation as they were shown, with the renderings that decisions must
   * name.
   */
  readonly #shown = new Map<string, PendingResponse[]>();

  constructor(service: ServiceClient) {
    this.#service = service;
  }

  ask(message: string, options: AskOptions = {}): Promise<AgentAnswer> {
    const { threadId = crypto.randomUUID() } = options;
    return this.#follow("/chat", { message, thread_id: threadId }, { ...options, threadId });
  }

  async decide(decisions: readonly MailDecision[], options: ServiceOptions): Promise<AgentAnswer> {
    const { threadId } = options;
    const mails = this.#shown.get(threadId) ?? [];
    const notes: Record<string, string> = {};
    for (const [index, mail] of mails.entries()) {
      const problem = await this.#decideOn(mail, decisions[index] ?? null);
      if (problem !== undefined) notes[mail.workflow_id] = problem;
    }
    const again = mails.filter(({ workflow_id }) => notes[workflow_id] !== undefined);
    if (again.length === 0) return this.#follow(`${pathOf(threadId)}/continue`, {}, options);
    this.#shown.set(threadId, again);
    const review = reviewRequest(again, notes);
    return { threadId, text: waitingText(review), complete: true, toolCalls: [], review };
  }

  async waiting(threadId: string): Promise<MailReviewRequest | undefined> {
    const found = await this.#find(threadId);
    if (!found) return undefined;
    return found.decided ? reviewRequest([], {}) : this.#review(threadId, found.waiting);
  }

  async entries(threadId: string): Promise<readonly ChatEntry[]> {
    return (await this.#find(threadId))?.entries ?? [];
  }

  async getFeedback(feedback_id: string): Promise<FeedbackDetails> {
    const path = "/workflows/customer-feedback/operations/get_feedback";
    return (await this.#service.call(path, { json: { feedback_id } })) as FeedbackDetails;
  }

  async #find(threadId: string): Promise<Conversation | undefined> {
    return (await this.#service.find(pathOf(threadId), "not_found")) as Conversation | undefined;
  }

  /** Decides on an email. Returns why it has to be shown again; undefined if it doesn't. */
  async #decideOn(mail: PendingResponse, decision: MailDecision): Promise<string | undefined> {
    if (decision === null) return undefined;
    const { workflow_id, rendering } = mail;
    const { type, ...words } = decision;
    const { message, ...edit } = words as { message?: string; text?: string; subject?: string };
    const json = { rendering, ...edit, ...withoutAbsent({ reason: message }) };
    try {
      await this.#service.call(`/approvals/${encodeURIComponent(workflow_id)}/${type}`, { json });
    } catch (error) {
      if (!isAbiError(error)) throw error;
      if (!(error instanceof ConflictError)) return error.message;
      // The decision that counts, or the email that waits now, is shown when the conversation
      // continues.
      note(oneLine(whoWasFirst(error.standing) ?? error.message));
    }
    return undefined;
  }

  async #follow(path: string, json: object, options: ServiceOptions): Promise<AgentAnswer> {
    const { threadId, signal } = options;
    const calls: Calls = { names: new Map(), ends: new Map() };
    const answer: AgentAnswer = { threadId, text: "", complete: true, toolCalls: [] };
    let isOver = false;
    for await (const event of this.#service.stream(path, json, signal)) {
      const unheard = passOn(event as ChatEvent, options, calls);
      if (unheard?.type === "answer" || unheard?.type === "waiting") isOver = true;
      if (unheard?.type === "answer") Object.assign(answer, { text: unheard.text, complete: unheard.complete });
      if (unheard?.type === "error") throw fromWireError(unheard);
      const review = unheard?.type === "waiting" ? await this.#review(threadId, unheard.mails) : undefined;
      if (review) Object.assign(answer, { text: waitingText(review), review });
    }
    if (!isOver) throw new IoError("The service broke off its answer. Ask again.", { code: "service_unavailable" });
    return { ...answer, toolCalls: [...calls.ends.values()] };
  }

  async #review(threadId: string, waiting: readonly WaitingMail[]): Promise<MailReviewRequest | undefined> {
    const mails = await Promise.all(waiting.map(({ workflow_id }) => this.#pending(workflow_id)));
    const shown = mails.filter((mail) => mail !== undefined);
    this.#shown.set(threadId, shown);
    return waiting.length > 0 ? reviewRequest(shown, {}) : undefined;
  }

  /** Undefined if someone has already decided. */
  async #pending(id: string): Promise<PendingResponse | undefined> {
    const found = await this.#service.find(`/approvals/${encodeURIComponent(id)}`, "nothing_waits");
    return found as PendingResponse | undefined;
  }
}

const pathOf = (threadId: string): string => `/chat/${encodeURIComponent(threadId)}`;

/** The tool calls of one answer, by id. */
interface Calls {
  /** The tools' names, for events about progress, which don't have them. */
  names: Map<string, string>;
  ends: Map<string, ToolCallEnd>;
}

/** Passes an event to its listener; returns it if its type is one that has no listeners. */
function passOn(event: ChatEvent, listeners: AskOptions, { names, ends }: Calls): ChatEvent | undefined {
  switch (event.type) {
    case "token":
      listeners.onToken?.(event.text);
      return undefined;
    case "call_started":
      names.set(event.id, event.name);
      listeners.onToolStart?.(event);
      return undefined;
    case "call_progress":
      listeners.onToolProgress?.({ id: event.id, name: names.get(event.id) ?? "" }, event.progress);
      return undefined;
    case "call_ended": {
      const { id, name, args, result, failed } = event;
      const isText = typeof result === "string";
      const end = { id, name, args, content: isText ? result : JSON.stringify(result), failed };
      const whole: ToolCallEnd = isText ? end : { ...end, artifact: result };
      ends.set(id, whole);
      listeners.onToolEnd?.(whole);
      return undefined;
    }
    case "thread":
    case "waiting":
    case "answer":
    case "error":
      return event;
  }
}

function whoWasFirst(standing: unknown): string | undefined {
  if (!isObject(standing) || typeof standing["by"] !== "string") return undefined;
  const did = { approve: "approved the email", edit: "sent a different text", reject: "rejected the email" };
  const what = did[standing["decision"] as keyof typeof did] ?? "decided";
  return `${standing["by"]} was first and ${what}. That decision stands.`;
}
