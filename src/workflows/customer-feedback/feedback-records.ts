import { isUnreadable } from "../../analysis/sentiment-analyzer.ts";
import type { Run, RunFilter, WorkflowEngine } from "../../engine/engine.ts";
import { ValidationError } from "../../errors.ts";
import { withoutAbsent } from "../../json.ts";
import { Facts, factsAbout, isTrue } from "../../ontology/facts.ts";
import { iri } from "../../ontology/iri.ts";
import type { OntologyStore } from "../../ontology/ontology-store.ts";
import { abi, rdf } from "../../ontology/vocabulary.ts";
import { checkAfter, parseId } from "../../framework/arguments.ts";
import { excerptOf } from "./excerpt.ts";
import { FEEDBACK_STORE, feedbackUri } from "./feedback-graph.ts";
import type { Customer, Customers } from "./customers.ts";
import type { FeedbackDetails, FeedbackFilter, FeedbackItem, FeedbackPage } from "./feedback-schemas.ts";
import { feedbackIdOf } from "./incoming-mail/mail-intake.ts";
import { mailsOf } from "./responses/feedback-mails.ts";
import { MAIL_STEPS } from "./responses/response-steps.ts";
import type { CustomerFeedbackInput } from "./parameters.ts";
import { actionReasons, type EscalationPolicy } from "./policy.ts";
import { shownReference } from "./reflection.ts";
import { certaintyOf, type Action, type CustomerFeedbackOutput } from "./result.ts";

/**
 * How many runs one call reads at most, so that a search for something rare answers in time. The
 * answer says how far it got.
 */
const MAX_RUNS_SEARCHED = 5000;
/** Runs that are read at once while searching. */
const SEARCH_PAGE_SIZE = 500;

interface Parts {
  engine: WorkflowEngine;
  ontologyStore: OntologyStore;
  customers: Customers;
  policy: EscalationPolicy | false;
  workflow: string;
}

/**
 * Lists feedback and shows its details to operators. The data comes from the graph and from the
 * runs. Showing one piece of feedback takes the same time however many runs there are.
 */
export class FeedbackRecords {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Returns a page of feedback.
   * @throws ValidationError (`bad_request`) if `after` is not the id of a run, IoError
   */
  async list({ limit, after, ...filter }: FeedbackFilter): Promise<FeedbackPage> {
    const found: Run[] = [];
    let last: Run | undefined;
    let lookedAt = 0;
    let isEnd = false;
    while (found.length < limit && lookedAt < MAX_RUNS_SEARCHED && !isEnd) {
      const size = needsSearch(filter) ? SEARCH_PAGE_SIZE : limit + 1;
      const from = last?.id ?? after;
      const runs = await this.#runs(filter, { limit: size, ...withoutAbsent({ after: from }) });
      isEnd = runs.length < size;
      if (runs.length === 0) await checkAfter(this.#parts.engine, after);
      for (const run of runs) {
        if (found.length === limit) {
          isEnd = false;
          break;
        }
        lookedAt += 1;
        last = run;
        if (matches(run, filter)) found.push(run);
      }
    }
    const names = await this.#parts.customers.names(found.map(({ input }) => inputOf(input).customer_id));
    return {
      feedback: found.map((run) => withExcerpt(run, names.get(inputOf(run.input).customer_id))),
      ...(!isEnd && last && { next: last.id }),
      ...(!isEnd && last && found.length < limit && { searched_back_to: last.startTime.toISOString() }),
    };
  }

  #runs(
    { customer_id, status, since, before, order }: Filter,
    page: Pick<RunFilter, "after" | "limit">,
  ): Promise<Run[]> {
    return this.#parts.engine.list({
      workflow: this.#parts.workflow,
      ...(customer_id !== undefined && { input: { customer_id } }),
      order,
      ...withoutAbsent({ status, startedSince: since, startedBefore: before }),
      ...page,
    });
  }

  /**
   * Everything that is known about one piece of feedback.
   * @throws ValidationError (`not_found`), IoError
   */
  async get(id: string): Promise<FeedbackDetails> {
    const feedbackId = parseId("feedbackId", id);
    const { engine, workflow, ontologyStore, customers, policy } = this.#parts;
    const run = await engine.find(workflow, feedbackId);
    if (!run) throw new ValidationError(`Feedback ${feedbackId} not found`, { code: "not_found" });
    const input = inputOf(run.input);
    const subject = iri(feedbackUri(feedbackId));
    const facts = await this.#describe(subject.value);
    const customer = await customers.known(input.customer_id);
    const item = itemOf(run, customer?.name);
    const responseTime = facts.value(abi.responseTime);
    const [analyses, ticket, mails, replies, customerReplies] = await Promise.all([
      this.#analyses(facts),
      this.#ticket(subject.value),
      mailsOf(ontologyStore, facts, {
        waiting: run.waitingFor?.subject,
        isOver: isOver(run),
        // A run that was cancelled while it was sending has not recorded that in the graph.
        isSent:
          facts.values(abi.responseSent).some(isTrue) || MAIL_STEPS.some((step) => run.stepsCompleted.includes(step)),
      }),
      this.#replies(facts),
      this.#customerReplies(facts),
    ]);
    const score = Number(facts.value(abi.sentimentScore) ?? 0);
    return {
      ...item,
      text: input.feedback_text,
      reference: shownReference(input),
      feedback_uri: subject.value,
      ...languageOf(run),
      ...(customer && { customer: viewOf(customer) }),
      reasons:
        customer && item.action ? reasonsFor(policy, run, { ...item, action: item.action, score }, customer) : [],
      stated: { sentiment: input.sentiment, categories: input.categories },
      ...analyses,
      ...ticket,
      ...(responseTime !== undefined && { response_time: new Date(responseTime).toISOString() }),
      mails,
      replies,
      customer_replies: customerReplies,
    };
  }

  async #analyses(facts: Facts): Promise<Pick<FeedbackDetails, "sentiment_analysis" | "category_analysis">> {
    if (!facts.has(rdf.type, abi.Feedback)) return {};
    const pair = await this.#describe(facts.value(abi.analyzedBy));
    const [ofSentiment, ofCategories] = await Promise.all([
      this.#describe(pair.value(abi.sentimentAnalyzer)),
      this.#describe(pair.value(abi.categoryAnalyzer)),
    ]);
    return {
      sentiment_analysis: {
        score: Number(facts.value(abi.sentimentScore) ?? 0),
        evidence: facts.values(abi.sentimentEvidence),
        doubts: facts.values(abi.sentimentDoubt),
        ...analyzerOf(ofSentiment),
      },
      category_analysis: {
        score: Number(facts.value(abi.categoryScore) ?? 0),
        evidence: facts.values(abi.categoryEvidence),
        ...analyzerOf(ofCategories),
      },
    };
  }

  async #ticket(uri: string): Promise<Pick<FeedbackDetails, "ticket">> {
    const [link] = await this.#parts.ontologyStore.match(FEEDBACK_STORE, {
      predicate: abi.forFeedback,
      object: iri(uri),
    });
    if (!link) return {};
    const facts = await this.#describe(link.subject.value);
    const [ticket_id, priority] = [facts.value(abi.id), facts.value(abi.priority)];
    if (ticket_id === undefined || priority === undefined) return {};
    return { ticket: { ticket_id, priority, status: facts.value(abi.status) ?? "open" } };
  }

  async #replies(facts: Facts): Promise<FeedbackDetails["replies"]> {
    const replies = await Promise.all(facts.values(abi.hasResponse).map((uri) => this.#describe(uri)));
    return replies
      .map((reply) => ({
        text: reply.value(abi.text) ?? "",
        time: new Date(reply.value(abi.responseTime) ?? 0).toISOString(),
      }))
      .toSorted(byTime);
  }

  async #customerReplies(facts: Facts): Promise<FeedbackDetails["customer_replies"]> {
    const replies = await Promise.all(facts.values(abi.hasReply).map((uri) => this.#describe(uri)));
    return replies
      .map((reply) => {
        const text = reply.value(abi.text) ?? "";
        const time = new Date(reply.value(abi.timestamp) ?? 0).toISOString();
        const isComplaint = reply.value(abi.processedAs) !== undefined;
        return isComplaint ? { text, time, processed_as: feedbackIdOf(reply.value(abi.id) ?? "") } : { text, time };
      })
      .toSorted(byTime);
  }

  async #describe(uri: string | undefined): Promise<Facts> {
    if (uri === undefined) return new Facts([]);
    return factsAbout(this.#parts.ontologyStore, FEEDBACK_STORE, iri(uri));
  }
}

type Filter = Omit<FeedbackFilter, "limit" | "after">;

const byTime = (one: { time: string }, other: { time: string }): number => one.time.localeCompare(other.time);

const inputOf = (input: Run["input"]): CustomerFeedbackInput => input as CustomerFeedbackInput;

/** Whether the run sends nothing any more. A failed one may still send something, if it is retried. */
const isOver = ({ status }: Run): boolean => status === "completed" || status === "cancelled";

/** What the run has found so far. */
const foundBy = ({ output, waitingFor }: Run): Partial<CustomerFeedbackOutput> =>
  (output ?? waitingFor?.output ?? {}) as Partial<CustomerFeedbackOutput>;

/** Whether the database can't apply the whole filter, so every run has to be read and checked. */
const needsSearch = ({ search, sentiment, category, action }: Filter): boolean =>
  Boolean(search) || sentiment !== undefined || category !== undefined || action !== undefined;

function matches(run: Run, { search, sentiment, category, action }: Filter): boolean {
  const found = foundBy(run);
  if (sentiment !== undefined && found.sentiment !== sentiment) return false;
  if (category !== undefined && !found.categories?.includes(category)) return false;
  if (action !== undefined && found.action !== action) return false;
  if (!search) return true;
  const { feedback_id, customer_id, subject, feedback_text } = inputOf(run.input);
  const wanted = search.toLowerCase();
  return [feedback_id, customer_id, subject, feedback_text, found.ticket_id ?? ""].some((text) =>
    text.toLowerCase().includes(wanted),
  );
}

function itemOf(run: Run, name: string | undefined): Omit<FeedbackItem, "excerpt"> {
  const { feedback_id, customer_id, subject } = inputOf(run.input);
  const found = foundBy(run);
  const { action, sentiment, categories = [], ticket_id, response_id, response_withheld } = found;
  const error = run.error?.error ?? run.failing?.error.error;
  return {
    feedback_id,
    customer_id,
    ...(name && { customer_name: name }),
    workflow_id: run.id,
    status: run.status,
    timestamp: run.startTime.toISOString(),
    subject,
    ...withoutAbsent({ action, sentiment }),
    ...certaintyOf(found),
    categories,
    ...withoutAbsent({ ticket_id, response_id, response_withheld, error }),
  };
}

const withExcerpt = (run: Run, name: string | undefined): FeedbackItem => ({
  ...itemOf(run, name),
  excerpt: excerptOf(inputOf(run.input).feedback_text),
});

function languageOf(run: Run): { language?: string } {
  const { language } = foundBy(run);
  return language === undefined ? {} : { language };
}

const viewOf = ({ name, segment, lifetimeValue, doNotContact }: Customer) => ({
  name,
  segment,
  lifetime_value: lifetimeValue,
  do_not_contact: doNotContact,
});

function reasonsFor(
  policy: EscalationPolicy | false,
  run: Run,
  {
    action,
    sentiment = "neutral",
    categories,
    score,
  }: Pick<FeedbackItem, "sentiment" | "categories"> & { action: Action; score: number },
  { segment, lifetimeValue }: Customer,
): string[] {
  const { send_response: sendResponse } = inputOf(run.input);
  const { language = "en", doubtful = false } = foundBy(run);
  const unreadable = isUnreadable({ score, language });
  const labels = { sentiment, categories, unreadable, doubtful };
  return actionReasons(policy, action, { segment, lifetimeValue, sendResponse, ...labels });
}

function analyzerOf(facts: Facts): { analyzer?: { name: string; version: string } } {
  const [name, version] = [facts.value(abi.name), facts.value(abi.version)];
  return name === undefined || version === undefined ? {} : { analyzer: { name, version } };
}
