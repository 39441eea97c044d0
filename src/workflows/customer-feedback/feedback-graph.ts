import type { CategoriesResult } from "../../analysis/feedback-categorizer.ts";
import type { Category } from "../../analysis/categories.ts";
import type { Sentiment, SentimentResult } from "../../analysis/sentiment-analyzer.ts";
import { createHash } from "node:crypto";
import type { NamedNode } from "@rdfjs/types";
import { IoError } from "../../errors.ts";
import { ABIGraph } from "../../ontology/abi-graph.ts";
import { entityUri } from "../../ontology/entity-uri.ts";
import { iri } from "../../ontology/iri.ts";
import type { OntologyStore } from "../../ontology/ontology-store.ts";
import { ask, select } from "../../ontology/queries.ts";
import { PREFIXES, prov, rdf } from "../../ontology/vocabulary.ts";
import type { TicketPriority } from "../../integrations/tickets/ticket-system.ts";
import type { ResponseCap } from "./configuration.ts";
import type { Action } from "./result.ts";

export const FEEDBACK_STORE = "feedback_data";

/** Which analyser said what. */
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
  /** What the process went by. */
  sentiment: Sentiment;
  categories: readonly Category[];
  /** What the caller said of it. */
  stated: { sentiment?: Sentiment | undefined; categories: readonly Category[] };
  action: Action;
  customerUri: string;
  /** When it was submitted; together with the run the same at every attempt to store it. */
  timestamp: Date;
  runId: string;
  sentimentAnalysis: Analysis<SentimentResult>;
  categoryAnalysis: Analysis<CategoriesResult>;
}

/** What the graph says of one piece of feedback. */
export interface StoredFeedback {
  timestamp: string;
  sentiment: string;
  categories: string[];
  responseSent: boolean;
}

const FEEDBACK_BY_URI = `${PREFIXES}
  SELECT ?timestamp ?sentiment ?category ?response_sent WHERE {
    ?feedback abi:timestamp ?timestamp ; abi:sentiment ?sentiment .
    OPTIONAL { ?feedback abi:hasCategory ?category }
    OPTIONAL { ?feedback abi:responseSent ?response_sent }
  }
  ORDER BY ?category`;

/** The customer's permissions are few, all feedback is many. */
const COUNT_PERMITTED = `{ SELECT (COUNT(?other) AS ?permitted) WHERE {
  ?customer abi:permittedResponseTo ?other . ?other abi:responsePermitted ?at . FILTER(?at > ?since) } }`;

/**
 * One update, so that two runs can't both take the last place where updates are done one at a time. With OPTIONAL, because
 * Virtuoso 7 takes a NOT EXISTS beside the count for a part of what it counts.
 */
const PERMIT_RESPONSE = `${PREFIXES}
  INSERT { ?feedback abi:responsePermitted ?now . ?customer abi:permittedResponseTo ?feedback }
  WHERE {
    ${COUNT_PERMITTED} OPTIONAL { ?feedback abi:responsePermitted ?earlier }
    FILTER(?permitted < ?cap && !BOUND(?earlier))
  }`;

const PERMISSIONS = `${PREFIXES}
  SELECT ?permitted ?mine WHERE { ${COUNT_PERMITTED} OPTIONAL { ?feedback abi:responsePermitted ?mine } }`;

const WITHDRAW_PERMISSION = `${PREFIXES}
  DELETE { ?feedback abi:responsePermitted ?at . ?customer abi:permittedResponseTo ?feedback }
  WHERE { ?feedback abi:responsePermitted ?at }`;

const FEEDBACK_EXISTS = `${PREFIXES} ASK { ?feedback a abi:Feedback }`;

const RECORD_RESPONSE = `${PREFIXES}
  INSERT { ?feedback abi:hasResponse ?response . ?response a abi:Response ; abi:text ?text ; abi:responseTime ?time }
  WHERE { FILTER NOT EXISTS { ?response a abi:Response } }`;

export const feedbackUri = (feedbackId: string): string => entityUri("Feedback", feedbackId);

/** What the process knows in the store `feedback_data`. Everything here may be repeated and changes nothing more. */
export class FeedbackGraph {
  readonly #ontologyStore: OntologyStore;

  constructor(ontologyStore: OntologyStore) {
    this.#ontologyStore = ontologyStore;
  }

  /** Stores the feedback with its provenance and returns its URI. */
  async store(record: FeedbackRecord): Promise<string> {
    const graph = new ABIGraph();
    const { id, reference, subject, text, sentiment, stated, action, timestamp, runId } = record;
    const statedSentiment = stated.sentiment;
    const properties = { id, reference, subject, text, sentiment, statedSentiment, timestamp, action };
    const feedback = graph.createEntity("Feedback", properties);
    for (const category of record.categories) graph.addProperty(feedback, "hasCategory", category);
    for (const category of stated.categories) graph.addProperty(feedback, "statedCategory", category);
    graph.createRelationship(feedback, "providedBy", iri(record.customerUri));

    const run = graph.createEntity("WorkflowRun", { id: runId });
    graph.createRelationship(run, rdf.type, prov.Activity);
    graph.addProperty(run, prov.startedAtTime, timestamp);
    graph.createRelationship(feedback, prov.wasGeneratedBy, run);

    const addAnalysis = (
      type: string,
      { analyzer: { name, version }, result }: Analysis<SentimentResult | CategoriesResult>,
      score: number,
      evidence: readonly string[],
    ): NamedNode => {
      const analyzer = graph.createEntity("Analyzer", { id: `${name}@${version}`, name, version });
      graph.createRelationship(analyzer, rdf.type, prov.SoftwareAgent);
      const analysis = graph.createEntity(type, { id, score });
      graph.createRelationship(analysis, rdf.type, prov.Activity);
      if (result.fallback) graph.addProperty(analysis, "fallbackReason", result.fallback.reason);
      for (const words of evidence) graph.addProperty(analysis, "evidence", words);
      graph.createRelationship(analysis, prov.wasAssociatedWith, analyzer);
      graph.createRelationship(analysis, prov.used, feedback);
      graph.addProperty(analysis, prov.startedAtTime, timestamp);
      return analysis;
    };
    const { sentimentAnalysis, categoryAnalysis } = record;
    const { score, evidence, sentiment: foundSentiment } = sentimentAnalysis.result;
    const ofSentiment = addAnalysis("SentimentAnalysis", sentimentAnalysis, score, evidence);
    graph.addProperty(ofSentiment, "foundSentiment", foundSentiment);

    const { scores, evidence: byCategory, categories: foundCategories } = categoryAnalysis.result;
    const surest = Math.max(0, ...Object.values(scores));
    const ofCategories = addAnalysis("CategoryAnalysis", categoryAnalysis, surest, Object.values(byCategory).flat());
    for (const category of foundCategories) graph.addProperty(ofCategories, "foundCategory", category);
    await this.#ontologyStore.insert(FEEDBACK_STORE, graph);
    return feedback.value;
  }

  async find(feedbackId: string): Promise<StoredFeedback | undefined> {
    const rows = await select(this.#ontologyStore, FEEDBACK_STORE, FEEDBACK_BY_URI, {
      feedback: iri(feedbackUri(feedbackId)),
    });
    const [first] = rows;
    if (!first?.["timestamp"] || !first["sentiment"]) return undefined;
    return {
      timestamp: first["timestamp"].value,
      sentiment: first["sentiment"].value,
      categories: [...new Set(rows.flatMap(({ category }) => (category ? [category.value] : [])))],
      // `1` is another spelling of true, and the one in which some endpoints give it back.
      responseSent: rows.some(({ response_sent }) => ["true", "1"].includes(response_sent?.value ?? "")),
    };
  }

  /**
   * Takes one of the customer's places under the cap for this feedback; it stays taken until `withdrawPermission`. On an endpoint that does
   * updates at the same time two can both take the last one. So each looks again when its own is there to be seen: whoever looks
   * last sees them all and gives its own back. Both may; then one mail too few goes out, never one too many.
   * @throws IoError where one is free and was not taken: another gave it back just now, or the update got lost on its way
   */
  async permitResponse(feedbackId: string, customerUri: string, cap: ResponseCap, now: Date): Promise<boolean> {
    const feedback = iri(feedbackUri(feedbackId));
    const customer = iri(customerUri);
    const since = new Date(now.getTime() - cap.minutes * 60_000);
    const store = this.#ontologyStore;
    await store.update(FEEDBACK_STORE, PERMIT_RESPONSE, { feedback, customer, now, since, cap: cap.responses });
    const [row] = await select(store, FEEDBACK_STORE, PERMISSIONS, { feedback, customer, since });
    const count = Number(row?.["permitted"]?.value);
    if (row?.["mine"]) {
      if (count <= cap.responses) return true;
      await this.withdrawPermission(feedbackId, customerUri);
    } else if (!(count >= cap.responses)) {
      throw new IoError("No place under the cap of mails could be taken, though one is free.", {
        code: "place_not_taken",
      });
    }
    return false;
  }

  /** Gives the feedback's place under the cap back, for a mail that does not go out. */
  async withdrawPermission(feedbackId: string, customerUri: string): Promise<void> {
    const [feedback, customer] = [iri(feedbackUri(feedbackId)), iri(customerUri)];
    await this.#ontologyStore.update(FEEDBACK_STORE, WITHDRAW_PERMISSION, { feedback, customer });
  }

  /** Notes the ticket, wherever it is kept. */
  async recordTicket(
    feedbackId: string,
    ticket: { id: string; priority: TicketPriority; createdAt: Date },
  ): Promise<void> {
    const graph = new ABIGraph();
    const feedback = iri(feedbackUri(feedbackId));
    const uri = graph.createEntity("Ticket", ticket);
    graph.createRelationship(uri, "forFeedback", feedback);
    graph.createRelationship(feedback, "hasTicket", uri);
    await this.#ontologyStore.insert(FEEDBACK_STORE, graph);
  }

  /** Notes the mail that went to the customer. */
  async recordMail(feedbackId: string, responseId: string, sentAt: Date): Promise<void> {
    const graph = new ABIGraph();
    const feedback = iri(feedbackUri(feedbackId));
    graph.addProperty(feedback, "responseSent", true);
    graph.addProperty(feedback, "responseId", responseId);
    graph.addProperty(feedback, "responseTime", sentAt);
    await this.#ontologyStore.insert(FEEDBACK_STORE, graph);
  }

  /** Notes a person's answer; the same answer twice is one. False where the feedback is not known. */
  async recordResponse(feedbackId: string, text: string, time: Date): Promise<boolean> {
    const feedback = iri(feedbackUri(feedbackId));
    if (!(await ask(this.#ontologyStore, FEEDBACK_STORE, FEEDBACK_EXISTS, { feedback }))) return false;
    const digest = createHash("sha256")
      .update(JSON.stringify([feedbackId, text]))
      .digest("hex");
    const response = iri(entityUri("Response", digest.slice(0, 32)));
    await this.#ontologyStore.update(FEEDBACK_STORE, RECORD_RESPONSE, { feedback, response, text, time });
    return true;
  }
}
