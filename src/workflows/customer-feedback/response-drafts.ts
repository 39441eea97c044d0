import { createHash } from "node:crypto";
import type { NamedNode } from "@rdfjs/types";
import { ConflictError } from "../../errors.ts";
import { AUTOMATIC_REPLY_HEADERS } from "../../integrations/email/mail-hygiene.ts";
import type { MailMessage } from "../../integrations/email/mail-transport.ts";
import { ABIGraph } from "../../ontology/abi-graph.ts";
import { entityUri } from "../../ontology/entity-uri.ts";
import { iri } from "../../ontology/iri.ts";
import type { OntologyStore, Row } from "../../ontology/ontology-store.ts";
import { ask, select } from "../../ontology/queries.ts";
import { PREFIXES, prov, rdf } from "../../ontology/vocabulary.ts";
import type { ResponseDecision } from "./approval.ts";
import { FEEDBACK_STORE, feedbackUri } from "./feedback-graph.ts";

const DRAFT_BY_URI = `${PREFIXES}
  SELECT ?sender ?recipient ?subject ?text ?html ?message_id ?in_reply_to ?refused ?refusal WHERE {
    ?feedback abi:hasDraft ?draft .
    ?draft abi:sender ?sender ; abi:recipient ?recipient ; abi:subject ?subject ; abi:text ?text ; abi:html ?html ;
      abi:messageId ?message_id .
    OPTIONAL { ?draft abi:inReplyTo ?in_reply_to }
    OPTIONAL { ?draft abi:insteadOf ?other . ?other abi:id ?refused ; abi:refusal ?refusal }
  }`;

const IS_REFUSED = `${PREFIXES} ASK { ?draft abi:refusal ?refusal }`;

/** The first one stays: the step that notes it may be done again. */
const RECORD_REFUSAL = `${PREFIXES}
  INSERT { ?draft abi:refusal ?refusal } WHERE { FILTER NOT EXISTS { ?draft abi:refusal ?earlier } }`;

/** A mail for a person to decide on. */
export interface Draft {
  message: MailMessage;
  /** The mail that the mail server refused for good, in whose place this one is, and what it said. */
  refused?: { rendering: string; refusal: string };
}

/**
 * The hash of a mail as it goes out (SHA-256, hexadecimal), which stands for exactly that mail. The message id is in it, and with
 * it the feedback: no two pieces of feedback have a mail of the same hash. The headers that all our mails have are not. A mail
 * in the place of one that was refused has another hash even with the same words: what was decided on that one is not for this one.
 */
export function renderingOf({ message, refused }: { message: MailMessage; refused?: { rendering: string } }): string {
  const { from, to, subject, html, text, messageId, inReplyTo } = message;
  const content = [from, to, subject, html, text, messageId, inReplyTo ?? null];
  if (refused) content.push(refused.rendering);
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
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
    { message, refused }: { message: MailMessage; refused?: { rendering: string } },
    origin: { runId: string } | { revisionOf: string },
  ): Promise<string> {
    const rendering = renderingOf({ message, ...(refused && { refused }) });
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
   * The mail of this rendering, or undefined where the feedback has none.
   * @throws ConflictError (`draft_changed`) where what is stored is not what the rendering stands for
   */
  async find(feedbackId: string, rendering: string): Promise<Draft | undefined> {
    const rows = await select(this.#ontologyStore, FEEDBACK_STORE, DRAFT_BY_URI, {
      feedback: iri(feedbackUri(feedbackId)),
      draft: draftUri(rendering),
    });
    const draft = rows[0] && toDraft(rows[0]);
    if (draft === undefined || (rows.length === 1 && renderingOf(draft) === rendering)) return draft;
    throw draftChanged(rendering);
  }

  /** Whether the mail server has refused this mail for good. */
  isRefused(rendering: string): Promise<boolean> {
    return ask(this.#ontologyStore, FEEDBACK_STORE, IS_REFUSED, { draft: draftUri(rendering) });
  }

  /** Notes that the mail server has refused this mail for good, and what it said. */
  async recordRefusal(rendering: string, refusal: string): Promise<void> {
    await this.#ontologyStore.update(FEEDBACK_STORE, RECORD_REFUSAL, { draft: draftUri(rendering), refusal });
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

function toDraft({ refused, refusal, ...message }: Row): Draft {
  return {
    message: toMessage(message),
    ...(refused && { refused: { rendering: refused.value, refusal: refusal?.value ?? "" } }),
  };
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
