import type { FeedbackCategorizer } from "../../analysis/feedback-categorizer.ts";
import type { SentimentAnalyzer } from "../../analysis/sentiment-analyzer.ts";
import type { EmailIntegration } from "../../integrations/email/email-integration.ts";
import type { TicketSystem } from "../../integrations/tickets/ticket-system.ts";
import type { OntologyStore } from "../../ontology/ontology-store.ts";
import type { CustomerDataPipeline } from "../../pipelines/customer-data-pipeline.ts";
import type { WorkflowConfiguration } from "../../workflow/configuration.ts";
import type { EscalationPolicy } from "./policy.ts";

/** How many automatic mails one customer may get within a time. */
export interface ResponseCap {
  responses: number;
  minutes: number;
}

/** Ten mails in three hours: far more than a person causes, far fewer than two machines that answer each other. */
export const DEFAULT_RESPONSE_CAP: ResponseCap = { responses: 10, minutes: 180 };

/** How old a customer's data may be when a mail is about to leave. Milliseconds. */
export interface CustomerFreshness {
  /** Older data is looked up again in the customer source first; 0: always. */
  maxAgeMs: number;
  /** Where the source gives no answer, data up to this age counts. With older data the mail waits until it does. */
  staleIfErrorMs: number;
}

/** What becomes of a mail whose sender is no customer. */
export type UnknownSender = "ask-source" | "create" | "person" | "ignore";

/** How mails that come in are taken. */
export interface MailRules {
  /**
   * `person`: it is held until somebody has decided. `ask-source`: the source of customers is asked by the address first. `create`: its
   * sender becomes a customer, and is answered. `ignore`: nothing.
   */
  unknownSender: UnknownSender;
  /**
   * Name of the mail server of ours that writes `Authentication-Results` (RFC 8601): a mail that it does not vouch for is held. Default:
   * what a mail says of its sender is believed.
   */
  authservId?: string;
}

export const DEFAULT_MAIL_RULES: MailRules = { unknownSender: "person" };

/** The parts that the process works with, and its rules. */
export interface CustomerFeedbackWorkflowConfiguration extends WorkflowConfiguration {
  /** Holds the stores `customer_data` and `feedback_data`. */
  ontologyStore: OntologyStore;
  /** Asked for a customer whom the graph does not know, or whose data is old. */
  customerDataPipeline: CustomerDataPipeline;
  /** Default: what the graph knows of a customer counts, however old it is. For pipelines without a source of customers. */
  customerFreshness?: CustomerFreshness;
  sentimentAnalyzer: SentimentAnalyzer;
  feedbackCategorizer: FeedbackCategorizer;
  emailIntegration: EmailIntegration;
  ticketSystem: TicketSystem;
  /** When a person takes over; `false`: never. Default: `DEFAULT_ESCALATION_POLICY`. */
  escalationPolicy?: EscalationPolicy | false;
  /** Default: `DEFAULT_MAIL_RULES`. */
  mailRules?: MailRules;
  /**
   * How sure the analyser of sentiment must be of praise, 0 to 1, for an answer with thanks; below, it is answered like neutral
   * feedback. Default: `DEFAULT_THANK_ABOVE`.
   */
  thankAbove?: number;
  /** `false`: no cap. Default: `DEFAULT_RESPONSE_CAP`. */
  responseCap?: ResponseCap | false;
  /** Whether a person has to agree to every mail before it goes out; default: no. It is kept with what is accepted here. */
  approval?: boolean;
  /**
   * How long a mail is tried again where its server is away, busy or does not let us send, from the first failure on; `0`: no longer than
   * any other step. Default: a day (`MAIL_RETRY_BUDGET`). Milliseconds.
   */
  mailRetryForMs?: number;
  /** For the cap and for the time of a response; default: the system's. */
  clock?: () => Date;
}
