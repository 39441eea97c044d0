import type { FeedbackCategorizer } from "../../analysis/feedback-categorizer.ts";
import type { SentimentAnalyzer } from "../../analysis/sentiment-analyzer.ts";
import type { EmailIntegration } from "../../integrations/email/email-integration.ts";
import type { TicketSystem } from "../../integrations/tickets/ticket-system.ts";
import type { OntologyStore } from "../../ontology/ontology-store.ts";
import type { CustomerDataPipeline } from "../../pipelines/customer-data-pipeline.ts";
import type { WorkflowConfiguration } from "../../framework/configuration.ts";
import type { EscalationPolicy } from "./policy.ts";

/** How many automatic emails one customer may get within a period. */
export interface ResponseCap {
  responses: number;
  minutes: number;
}

/**
 * Ten emails in three hours. A person doesn't cause that many; two machines that answer each other
 * would cause far more.
 */
export const DEFAULT_RESPONSE_CAP: ResponseCap = { responses: 10, minutes: 180 };

/** How old a customer's data in the graph may be when a run uses it. Milliseconds. */
export interface CustomerFreshness {
  /** Older data is first read again from the customer source; 0: always. */
  maxAgeMs: number;
  /**
   * If the source doesn't answer, an email is sent with data up to this age. If the data is older,
   * the email waits until the source answers.
   */
  staleIfErrorMs: number;
}

/** What to do with an email whose sender is not a customer. */
export type UnknownSender = "ask-source" | "create" | "person" | "ignore";

/** How incoming emails are handled. */
export interface MailRules {
  /**
   * `person`: hold it until someone has decided. `ask-source`: look up the sender in the customer
   * source, and hold the email only if that finds nobody. `create`: make the sender a customer, and
   * process the email. `ignore`: do nothing.
   */
  unknownSender: UnknownSender;
  /**
   * Name of our mail server in `Authentication-Results` (RFC 8601). An email whose sender it
   * doesn't confirm is held. Default: the stated sender is trusted.
   */
  authservId?: string;
}

export const DEFAULT_MAIL_RULES: MailRules = { unknownSender: "person" };

/** The parts that the workflow uses, and its rules. */
export interface CustomerFeedbackWorkflowConfiguration extends WorkflowConfiguration {
  /** Holds the stores `customer_data`, `feedback_data` and `held_mail`. */
  ontologyStore: OntologyStore;
  /** Fetches customers who are not in the graph, or whose data is old. */
  customerDataPipeline: CustomerDataPipeline;
  /** Default: data in the graph is used however old it is. */
  customerFreshness?: CustomerFreshness;
  sentimentAnalyzer: SentimentAnalyzer;
  feedbackCategorizer: FeedbackCategorizer;
  emailIntegration: EmailIntegration;
  ticketSystem: TicketSystem;
  /**
   * When feedback is escalated to a person; `false`: never. Default: `DEFAULT_ESCALATION_POLICY`.
   */
  escalationPolicy?: EscalationPolicy | false;
  /** Default: `DEFAULT_MAIL_RULES`. */
  mailRules?: MailRules;
  /**
   * How sure of praise the sentiment analyser must be for an answer with thanks, 0 to 1. Less
   * certain praise is answered like neutral feedback. Default: `DEFAULT_THANK_ABOVE`.
   */
  thankAbove?: number;
  /** `false`: no limit. Default: `DEFAULT_RESPONSE_CAP`. */
  responseCap?: ResponseCap | false;
  /**
   * Whether a person has to approve every email before it goes out; default: no. If it is on when
   * feedback is accepted, that is stored with the feedback, and its email always needs approval.
   */
  approval?: boolean;
  /**
   * How long an email is retried while its server can't be reached or doesn't accept it for now,
   * counted from the first failure. `0`: no longer than any other step. Default: a day
   * (`MAIL_RETRY_BUDGET`). Milliseconds.
   */
  mailRetryForMs?: number;
  /**
   * The clock for limits, the age of data, and the times of emails and answers; default: the
   * system's. The times of runs come from the engine.
   */
  clock?: () => Date;
}
