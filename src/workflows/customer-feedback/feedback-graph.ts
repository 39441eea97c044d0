import type { CategoriesResult } from "../../analysis/feedback-categorizer.ts";
import type { Category } from "../../analysis/categories.ts";
import type { Sentiment, SentimentResult } from "../../analysis/sentiment-analyzer.ts";
import { createHash } from "node:crypto";
import type { NamedNode } from "@rdfjs/types";
import { KeyedQueue } from "../../concurrency/keyed-queue.ts";
import { IoError } from "../../errors.ts";
import { ABIGraph, type PropertyValue } from "../../ontology/abi-graph.ts";
import { entityUri } from "../../ontology/entity-uri.ts";
import { factsAbout, isTrue, type Facts } from "../../ontology/facts.ts";
import { iri } from "../../ontology/iri.ts";
import type { Change, OntologyStore } from "../../ontology/ontology-store.ts";
import { toTerm } from "../../ontology/term.ts";
import { abi, prov, rdf } from "../../ontology/vocabulary.ts";
import { ticketGraph } from "../../integrations/tickets/ticket-graph.ts";
import type { TicketPriority } from "../../integrations/tickets/ticket-system.ts";
import type { ResponseCap } from "./configuration.ts";
import type { Action } from "./result.ts";

export const FEEDBACK_STORE = "feedback_data";

/** What an analyser found, and which one it was. */
export interface Analysis<Result> {
  analyzer: { name: string; version: string };
  result: Result;
}

export interface FeedbackRecord {
  id: string;
  subject: string;
  text: string;
  /** What the customer is asked to quote. */
  reference: string;
  /** The labels that the workflow used. */
  sentiment: Sentiment;
  categories: readonly Category[];
  /** Praise that was not certain enough for thanks. */
  doubtful: boolean;
  /** The labels that the caller stated. */
  stated: { sentiment?: Sentiment | undefined; categories: readonly Category[] };
  action: Action;
  customerUri: string;
  /** When it was submitted. Like `runId`, the same at every attempt to store the feedback. */
  timestamp: Date;
  runId: string;
  sentimentAnalysis: Analysis<SentimentResult>;
  categoryAnalysis: Analysis<CategoriesResult>;
}

/** An email of ours to which a reply has come: the feedback it was about, and its customer. */
export interface AnsweredMail {
  feedbackId: string;
  customerUri: string;
}

/** What a customer wrote back to an email of ours. */
export interface Reply {
  /** Id and digest of the email; see `IncomingMail`. */
  id: string;
  digest: string;
  customerUri: string;
  text: string;
  attachments: number;
  /** If it is a complaint: id of the feedback that it is processed as. */
  processedAs?: string | undefined;
  /** When it came in. */
  time: Date;
}

/** What the graph says about one piece of feedback. */
export interface StoredFeedback {
  timestamp: string;
  sentiment: string;
  categories: string[];
  responseSent: boolean;
}

/** Facts about one piece of feedback. */
export type FeedbackProperties = Readonly<Partial<Record<keyof typeof abi, PropertyValue>>>;

export const feedbackUri = (feedbackId: string): string => entityUri("Feedback", feedbackId);

/**
 * The feedback data in the store `feedback_data`. Every write here can be repeated without further
 * effect.
 */
export class FeedbackGraph {
  readonly #ontologyStore: OntologyStore;
  readonly #permissionQueue = new KeyedQueue();

  constructor(ontologyStore: OntologyStore) {
    this.#ontologyStore = ontologyStore;
  }

  /** Stores the feedback with its provenance and returns its URI. */
  async store(record: FeedbackRecord): Promise<string> {
    const { id, reference, subject, text, sentiment, categories, doubtful, stated, action, timestamp, runId } = record;
    const { sentimentAnalysis, categoryAnalysis } = record;
    const { sentiment: foundSentiment, ...bySentiment } = sentimentAnalysis.result;
    const { categories: foundCategories, ...byCategory } = categoryAnalysis.result;
    // The labels that were found are stored separately only if others were stated or used.
    const differs = stated.sentiment !== undefined || foundSentiment !== sentiment;
    const graph = new ABIGraph();
    const feedback = graph.createEntity("Feedback", {
      id,
      reference: reference === id ? undefined : reference,
      subject,
      text,
      sentiment,
      statedSentiment: stated.sentiment,
      foundSentiment: differs ? foundSentiment : undefined,
      sentimentScore: bySentiment.score,
      doubtful: doubtful || undefined,
      categoryScore: Math.max(0, ...Object.values(byCategory.scores)),
      timestamp,
      action,
    });
    const add = (property: string, values: readonly string[]): void => {
      for (const value of values) graph.addProperty(feedback, property, value);
    };
    add("hasCategory", categories);
    add("statedCategory", stated.categories);
    if (stated.categories.length > 0 || !isSame(foundCategories, categories)) add("foundCategory", foundCategories);
    add("sentimentEvidence", bySentiment.evidence);
    add("sentimentDoubt", bySentiment.doubts ?? []);
    add("categoryEvidence", Object.values(byCategory.evidence).flat());
    add(
      "fallbackReason",
      [bySentiment, byCategory].flatMap(({ fallback }) => fallback?.reason ?? []),
    );
    graph.createRelationship(feedback, "providedBy", iri(record.customerUri));
    graph.createRelationship(feedback, prov.wasGeneratedBy, iri(entityUri("WorkflowRun", runId)));
    const analyzers = addAnalyzers(graph, sentimentAnalysis.analyzer, categoryAnalysis.analyzer);
    graph.createRelationship(feedback, "analyzedBy", analyzers);
    await this.#write({ insert: graph });
    return feedback.value;
  }

  async find(feedbackId: string): Promise<StoredFeedback | undefined> {
    const facts = await this.#facts(feedbackId);
    const [timestamp, sentiment] = [facts.value(abi.timestamp), facts.value(abi.sentiment)];
    if (timestamp === undefined || sentiment === undefined) return undefined;
    return {
      timestamp,
      sentiment,
      categories: facts.values(abi.hasCategory).toSorted(),
      responseSent: facts.values(abi.responseSent).some(isTrue),
    };
  }

  /** A write inside a step. */
  #write(change: Change): Promise<void> {
    return this.#ontologyStore.change(FEEDBACK_STORE, { ...change, inStep: true });
  }

  #facts(feedbackId: string): Promise<Facts> {
    return this.#about(iri(feedbackUri(feedbackId)));
  }

  #about(subject: NamedNode): Promise<Facts> {
    return factsAbout(this.#ontologyStore, FEEDBACK_STORE, subject);
  }

  /**
   * Counts this feedback's email toward the customer's limit, until `withdrawPermission`. Returns
   * false if the limit is reached. Within this process, the runs for a customer do this one at a
   * time. Two processes on one endpoint can both add the last permitted email. So each counts again
   * when its own entry is visible, and removes it if there are too many. If both remove theirs, one
   * email too few goes out, but never one too many.
   * @throws IoError if the limit is not reached but this feedback's entry is missing: another
   *   process has just removed its own, or the change was lost
   */
  permitResponse(feedbackId: string, customerUri: string, cap: ResponseCap, now: Date): Promise<boolean> {
    return this.#permissionQueue.run(customerUri, () => this.#permit(feedbackId, customerUri, cap, now));
  }

  async #permit(feedbackId: string, customerUri: string, cap: ResponseCap, now: Date): Promise<boolean> {
    const feedback = iri(feedbackUri(feedbackId));
    const since = now.getTime() - cap.minutes * 60_000;
    const before = await this.#permissions(customerUri, feedback, since);
    if (before.isMine && before.count <= cap.responses) return true;
    if (!before.isMine) {
      if (before.count >= cap.responses) return false;
      const graph = new ABIGraph();
      graph.addProperty(feedback, abi.responsePermitted, now);
      graph.createRelationship(iri(customerUri), abi.permittedResponseTo, feedback);
      const unless = { subject: feedback, predicate: abi.responsePermitted };
      await this.#write({ unless, insert: graph });
      if (this.#ontologyStore.isExclusive === true) return true;
    }
    const { isMine, count } = await this.#permissions(customerUri, feedback, since);
    if (isMine && count <= cap.responses) return true;
    if (isMine) await this.withdrawPermission(feedbackId, customerUri);
    else if (count < cap.responses) {
      throw new IoError(
        "The email could not be counted toward the customer's limit, although the limit is not reached.",
        {
          code: "place_not_taken",
        },
      );
    }
    return false;
  }

  /** The emails that count toward the limit, and whether this feedback's is among them. */
  async #permissions(
    customerUri: string,
    feedback: NamedNode,
    since: number,
  ): Promise<{ count: number; isMine: boolean }> {
    const links = { subject: iri(customerUri), predicate: abi.permittedResponseTo };
    const permitted = (await this.#ontologyStore.match(FEEDBACK_STORE, links)).map(({ object }) => object);
    const subjects = permitted.filter((object) => object.termType === "NamedNode");
    const times = await this.#ontologyStore.match(
      FEEDBACK_STORE,
      [...subjects, feedback].map((subject) => ({ subject, predicate: abi.responsePermitted })),
    );
    const isMine = times.some(({ subject }) => subject.equals(feedback));
    const linked = new Set(subjects.map(({ value }) => value));
    const counted = times.filter(
      ({ subject, object }) => Date.parse(object.value) > since && linked.has(subject.value),
    );
    return { count: counted.length, isMine };
  }

  /** Stops counting the feedback's email toward the limit, because it isn't sent. */
  async withdrawPermission(feedbackId: string, customerUri: string): Promise<void> {
    const feedback = iri(feedbackUri(feedbackId));
    await this.#write({
      remove: [
        { subject: feedback, predicate: abi.responsePermitted },
        { subject: iri(customerUri), predicate: abi.permittedResponseTo, object: feedback },
      ],
    });
  }

  /** Records a ticket that another system holds. */
  async recordTicket(feedbackId: string, ticket: { id: string; priority: TicketPriority }): Promise<void> {
    const { graph } = ticketGraph({ ...ticket, feedbackUri: feedbackUri(feedbackId) });
    await this.#write({ insert: graph });
  }

  /**
   * Adds a step's findings or effects to the feedback; `properties` by their names in the
   * vocabulary.
   */
  async record(feedbackId: string, properties: FeedbackProperties): Promise<void> {
    const graph = new ABIGraph();
    const feedback = iri(feedbackUri(feedbackId));
    for (const [name, value] of Object.entries(properties)) graph.addProperty(feedback, name, value);
    await this.#write({ insert: graph });
  }

  /**
   * Finds the email of ours that has one of these Message-IDs. If there are several, the one whose
   * id comes first in the list is returned.
   */
  async answeredBy(messageIds: readonly string[]): Promise<AnsweredMail | undefined> {
    const sent = await this.#ontologyStore.match(
      FEEDBACK_STORE,
      messageIds.map((id) => ({ predicate: abi.responseId, object: toTerm(id, "The Message-ID") })),
    );
    const quad = messageIds.flatMap((id) => sent.find(({ object }) => object.value === id) ?? [])[0];
    if (quad?.subject.termType !== "NamedNode") return undefined;
    const facts = await this.#about(quad.subject);
    const [feedbackId, customerUri] = [facts.value(abi.id), facts.value(abi.providedBy)];
    return feedbackId === undefined || customerUri === undefined ? undefined : { feedbackId, customerUri };
  }

  /** The stored reply with this id, if any. */
  async reply(id: string): Promise<{ digest: string; isProcessed: boolean } | undefined> {
    const facts = await this.#about(iri(entityUri("Reply", id)));
    const digest = facts.value(abi.digest);
    return digest === undefined ? undefined : { digest, isProcessed: facts.value(abi.processedAs) !== undefined };
  }

  /**
   * Records what the customer wrote back, but not its Message-ID, which may name the sender.
   * @returns the digest of the reply that is stored under this id: a different one if an email with
   *   the same Message-ID came first
   */
  async recordReply(feedbackId: string, reply: Reply): Promise<string | undefined> {
    const { id, digest, customerUri, text, attachments, processedAs, time } = reply;
    const graph = new ABIGraph();
    const properties = { id, digest, text, timestamp: time, attachmentCount: attachments };
    const subject = graph.createEntity("Reply", properties);
    graph.createRelationship(iri(feedbackUri(feedbackId)), abi.hasReply, subject);
    graph.createRelationship(subject, abi.providedBy, iri(customerUri));
    if (processedAs !== undefined) {
      graph.createRelationship(subject, abi.processedAs, iri(feedbackUri(processedAs)));
    }
    await this.#ontologyStore.change(FEEDBACK_STORE, { unless: { subject, predicate: abi.id }, insert: graph });
    return (await this.reply(id))?.digest;
  }

  /**
   * Records a person's answer; recording the same answer twice stores it once. Returns false if the
   * feedback is unknown.
   */
  async recordResponse(feedbackId: string, text: string, time: Date): Promise<boolean> {
    const feedback = iri(feedbackUri(feedbackId));
    if (!(await this.#facts(feedbackId)).has(rdf.type, abi.Feedback)) return false;
    const digest = createHash("sha256")
      .update(JSON.stringify([feedbackId, text]))
      .digest("hex");
    const response = iri(entityUri("Response", digest.slice(0, 32)));
    const graph = new ABIGraph();
    graph.createRelationship(feedback, abi.hasResponse, response);
    graph.createRelationship(response, rdf.type, abi.Response);
    graph.addProperty(response, abi.text, text);
    graph.addProperty(response, abi.responseTime, time);
    const unless = { subject: response, predicate: rdf.type, object: abi.Response };
    await this.#ontologyStore.change(FEEDBACK_STORE, { unless, insert: graph });
    return true;
  }
}

type Analyzer = Analysis<unknown>["analyzer"];

/**
 * Adds the two analysers that judged. They are the same for nearly all feedback, so they are stored
 * once.
 */
function addAnalyzers(graph: ABIGraph, ofSentiment: Analyzer, ofCategories: Analyzer): NamedNode {
  const nameOf = ({ name, version }: Analyzer): string => `${name}@${version}`;
  const add = (analyzer: Analyzer): NamedNode => {
    const uri = iri(entityUri("Analyzer", nameOf(analyzer)));
    graph.createRelationship(uri, rdf.type, abi.Analyzer);
    graph.addProperty(uri, "name", analyzer.name);
    graph.addProperty(uri, "version", analyzer.version);
    return uri;
  };
  const pair = iri(entityUri("AnalyzerPair", `${nameOf(ofSentiment)}+${nameOf(ofCategories)}`));
  graph.createRelationship(pair, rdf.type, abi.AnalyzerPair);
  graph.createRelationship(pair, "sentimentAnalyzer", add(ofSentiment));
  graph.createRelationship(pair, "categoryAnalyzer", add(ofCategories));
  return pair;
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((category) => others.includes(category));
