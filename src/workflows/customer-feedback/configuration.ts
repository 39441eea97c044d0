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
 * Ten emails in three hours: far more than a person causes, far fewer than two machines do that
 * answer each other.
 */
export const DEFAULT_RESPONSE_CAP: ResponseCap = { responses: 10, minutes: 180 };

/** How old a customer's data may be when an email is about to be sent. Milliseconds. */
export interface CustomerFreshness {
  /** Older data is first read again from the customer source; 0: always. */
  maxAgeMs: number;
  /**
   * If the source doesn't answer, data up to this age is used. If it is older, the email waits until
   * the source answers.
   */
  staleIfErrorMs: number;
}

/** What to do with an email whose sender is not a customer. */
export type UnknownSender = "ask-source" | "create" | "person" | "ignore";

/** How incoming emails are handled. */
export interface MailRules {
  /**
   * `person`: hold it until someone has decided. `ask-source`: first look up the address in the
   * customer source. `create`: make the sender a customer, and answer. `ignore`: do nothing.
   */
  unknownSender: UnknownSender;
  /**
   * Name of our mail server in `Authentication-Results` (RFC 8601). An email whose sender it doesn't
   * confirm is held. Default: the stated sender is trusted.
   */
  authservId?: string;
}

export const DEFAULT_MAIL_RULES: MailRules = { unknownSender: "person" };

/** The parts that the workflow uses, and its rules. */
export interface CustomerFeedbackWorkflowConfiguration extends WorkflowConfiguration {
  /** Holds the stores `customer_data` and `feedback_data`. */
  ontologyStore: OntologyStore;
  /** Fetches customers who are not in the graph, or whose data is old. */
  customerDataPipeline: CustomerDataPipeline;
  /**
   * Default, for pipelines without a customer source: data in the graph is used however old it is.
   */
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
   * Whether a person has to approve every email before it goes out; default: no. It is stored with
   * each piece of feedback when that is accepted.
   */
  approval?: boolean;
  /**
   * How long an email is retried if its server is unavailable, busy or refuses to send, counted from
   * the first failure. `0`: no longer than any other step. Default: a day (`MAIL_RETRY_BUDGET`).
   * Milliseconds.
   */
  mailRetryForMs?: number;
  /** The clock for the limit and for the time of a response; default: the system's. */
  clock?: () => Date;
}
