import { z } from "zod";
import { isAtRest, type Run, type RunContext, type StepOptions } from "../../engine/engine.ts";
import type { Category } from "../../analysis/categories.ts";
import type { CategoriesResult } from "../../analysis/feedback-categorizer.ts";
import { isUnreadable, type Sentiment, type SentimentResult } from "../../analysis/sentiment-analyzer.ts";
import { ValidationError } from "../../errors.ts";
import { identifier } from "../../identifier.ts";
import { withoutAbsent, type Json } from "../../json.ts";
import { MAIL_RETRY_BUDGET } from "../../retry-policies.ts";
import { parseText } from "../../framework/arguments.ts";
import type { MailReceipt } from "../../framework/mail-receipt.ts";
import { direct, durable, type CallOptions } from "../../framework/operation.ts";
import type { WorkflowStatus } from "../../framework/result.ts";
import { parse } from "../../framework/validation.ts";
import { FROM_CODE, Workflow, type SubmissionOrigin } from "../../framework/workflow.ts";
import type {
  DecidedResponse,
  PendingResponse,
  ResponseApproval,
  ResponseEdit,
  ResponseRejection,
} from "./responses/approval.ts";
import { approvalOperations } from "./responses/approval-operations.ts";
import {
  DEFAULT_MAIL_RULES,
  DEFAULT_RESPONSE_CAP,
  type CustomerFeedbackWorkflowConfiguration,
} from "./configuration.ts";
import { Customers } from "./customers.ts";
import { handleFeedbackEvent, readFeedbackResponse, readNewFeedback, type EventResult } from "./events.ts";
import { excerptOf } from "./excerpt.ts";
import { FeedbackGraph, type Analysis } from "./feedback-graph.ts";
import {
  HeldMailAssignment,
  heldMailOperations,
  type HeldMailSummary,
  type ShownHeldMail,
} from "./incoming-mail/held-mail-operations.ts";
import { HeldMailDecisions } from "./incoming-mail/held-mail-decisions.ts";
import { HeldMails } from "./incoming-mail/held-mails.ts";
import { MailIntake } from "./incoming-mail/mail-intake.ts";
import { ownWordsOf } from "./own-words.ts";
import { FeedbackRecords } from "./feedback-records.ts";
import { FeedbackDetails, FeedbackFilter, FeedbackPage } from "./feedback-schemas.ts";
import { PROCESS_KEY, TextParameters, type CustomerFeedbackInput } from "./parameters.ts";
import {
  decideAction,
  DEFAULT_ESCALATION_POLICY,
  DEFAULT_THANK_ABOVE,
  isPriority,
  stricterLabels,
  type EscalationPolicy,
} from "./policy.ts";
import { referenceKey } from "./reference.ts";
import { shownReference } from "./reflection.ts";
import {
  CATEGORIES_EXAMPLE,
  EVENT_EXAMPLE,
  PROCESS_EXAMPLE,
  SENTIMENT_EXAMPLE,
  FEEDBACK_EXAMPLE,
  LIST_EXAMPLE,
} from "./examples.ts";
import { ResponseApprovals } from "./responses/response-approvals.ts";
import { ResponseDrafts } from "./responses/response-drafts.ts";
import { isMailStep, ResponseSteps } from "./responses/response-steps.ts";
import { Responses } from "./responses/responses.ts";
import {
  CategoriesOutput,
  CustomerFeedbackOutput,
  SentimentOutput,
  type Action,
  type CustomerFeedbackResult,
} from "./result.ts";

/** For steps that only read, judge or fetch a customer's data, so repeating them does no harm. */
const EAGER: StepOptions = { eager: true };

/**
 * For steps that write to the graph, and write the same if they are repeated. Their results need
 * not be on disk until something that depends on them leaves the system.
 */
const NO_FLUSH: StepOptions = { flush: false };

/**
 * What the run knows about the customer, and the Message-ID of the email to them. Name and address
 * are not stored with the run; steps that need them read the graph.
 */
interface CustomerFacts {
  customer_uri: string;
  segment: string;
  lifetime_value: number;
  /**
   * Stored, because it must stay the same when the sender's domain changes. Absent in runs from
   * before it was added.
   */
  message_id?: string;
}

/** The decision, and the labels that led to it. */
interface Decision {
  action: Action;
  sentiment: Sentiment;
  categories: Category[];
  isPriority: boolean;
  /** Absent in runs from before it was added. */
  doubtful?: boolean;
}

interface DecidedAnalysis extends Analysis<CategoriesResult> {
  /** Absent in runs that began when deciding was a separate step. */
  decision?: Decision;
}

/**
 * The customer feedback workflow: looks up the customer, detects the sentiment, sorts the text into
 * categories, and stores everything in the knowledge graph. Then it either answers by email, or
 * opens a ticket for a person and acknowledges the feedback by email. With `send_response: false`,
 * it sends no email.
 */
export class CustomerFeedbackWorkflow extends Workflow<CustomerFeedbackWorkflowConfiguration> {
  override readonly name = "customer-feedback";
  override readonly eventTypes = ["new_feedback", "feedback_response"];
  override readonly eventExample = EVENT_EXAMPLE;
  override readonly receivesMail = true;
  protected override readonly indexedParameters = ["customer_id"];
  readonly #customers: Customers;
  readonly #graph: FeedbackGraph;
  readonly #records: FeedbackRecords;
  readonly #responses: ResponseSteps;
  readonly #approvals: ResponseApprovals;
  readonly #mailIntake: MailIntake;
  readonly #heldMails: HeldMailDecisions;
  readonly #policy: EscalationPolicy | false;
  readonly #thankAbove: number;
  readonly #clock: () => Date;

  override readonly operations = [
    durable("process_customer_feedback", {
      description:
        "Process customer feedback and optionally send a response. Looks up the customer, detects the sentiment, " +
        "sorts the text into categories, stores everything, then answers the customer by email, or escalates to a " +
        "person and acknowledges the feedback by email. Safe to call again: the same feedback is processed once.",
      ...PROCESS_KEY,
      output: CustomerFeedbackOutput,
      echo: ["customer_id"],
      example: PROCESS_EXAMPLE,
      run: (feedback, context) => this.#process(feedback, context),
    }),
    direct("analyze_feedback_sentiment", {
      description:
        "Analyze the sentiment of customer feedback text: positive, negative or neutral. Stores and sends nothing.",
      input: TextParameters,
      output: SentimentOutput,
      example: SENTIMENT_EXAMPLE,
      run: async ({ text }, options) => this.configuration.sentimentAnalyzer.analyze(await ownWordsOf(text), options),
    }),
    direct("categorize_feedback_text", {
      description:
        "Categorize feedback text into predefined categories, such as billing or usability. Stores and sends nothing.",
      input: TextParameters,
      output: CategoriesOutput,
      example: CATEGORIES_EXAMPLE,
      run: async ({ text }, options) =>
        this.configuration.feedbackCategorizer.categorize(await ownWordsOf(text), options),
    }),
    ...approvalOperations(this),
    ...heldMailOperations(this),
    direct("list_feedback", {
      description:
        "List feedback, newest first unless you choose otherwise, with what was found in it and what was done.",
      audience: "operator",
      example: LIST_EXAMPLE,
      input: FeedbackFilter,
      output: FeedbackPage,
      run: (filter) => this.#records.list(filter),
    }),
    direct("get_feedback", {
      description: "Show everything that is known about one piece of feedback.",
      audience: "operator",
      example: FEEDBACK_EXAMPLE,
      input: z.strictObject({ feedback_id: identifier("Id of the feedback.") }),
      output: FeedbackDetails,
      run: ({ feedback_id }) => this.getFeedback(feedback_id),
    }),
  ];

  constructor(configuration: CustomerFeedbackWorkflowConfiguration) {
    super(configuration);
    const { ontologyStore, customerDataPipeline: pipeline, emailIntegration: email } = configuration;
    this.#policy = configuration.escalationPolicy ?? DEFAULT_ESCALATION_POLICY;
    this.#thankAbove = thankAbove(configuration);
    this.#graph = new FeedbackGraph(ontologyStore);
    this.#clock = configuration.clock ?? (() => new Date());
    this.#customers = new Customers({
      ontologyStore,
      pipeline,
      freshness: configuration.customerFreshness,
      clock: this.#clock,
      logger: this.logger,
    });
    this.#records = new FeedbackRecords({
      engine: configuration.engine,
      ontologyStore,
      customers: this.#customers,
      policy: this.#policy,
      workflow: this.name,
    });
    const cap = configuration.responseCap ?? DEFAULT_RESPONSE_CAP;
    const drafts = new ResponseDrafts(ontologyStore);
    this.#responses = new ResponseSteps({
      responses: new Responses({ email, graph: this.#graph, cap, clock: this.#clock }),
      drafts,
      customers: this.#customers,
      graph: this.#graph,
      approval: configuration.approval ?? false,
      retryForMs: mailRetryFor(configuration),
    });
    this.#approvals = new ResponseApprovals({
      drafts,
      email,
      run: (workflowId) => this.ownRun(workflowId),
      decide: (workflowId, rendering, decision) => this.decide(workflowId, rendering, decision),
      standing: (...decision) => configuration.engine.standingDecision(...decision),
    });
    const held = new HeldMails(ontologyStore);
    // `FROM_CODE`, although emails come from outside: what counts is that no model has chosen the
    // customer.
    const submit = (parameters: object, extras: Record<string, Json>) => this.submit(parameters, FROM_CODE, extras);
    this.#heldMails = new HeldMailDecisions({ held, submit });
    this.#mailIntake = new MailIntake({
      rules: configuration.mailRules ?? DEFAULT_MAIL_RULES,
      email,
      customers: this.#customers,
      graph: this.#graph,
      held,
      findRun: (key) => configuration.engine.find(this.name, key),
      submit,
      isComplaint: (text) => this.#isComplaint(text),
      clock: this.#clock,
      logger: this.logger,
    });
  }

  override run(parameters: unknown, options: CallOptions = {}): Promise<CustomerFeedbackResult> {
    return super.run(parameters, options) as Promise<CustomerFeedbackResult>;
  }

  /**
   * Handles an external event: `new_feedback` runs the workflow, `feedback_response` records what a
   * person has answered the customer. Problems are returned (`status: "error"`, or a result with
   * `success: false`), not thrown.
   */
  handleEvent(type: string, data: unknown): Promise<EventResult> {
    return handleFeedbackEvent(type, data, {
      process: (parameters, extras) => this.runWith(extras, parameters),
      recordResponse: (id, text) => this.#graph.recordResponse(id, text, this.#clock()),
      logger: this.logger,
    });
  }

  /**
   * Does the same as `handleEvent`, but throws its errors, and answers as soon as the event is
   * durable; new feedback is then processed in the background.
   * @throws ValidationError (`invalid_parameters`, `feedback_not_found`, `unknown_event_type`),
   *   ConflictError, IoError
   */
  override async receiveEvent(type: string, data: unknown): Promise<{ status: string; [field: string]: Json }> {
    switch (type) {
      case "new_feedback": {
        const { parameters, extras } = readNewFeedback(data);
        const { id, identity } = await this.submit(parameters, FROM_CODE, extras);
        return { status: "processing", ...identity, workflow_id: id };
      }
      case "feedback_response": {
        const { feedback_id, response_text } = readFeedbackResponse(data);
        if (!(await this.#graph.recordResponse(feedback_id, response_text, this.#clock()))) {
          throw new ValidationError(`Feedback ${feedback_id} not found`, { code: "feedback_not_found" });
        }
        return { status: "success", feedback_id, action: "response_recorded" };
      }
      default:
        return super.receiveEvent(type, data);
    }
  }

  /**
   * Handles an incoming email. A customer's feedback starts a run. A reply to one of our emails is
   * stored with the feedback that our email was about; if it is a complaint, it starts a run too.
   * Automatic emails are ignored, and unclear ones are held until a person decides. If the same
   * email is received again, nothing is done twice.
   */
  override async receiveMail(raw: Uint8Array): Promise<MailReceipt> {
    this.register();
    return this.#mailIntake.take(raw);
  }

  /** Lists the emails that wait for a person, oldest first. */
  async listHeldMails(): Promise<HeldMailSummary[]> {
    return (await this.getHeldMails(Number.POSITIVE_INFINITY)).mails;
  }

  /** Lists the oldest emails that wait for a person, up to a limit, with the total number. */
  getHeldMails(limit: number): Promise<{ mails: HeldMailSummary[]; total: number }> {
    return this.#heldMails.list(limit);
  }

  /** @throws ValidationError (`unknown_mail`), IoError */
  getHeldMail(mailId: string): Promise<ShownHeldMail> {
    return this.#heldMails.show(mailId);
  }

  /**
   * Processes a held email as this customer's feedback. The run is durable when this resolves.
   * @throws ConflictError if someone has dismissed it (`already_decided`), or assigned it with
   *   other values (`conflict`)
   * @throws ValidationError (`invalid_parameters`, `unknown_mail`), IoError
   */
  async assignHeldMail(
    assignment: HeldMailAssignment,
  ): Promise<{ status: string; workflow_id: string; [field: string]: Json }> {
    return this.#heldMails.assign(parse(HeldMailAssignment, assignment));
  }

  /**
   * Dismisses a held email. No feedback is created from it.
   * @throws ConflictError (`already_decided`) if it was assigned
   * @throws ValidationError (`unknown_mail`), IoError
   */
  dismissHeldMail(mailId: string): Promise<ShownHeldMail> {
    return this.#heldMails.dismiss(mailId);
  }

  /**
   * Returns everything that is known about one piece of feedback, including its emails and what
   * people have decided on them.
   * @throws ValidationError (`not_found`), IoError
   */
  getFeedback(feedbackId: string): Promise<FeedbackDetails> {
    return this.#records.get(feedbackId);
  }

  /**
   * Returns the email that a run waits to send, exactly as it would go out; undefined if the run
   * isn't waiting.
   * @throws ConflictError (`draft_changed`) if someone has changed or deleted it in the graph; then
   *   it can only be rejected
   * @throws ValidationError (`unknown_run`), IoError
   */
  getPendingResponse(workflowId: string): Promise<PendingResponse | undefined> {
    return this.#approvals.pending(workflowId);
  }

  /**
   * Approves exactly this email. The decision is durable when this resolves; the run then continues
   * wherever runs are executed.
   * @throws ConflictError if someone has decided differently (`already_decided`), another email is
   *   waiting now (`decision_outdated`), the run has ended (`run_ended`), or the email was changed
   *   in the graph (`draft_changed`)
   * @throws ValidationError (`invalid_parameters`, `unknown_run`), IoError
   */
  approveResponse(workflowId: string, approval: ResponseApproval): Promise<DecidedResponse> {
    return this.#approvals.approve(workflowId, approval);
  }

  /**
   * Sends the email with a different text, to the same recipient.
   * @throws as `approveResponse`, and ValidationError (`empty_mail`)
   */
  editResponse(workflowId: string, edit: ResponseEdit): Promise<DecidedResponse> {
    return this.#approvals.edit(workflowId, edit);
  }

  /**
   * Rejects the email; the run completes without sending it. This works even if the email was
   * changed or deleted in the graph.
   * @throws as `approveResponse`
   */
  rejectResponse(workflowId: string, rejection: ResponseRejection): Promise<DecidedResponse> {
    return this.#approvals.reject(workflowId, rejection);
  }

  /**
   * Finds the runs of the feedback with this reference, newest first. The reference may be in any
   * spelling (`referenceKey`). There may be several runs, because pieces of feedback can share a
   * reference; their ids distinguish them. It reads all runs, so it is slow if there are many.
   * @throws IoError
   */
  async findByReference(reference: string): Promise<(WorkflowStatus & { feedback_id: string })[]> {
    const reference_key = referenceKey(parseText("reference", reference));
    if (reference_key === "") return [];
    const runs = await this.configuration.engine.list({ workflow: this.name, input: { reference_key } });
    const view = async ({ id, key }: Run) => ({ feedback_id: key, ...(await this.getWorkflowStatus(id)) });
    return Promise.all(runs.map(view));
  }

  protected override submissionExtras(key: string, { via, fixed }: SubmissionOrigin): Record<string, Json> {
    const customer_from_model = via === "tool" && !fixed.includes("customer_id");
    return {
      reference_key: referenceKey(shownReference({ feedback_id: key, customer_from_model })),
      ...(this.configuration.approval === true && { approval: true }),
      ...(customer_from_model && { customer_from_model }),
    };
  }

  override excerptOf({ input }: Run): string {
    return excerptOf((input as CustomerFeedbackInput).feedback_text);
  }

  protected override stepSubject(step: string): string {
    return isMailStep(step) ? "The email" : super.stepSubject(step);
  }

  protected override async describe(feedbackId: string, run: Run | undefined) {
    const stored = run && !isAtRest(run.status) ? undefined : await this.#graph.find(feedbackId);
    if (!stored || run?.status === "failed" || run?.status === "cancelled") return super.describe(feedbackId, run);
    const { timestamp, sentiment, categories, responseSent } = stored;
    const status = run?.status === "waiting_for_approval" ? run.status : "processed";
    const { doubtful, unreadable } = (run?.output ?? run?.waitingFor?.output ?? {}) as Partial<CustomerFeedbackOutput>;
    const doubt = withoutAbsent({ doubtful, unreadable });
    return { status, timestamp, sentiment, ...doubt, categories, response_sent: responseSent };
  }

  async #process(feedback: CustomerFeedbackInput, context: RunContext): Promise<CustomerFeedbackOutput> {
    const { step, runId, startTime } = context;
    const { feedback_id, customer_id, send_response } = feedback;
    const customer = await step("customer_data_retrieved", () => this.#customerFacts(feedback), EAGER);
    const sentimentAnalysis = await step("sentiment_analyzed", () => this.#sentiment(feedback), EAGER);
    const stated = { sentiment: feedback.sentiment, categories: feedback.categories };
    const decide = ({ result }: Analysis<CategoriesResult>): Decision =>
      this.#decide(feedback, customer, sentimentAnalysis.result, result);
    // The decision is recorded, because it must not change while an email waits, even if the policy
    // has changed after a restart.
    const categorize = async (): Promise<DecidedAnalysis> => {
      const analysis = await this.#categories(feedback);
      return { ...analysis, decision: decide(analysis) };
    };
    const categoryAnalysis = await step("feedback_categorized", categorize, EAGER);
    const {
      action,
      sentiment,
      categories,
      isPriority,
      doubtful = false,
    } = categoryAnalysis.decision ?? (await step.unlisted("action_decided", async () => decide(categoryAnalysis)));

    const analysis_fallback = fallbackReason(sentimentAnalysis, categoryAnalysis);
    const reference = shownReference(feedback);
    const store = async (): Promise<string> => {
      const uri = await this.#graph.store({
        id: feedback_id,
        subject: feedback.subject,
        text: feedback.feedback_text,
        reference,
        sentiment,
        categories,
        doubtful,
        stated,
        action,
        customerUri: customer.customer_uri,
        timestamp: startTime,
        runId,
        sentimentAnalysis,
        categoryAnalysis,
      });
      // In a step, so replays don't log it again.
      if (analysis_fallback !== undefined) {
        this.logger.warn({ feedback_id, reason: analysis_fallback }, "a fallback analyser judged the text");
      }
      return uri;
    };
    // After a power cut, the graph must not have a judgement that the run has lost: judging again
    // might give another result.
    const { isWithRuns } = this.configuration.ontologyStore;
    const feedback_uri = await step("feedback_stored", store, isWithRuns ? NO_FLUSH : { flush: "earlier" });
    const language = sentimentAnalysis.result.language ?? categoryAnalysis.result.language;
    const output = {
      action,
      sentiment,
      ...certainty(sentiment, sentimentAnalysis.result, doubtful),
      categories,
      feedback_uri,
      ...(reference === feedback_id ? {} : { reference }),
      ...withoutAbsent({ language, analysis_fallback }),
    };

    const messageId = customer.message_id ?? this.#messageId(feedback_id);
    const mail = { feedback, categories, isPriority, messageId };
    if (action === "auto_respond") {
      const due = { ...mail, kind: doubtful ? "neutral" : sentiment };
      return { ...output, ...(await this.#responses.respond(context, "response_sent", due, output)) };
    }
    if (action === "no_action") return output;

    const priority = isPriority || sentiment === "negative" ? "high" : "normal";
    const { ticketSystem } = this.configuration;
    const isInGraph = ticketSystem.isInGraph === true;
    const createTicket = () =>
      ticketSystem.createTicket({
        key: feedback_id,
        feedbackId: feedback_id,
        reference,
        feedbackUri: feedback_uri,
        customerId: customer_id,
        subject: feedback.subject,
        text: feedback.feedback_text,
        sentiment,
        categories,
        priority,
        createdAt: startTime,
      });
    const ticket_id = await step("ticket_created", createTicket, { eager: isInGraph });
    if (!isInGraph) {
      const recordTicket = () => this.#graph.recordTicket(feedback_id, { id: ticket_id, priority });
      await step.unlisted("ticket_recorded", recordTicket, NO_FLUSH);
    }
    const escalated = { ...output, ticket_id };
    if (!send_response) return escalated;
    const due = { ...mail, kind: "escalation" } as const;
    return { ...escalated, ...(await this.#responses.respond(context, "acknowledgment_sent", due, escalated)) };
  }

  /** Whether someone has to act on a reply to one of our emails, judged without what it quotes. */
  async #isComplaint(text: string): Promise<boolean> {
    const own = await ownWordsOf(text);
    const { sentimentAnalyzer, feedbackCategorizer } = this.configuration;
    const found = await sentimentAnalyzer.analyze(own);
    const { categories } = await feedbackCategorizer.categorize(own);
    const { criticalCategories } = this.#policy || DEFAULT_ESCALATION_POLICY;
    const isNegative = found.sentiment === "negative" && !isUnreadable(found);
    return isNegative || categories.some((category) => criticalCategories.includes(category));
  }

  #decide(
    { sentiment, categories, send_response: sendResponse }: CustomerFeedbackInput,
    { segment, lifetime_value: lifetimeValue }: CustomerFacts,
    found: SentimentResult,
    { categories: foundCategories }: CategoriesResult,
  ): Decision {
    const unreadable = isUnreadable(found);
    const labels = stricterLabels(
      this.#policy,
      { sentiment, categories },
      { sentiment: unreadable ? undefined : found.sentiment, categories: foundCategories },
    );
    // A text that couldn't be read was not judged, so a stated label counts.
    const doubtful = labels.sentiment === "positive" && !unreadable && found.score < this.#thankAbove;
    const action = decideAction(this.#policy, {
      segment,
      lifetimeValue,
      ...labels,
      sendResponse,
      unreadable,
      doubtful,
    });
    return { action, ...labels, isPriority: isPriority(this.#policy, segment), doubtful };
  }

  async #customerFacts({ customer_id, feedback_id }: CustomerFeedbackInput): Promise<CustomerFacts> {
    const { uri, segment, lifetimeValue } = await this.#customers.refreshed(customer_id);
    const message_id = this.#messageId(feedback_id);
    return { customer_uri: uri, segment, lifetime_value: lifetimeValue, message_id };
  }

  #messageId(feedbackId: string): string {
    return this.configuration.emailIntegration.messageIdFor(feedbackId);
  }

  async #sentiment({ feedback_text }: CustomerFeedbackInput): Promise<Analysis<SentimentResult>> {
    const { name, version } = this.configuration.sentimentAnalyzer;
    const result = await this.configuration.sentimentAnalyzer.analyze(await ownWordsOf(feedback_text));
    return { analyzer: result.fallback?.analyzer ?? { name, version }, result };
  }

  async #categories({ feedback_text }: CustomerFeedbackInput): Promise<Analysis<CategoriesResult>> {
    const { name, version } = this.configuration.feedbackCategorizer;
    const result = await this.configuration.feedbackCategorizer.categorize(await ownWordsOf(feedback_text));
    return { analyzer: result.fallback?.analyzer ?? { name, version }, result };
  }
}

function certainty(sentiment: Sentiment, found: SentimentResult, doubtful: boolean) {
  if (isUnreadable(found)) return { unreadable: true };
  // A stated sentiment that is stricter has no score.
  return { ...(found.sentiment === sentiment && { sentiment_score: found.score }), ...(doubtful && { doubtful }) };
}

/** @throws TypeError for an invalid time */
function mailRetryFor({ mailRetryForMs = MAIL_RETRY_BUDGET.forMs }: CustomerFeedbackWorkflowConfiguration): number {
  if (mailRetryForMs >= 0 && Number.isFinite(mailRetryForMs)) return mailRetryForMs;
  throw new TypeError(`mailRetryForMs must be a number of milliseconds of at least 0, not ${mailRetryForMs}`);
}

/** @throws TypeError for a number that is not between 0 and 1 */
function thankAbove({ thankAbove = DEFAULT_THANK_ABOVE }: CustomerFeedbackWorkflowConfiguration): number {
  if (thankAbove >= 0 && thankAbove <= 1) return thankAbove;
  throw new TypeError(`thankAbove must be a number from 0 to 1, not ${thankAbove}`);
}

/** Why a fallback judged the text, with both reasons if they differ; undefined if none did. */
function fallbackReason(
  sentiment: Analysis<SentimentResult>,
  categories: Analysis<CategoriesResult>,
): string | undefined {
  const reasons = [sentiment, categories].flatMap((analysis) => analysis.result.fallback?.reason ?? []);
  return reasons.length === 0 ? undefined : [...new Set(reasons)].join("; ");
}
