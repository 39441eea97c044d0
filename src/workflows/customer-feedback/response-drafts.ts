import { createHash } from "node:crypto";
import type { NamedNode } from "@rdfjs/types";
import { ConflictError } from "../../errors.ts";
import { AUTOMATIC_REPLY_HEADERS } from "../../integrations/email/mail-hygiene.ts";
import type { MailMessage } from "../../integrations/email/mail-transport.ts";
import { ABIGraph } from "../../ontology/abi-graph.ts";
import { entityUri } from "../../ontology/entity-uri.ts";
import { iri } from "../../ontology/iri.ts";
import type { OntologyStore, Row } from "../../ontology/ontology-store.ts";
import { select } from "../../ontology/queries.ts";
import { PREFIXES, prov, rdf } from "../../ontology/vocabulary.ts";
import type { ResponseDecision } from "./approval.ts";
import { FEEDBACK_STORE, feedbackUri } from "./feedback-graph.ts";

const DRAFT_BY_URI = `${PREFIXES}
  SELECT ?sender ?recipient ?subject ?text ?html ?message_id ?in_reply_to WHERE {
    ?feedback abi:hasDraft ?draft .
    ?draft abi:sender ?sender ; abi:recipient ?recipient ; abi:subject ?subject ; abi:text ?text ; abi:html ?html ;
      abi:messageId ?message_id .
    OPTIONAL { ?draft abi:inReplyTo ?in_reply_to }
  }`;

/**
 * The hash of a mail as it goes out (SHA-256, hexadecimal), which stands for exactly that mail. The message id is in it, and with
 * it the feedback: no two pieces of feedback have a mail of the same hash. The headers that all our mails have are not.
 */
export function renderingOf({ from, to, subject, html, text, messageId, inReplyTo }: MailMessage): string {
  const content = JSON.stringify([from, to, subject, html, text, messageId, inReplyTo ?? null]);
  return createHash("sha256").update(content).digest("hex");
}

/** What was drafted is not in the graph, or not as it was. Says which, so that whoever cannot be shown it can reject it. */
export const draftChanged = (rendering: string): ConflictError =>
  new ConflictError(
    `The mail in the knowledge graph is not the one that was drafted, or is gone; it is not sent. Find out who changed it. While it waits, reject it: its rendering is ${rendering}.`,
    { code: "draft_changed" },
  );

const draftUri = (rendering: string): NamedNode => iri(entityUri("ResponseDraft", rendering));

/** Mails that wait for a person, or did, in the store `feedback_data`. Storing again changes nothing. */
export class ResponseDrafts {
  readonly #ontologyStore: OntologyStore;

  constructor(ontologyStore: OntologyStore) {
    this.#ontologyStore = ontologyStore;
  }

  /**
   * Keeps a mail as it would go out, and returns its rendering.
   * @param origin the run that wrote it, or the rendering that a person has revised
   */
  async store(
    feedbackId: string,
    message: MailMessage,
    origin: { runId: string } | { revisionOf: string },
  ): Promise<string> {
    const rendering = renderingOf(message);
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
    await this.#ontologyStore.insert(FEEDBACK_STORE, graph);
    return rendering;
  }

  /**
   * The mail of this rendering, or undefined where the feedback has none.
   * @throws ConflictError (`draft_changed`) where what is stored is not what the rendering stands for
   */
  async find(feedbackId: string, rendering: string): Promise<MailMessage | undefined> {
    const rows = await select(this.#ontologyStore, FEEDBACK_STORE, DRAFT_BY_URI, {
      feedback: iri(feedbackUri(feedbackId)),
      draft: draftUri(rendering),
    });
    const message = rows[0] && toMessage(rows[0]);
    if (message === undefined || (rows.length === 1 && renderingOf(message) === rendering)) return message;
    throw draftChanged(rendering);
  }

  /** Notes who has decided what on a draft, and when. */
  async recordDecision(rendering: string, decision: ResponseDecision, time: Date): Promise<void> {
    const graph = new ABIGraph();
    const { by } = decision;
    const person = graph.createEntity("Person", { id: by, name: by });
    graph.createRelationship(person, rdf.type, prov.Person);
    const reason = decision.decision === "reject" ? decision.reason : undefined;
    const activity = graph.createEntity("ResponseDecision", { id: rendering, decision: decision.decision, reason });
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

function toMessage({ sender, recipient, subject, text, html, message_id, in_reply_to }: Row): MailMessage {
  return {
    from: sender?.value ?? "",
    to: recipient?.value ?? "",
    subject: subject?.value ?? "",
    html: html?.value ?? "",
    text: text?.value ?? "",
    messageId: message_id?.value ?? "",
    ...(in_reply_to && { inReplyTo: in_reply_to.value, references: [in_reply_to.value] }),
    headers: AUTOMATIC_REPLY_HEADERS,
  };
}
