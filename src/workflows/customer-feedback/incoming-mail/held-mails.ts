import type { NamedNode } from "@rdfjs/types";
import { ABIGraph } from "../../../ontology/abi-graph.ts";
import { entityUri } from "../../../ontology/entity-uri.ts";
import { Facts, factsAbout } from "../../../ontology/facts.ts";
import { iri } from "../../../ontology/iri.ts";
import type { OntologyStore } from "../../../ontology/ontology-store.ts";
import { toTerm } from "../../../ontology/term.ts";
import { abi } from "../../../ontology/vocabulary.ts";
import { feedbackUri } from "../feedback-graph.ts";

/** A separate store, because it has addresses of people who are not customers. */
const STORE = "held_mail";

/** Why an email is held, as a code, with what a person should know. */
export const HOLD_REASONS = {
  no_sender: "It names no sender's address, or more than one.",
  unknown_sender: "No customer has the sender's address.",
  several_customers: "Several customers have the sender's address.",
  sender_not_authenticated: "The mail server does not vouch for the sender's address.",
  other_sender: "It answers an email of ours, but from a different address than the one we wrote to.",
  no_text: "There is no text in it.",
  text_too_long: "Its text is too long to be processed as it is.",
  unreadable: "It is too large, or nested too deeply, to be read.",
  same_message_id: "It has the Message-ID of a different email that was received before.",
} as const;

export type HoldReason = keyof typeof HOLD_REASONS;

export type HeldMailStatus = "open" | "assigned" | "dismissed";

/** An email that waits for a person's decision, or waited for it. */
export interface HeldMail {
  id: string;
  /** Identifies its content; see `IncomingMail`. */
  digest: string;
  reason: HoldReason;
  status: HeldMailStatus;
  /** When it came in. */
  time: Date;
  /** Its From address, or whatever the From field contains instead. */
  sender?: string | undefined;
  subject: string;
  text: string;
  messageId?: string | undefined;
  attachments: number;
  /** Id of the feedback that it answers, if known. */
  answers?: string | undefined;
}

/** What a list shows of a held email. */
export type HeldMailHead = Omit<HeldMail, "digest" | "status" | "text" | "messageId">;

const uriOf = (id: string): NamedNode => iri(entityUri("HeldMail", id));

/** The emails that a person has to decide on, in the store `held_mail`. */
export class HeldMails {
  readonly #ontologyStore: OntologyStore;

  constructor(ontologyStore: OntologyStore) {
    this.#ontologyStore = ontologyStore;
  }

  /** Holds an email until someone has decided. Does nothing if it is already held. */
  async hold(mail: Omit<HeldMail, "status">): Promise<void> {
    const { id, digest, reason, subject, text, sender, messageId, answers } = mail;
    const graph = new ABIGraph();
    const uri = graph.createEntity("HeldMail", {
      id,
      digest,
      reason,
      status: "open",
      timestamp: mail.time,
      subject,
      text,
      attachmentCount: mail.attachments,
      sender,
      messageId,
    });
    if (answers !== undefined) graph.createRelationship(uri, abi.repliesTo, iri(feedbackUri(answers)));
    await this.#ontologyStore.change(STORE, { unless: { subject: uri, predicate: abi.id }, insert: graph });
  }

  async find(id: string): Promise<HeldMail | undefined> {
    return id === "" ? undefined : this.#read(uriOf(id));
  }

  /**
   * Lists undecided emails, oldest first, without their texts, because many long texts would be
   * megabytes.
   * @param limit the maximum number to list; `total` counts all
   */
  async listOpen(limit: number): Promise<{ mails: HeldMailHead[]; total: number }> {
    const isOpen = { predicate: abi.status, object: toTerm("open", "The status") };
    const subjects = (await this.#ontologyStore.match(STORE, isOpen)).map(({ subject }) => subject as NamedNode);
    const received = await this.#ofAll(subjects, [abi.timestamp]);
    const times = new Map(subjects.map(({ value }) => [value, timeIn(received.get(value)).getTime()]));
    const oldest = subjects
      .toSorted((a, b) => times.get(a.value)! - times.get(b.value)! || (a.value < b.value ? -1 : 1))
      .slice(0, limit);
    const heads = await this.#ofAll(oldest, HEAD);
    return { mails: oldest.map(({ value }) => headOf(heads.get(value) ?? new Facts([]))), total: subjects.length };
  }

  /** Some properties of several emails, by their URIs. */
  async #ofAll(subjects: readonly NamedNode[], predicates: readonly NamedNode[]): Promise<Map<string, Facts>> {
    const patterns = subjects.flatMap((subject) => predicates.map((predicate) => ({ subject, predicate })));
    const quads = patterns.length === 0 ? [] : await this.#ontologyStore.match(STORE, patterns);
    const bySubject = Map.groupBy(quads, ({ subject }) => subject.value);
    return new Map([...bySubject].map(([uri, ofMail]) => [uri, new Facts(ofMail)]));
  }

  /**
   * Records a decision. An assigned email has been processed, so it can no longer be dismissed.
   * @returns the resulting status; undefined if there is no such email
   */
  async close(
    id: string,
    status: Exclude<HeldMailStatus, "open">,
    processedAs?: string,
  ): Promise<HeldMailStatus | undefined> {
    const subject = uriOf(id);
    const insert = new ABIGraph();
    insert.addProperty(subject, abi.status, status);
    if (processedAs !== undefined) insert.createRelationship(subject, abi.processedAs, iri(feedbackUri(processedAs)));
    const assigned = { subject, predicate: abi.status, object: toTerm("assigned", "The status") };
    const remove = [{ subject, predicate: abi.status }];
    await this.#ontologyStore.change(STORE, { ...(status === "dismissed" && { unless: assigned }), remove, insert });
    return (await this.#read(subject))?.status;
  }

  async #read(subject: NamedNode): Promise<HeldMail | undefined> {
    const facts = await factsAbout(this.#ontologyStore, STORE, subject);
    const [id, status] = [facts.value(abi.id), facts.value(abi.status)];
    if (id === undefined || status === undefined) return undefined;
    return {
      ...headOf(facts),
      digest: facts.value(abi.digest) ?? "",
      status: status as HeldMailStatus,
      text: facts.value(abi.text) ?? "",
      messageId: facts.value(abi.messageId),
    };
  }
}

/** The properties of a `HeldMailHead`. */
const HEAD = [abi.id, abi.reason, abi.timestamp, abi.sender, abi.subject, abi.attachmentCount, abi.repliesTo];

const timeIn = (facts: Facts | undefined): Date => new Date(facts?.value(abi.timestamp) ?? 0);

function headOf(facts: Facts): HeldMailHead {
  const answered = facts.value(abi.repliesTo);
  return {
    id: facts.value(abi.id) ?? "",
    reason: facts.value(abi.reason) as HoldReason,
    time: timeIn(facts),
    sender: facts.value(abi.sender),
    subject: facts.value(abi.subject) ?? "",
    attachments: Number(facts.value(abi.attachmentCount) ?? 0),
    answers: answered === undefined ? undefined : decodeURIComponent(answered.slice(answered.lastIndexOf("/") + 1)),
  };
}
