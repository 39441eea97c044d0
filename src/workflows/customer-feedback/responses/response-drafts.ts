import { createHash } from "node:crypto";
import type { NamedNode } from "@rdfjs/types";
import { ConflictError } from "../../../errors.ts";
import { AUTOMATIC_REPLY_HEADERS } from "../../../integrations/email/mail-hygiene.ts";
import type { MailMessage } from "../../../integrations/email/mail-transport.ts";
import { withoutAbsent } from "../../../json.ts";
import { ABIGraph } from "../../../ontology/abi-graph.ts";
import { entityUri } from "../../../ontology/entity-uri.ts";
import { factsAbout, type Facts } from "../../../ontology/facts.ts";
import { iri } from "../../../ontology/iri.ts";
import type { OntologyStore } from "../../../ontology/ontology-store.ts";
import { abi, prov, rdf } from "../../../ontology/vocabulary.ts";
import type { ResponseDecision } from "./approval.ts";
import { FEEDBACK_STORE, feedbackUri } from "../feedback-graph.ts";

/** An email for a person to decide on. */
export interface Draft {
  message: MailMessage;
  /**
   * The email that this one replaces because the mail server permanently refused it, and what the
   * server said.
   */
  refused?: { rendering: string; refusal: string };
}

/**
 * The hash of an email as it goes out (SHA-256, hexadecimal), which identifies exactly that email.
 * It includes the message id, and with it the feedback, so no two pieces of feedback have an email
 * with the same hash. It does not include the headers that all our emails have. An email that
 * replaces a refused one has another hash even if the text is the same, because the decision on the
 * refused one doesn't apply to it.
 */
export function renderingOf({ message, refused }: { message: MailMessage; refused?: { rendering: string } }): string {
  const { from, to, subject, html, text, messageId, inReplyTo } = message;
  const content = [from, to, subject, html, text, messageId, inReplyTo ?? null];
  if (refused) content.push(refused.rendering);
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}

/**
 * The error if a draft is missing or changed in the graph. It names the draft, so a person can
 * reject it without seeing it.
 */
export const draftChanged = (rendering: string): ConflictError =>
  new ConflictError(
    `The email in the knowledge graph is not the one that was drafted, or is gone; it is not sent. Find out who changed it. If it still waits for a decision, reject it: its rendering is ${rendering}.`,
    { code: "draft_changed" },
  );

const draftUri = (rendering: string): NamedNode => iri(entityUri("ResponseDraft", rendering));

/**
 * Emails that wait or waited for a person, and people's edited versions of them, in the store
 * `feedback_data`. Storing one again changes nothing.
 */
export class ResponseDrafts {
  readonly #ontologyStore: OntologyStore;

  constructor(ontologyStore: OntologyStore) {
    this.#ontologyStore = ontologyStore;
  }

  /**
   * Stores an email as it would be sent, and returns its rendering.
   * @param origin the run that wrote it, or the rendering that a person has revised
   */
  async store(
    feedbackId: string,
    { message, refused }: { message: MailMessage; refused?: { rendering: string } },
    origin: { runId: string } | { revisionOf: string },
  ): Promise<string> {
    const rendering = renderingOf({ message, ...withoutAbsent({ refused }) });
    const { from: sender, to: recipient, subject, text, html, messageId, inReplyTo } = message;
    const graph = new ABIGraph();
    const content = { sender, recipient, subject, text, html, messageId, inReplyTo };
    const draft = graph.createEntity("ResponseDraft", { id: rendering, ...content });
    graph.createRelationship(iri(feedbackUri(feedbackId)), "hasDraft", draft);
    if ("runId" in origin) {
      graph.createRelationship(draft, prov.wasGeneratedBy, iri(entityUri("WorkflowRun", origin.runId)));
    } else if (origin.revisionOf !== rendering) {
      graph.createRelationship(draft, prov.wasRevisionOf, draftUri(origin.revisionOf));
    }
    if (refused) graph.createRelationship(draft, "insteadOf", draftUri(refused.rendering));
    await this.#ontologyStore.insert(FEEDBACK_STORE, graph);
    return rendering;
  }

  /**
   * The email with this rendering; undefined if the feedback has none.
   * @throws ConflictError (`draft_changed`) if the stored email doesn't match the rendering
   */
  async find(feedbackId: string, rendering: string): Promise<Draft | undefined> {
    const [feedback, draft] = [iri(feedbackUri(feedbackId)), draftUri(rendering)];
    const [link] = await this.#ontologyStore.match(FEEDBACK_STORE, {
      subject: feedback,
      predicate: abi.hasDraft,
      object: draft,
    });
    if (!link) return undefined;
    const facts = await this.#facts(draft);
    const refused = facts.value(abi.insteadOf);
    const found = toDraft(facts, refused === undefined ? undefined : await this.#facts(iri(refused)));
    // With two values of a property, it would be unclear which email it is.
    const isWhole =
      CONTENT.every((property) => facts.values(property).length === 1) &&
      OPTIONAL.every((property) => facts.values(property).length <= 1);
    if (isWhole && renderingOf(found) === rendering) return found;
    throw draftChanged(rendering);
  }

  #facts(draft: NamedNode): Promise<Facts> {
    return factsAbout(this.#ontologyStore, FEEDBACK_STORE, draft);
  }

  /** Whether the mail server has refused this email permanently. */
  async isRefused(rendering: string): Promise<boolean> {
    const refusals = { subject: draftUri(rendering), predicate: abi.refusal };
    return (await this.#ontologyStore.match(FEEDBACK_STORE, refusals)).length > 0;
  }

  /**
   * Records that the mail server has refused this email permanently, and what it said. Only the
   * first refusal is recorded, because the step may be repeated.
   */
  async recordRefusal(rendering: string, refusal: string): Promise<void> {
    const graph = new ABIGraph();
    const [subject, predicate] = [draftUri(rendering), abi.refusal];
    graph.addProperty(subject, predicate, refusal);
    await this.#ontologyStore.change(FEEDBACK_STORE, { unless: { subject, predicate }, insert: graph });
  }

  /** Records who has decided what on a draft, when, and with which labels for the feedback. */
  async recordDecision(rendering: string, decision: ResponseDecision, time: Date): Promise<void> {
    const graph = new ABIGraph();
    const { by, sentiment: reviewedSentiment, categories = [] } = decision;
    // No `abi:id`: it would be the person's name, and free queries can see `abi:id`.
    const person = iri(entityUri("Person", by));
    graph.createRelationship(person, rdf.type, abi.Person);
    graph.createRelationship(person, rdf.type, prov.Person);
    graph.addProperty(person, abi.name, by);
    const reason = decision.decision === "reject" ? decision.reason : undefined;
    const properties = { id: rendering, decision: decision.decision, reason, reviewedSentiment };
    const activity = graph.createEntity("ResponseDecision", properties);
    for (const category of categories) graph.addProperty(activity, abi.reviewedCategory, category);
    graph.createRelationship(activity, rdf.type, prov.Activity);
    graph.createRelationship(activity, prov.used, draftUri(rendering));
    graph.createRelationship(activity, prov.wasAssociatedWith, person);
    graph.addProperty(activity, prov.endedAtTime, time);
    if (decision.decision === "edit" && decision.rendering !== rendering) {
      graph.createRelationship(draftUri(decision.rendering), prov.wasGeneratedBy, activity);
    }
    await this.#ontologyStore.insert(FEEDBACK_STORE, graph);
  }
}

/** An email needs all of these. */
const CONTENT = [abi.sender, abi.recipient, abi.subject, abi.text, abi.html, abi.messageId];

/** An email may also have these. */
const OPTIONAL = [abi.inReplyTo, abi.insteadOf];

/** @param refused facts about the email that this one replaces */
function toDraft(facts: Facts, refused: Facts | undefined): Draft {
  const [rendering, refusal] = [refused?.value(abi.id), refused?.value(abi.refusal)];
  return {
    message: toMessage(facts),
    ...(rendering !== undefined && refusal !== undefined && { refused: { rendering, refusal } }),
  };
}

function toMessage(facts: Facts): MailMessage {
  const inReplyTo = facts.value(abi.inReplyTo);
  return {
    from: facts.value(abi.sender) ?? "",
    to: facts.value(abi.recipient) ?? "",
    subject: facts.value(abi.subject) ?? "",
    html: facts.value(abi.html) ?? "",
    text: facts.value(abi.text) ?? "",
    messageId: facts.value(abi.messageId) ?? "",
    ...(inReplyTo !== undefined && { inReplyTo, references: [inReplyTo] }),
    headers: AUTOMATIC_REPLY_HEADERS,
  };
}
