import type { EmailIntegration } from "../../../integrations/email/email-integration.ts";
import type { MailMessage } from "../../../integrations/email/mail-transport.ts";
import { isAbiError, ValidationError, type AbiError } from "../../../errors.ts";
import { isEmailAddress } from "../../../integrations/email/email-address.ts";
import type { Category } from "../../../analysis/categories.ts";
import type { Sentiment } from "../../../analysis/sentiment-analyzer.ts";
import { withoutAbsent } from "../../../json.ts";
import type { ResponseCap } from "../configuration.ts";
import { publishMail } from "../../../telemetry/mail-events.ts";
import type { Customer } from "../customers.ts";
import type { FeedbackGraph } from "../feedback-graph.ts";

const TEMPLATES: Record<Sentiment | "escalation", string> = {
  positive: "positive_feedback_response.html",
  negative: "negative_feedback_response.html",
  neutral: "neutral_feedback_response.html",
  escalation: "escalation_acknowledgment.html",
};

export interface ResponseRequest {
  feedbackId: string;
  /** The subject that the email answers. */
  subject: string;
  /** The feedback's id as the customer may see it. */
  shownId: string;
  /** What the customer is asked to quote. */
  reference: string;
  categories: readonly Category[];
  /** A reply by sentiment, or the acknowledgment of an escalation. */
  kind: Sentiment | "escalation";
  customer: Customer;
  isPriority: boolean;
  /** Message-ID of this email, with angle brackets. */
  messageId: string;
  /** Message-ID of the customer's own email. */
  inReplyTo?: string;
}

/** Message-ID and time (ISO 8601, UTC) of an email that went out. */
export interface SentResponse {
  response_id: string;
  sent_at: string;
}

/**
 * Counts an email that is withheld, and returns the reason. Called inside a step, once for each
 * email.
 */
export function countWithheld(code: string, reason: string): string {
  publishMail({ outcome: "withheld", recipient: "customer", reason: code });
  return reason;
}

const WITHHELD = "response_withheld";

/** The error for an email that was due but must not be sent; its message is the reason. */
export const responseWithheld = (reason: string): ValidationError => new ValidationError(reason, { code: WITHHELD });

export const isResponseWithheld = (error: unknown): error is AbiError => isAbiError(error) && error.code === WITHHELD;

/** The emails of the workflow, and the rules that keep an automatic answer from doing harm. */
export class Responses {
  readonly #email: EmailIntegration;
  readonly #graph: FeedbackGraph;
  readonly #cap: ResponseCap | false;
  readonly #clock: () => Date;

  constructor(options: { email: EmailIntegration; graph: FeedbackGraph; cap: ResponseCap | false; clock: () => Date }) {
    this.#email = options.email;
    this.#graph = options.graph;
    this.#cap = options.cap;
    this.#clock = options.clock;
  }

  /**
   * Why an email that is due must not be sent; null if it may. In that case, it counts toward the
   * customer's limit.
   * @throws ValidationError (`no_usable_email`) if the customer has no usable address
   */
  async withheld(feedbackId: string, customer: Customer): Promise<string | null> {
    const forbidden = this.#forbidden(customer);
    if (forbidden !== null) return forbidden;
    if (this.#cap && !(await this.#graph.permitResponse(feedbackId, customer.uri, this.#cap, this.#clock()))) {
      const { responses, minutes } = this.#cap;
      return countWithheld(
        "cap",
        `the customer has had ${responses === 1 ? "one automatic email" : `${responses} automatic emails`} within ${minutes} minutes`,
      );
    }
    return null;
  }

  /**
   * The same without the limit: only the rules that depend on the customer's data, which can change
   * until the email is sent.
   */
  #forbidden(customer: Customer): string | null {
    const barred = barredBy(customer);
    if (barred !== null) return barred;
    if (!isEmailAddress(customer.email)) {
      throw new ValidationError(
        "The customer has no usable email address. Fix it in the customer data and submit the feedback again, or set send_response to false.",
        { code: "no_usable_email" },
      );
    }
    const suppressed = this.#email.suppressionReason(customer.email);
    if (!suppressed) return null;
    return countWithheld(suppressed, `no automatic email goes to this kind of address (${suppressed})`);
  }

  /**
   * The email as it would be sent. The same request always gives the same email.
   * @throws `responseWithheld` if the customer's current data forbids it; ValidationError
   *   (`no_usable_email`)
   */
  compose(request: ResponseRequest): MailMessage {
    const { customer } = request;
    const forbidden = this.#forbidden(customer);
    if (forbidden !== null) throw responseWithheld(forbidden);
    return this.#email.composeTemplatedEmail({
      recipient: customer.email ?? "",
      subject: request.subject,
      template: TEMPLATES[request.kind],
      templateData: {
        customer_name: customer.name,
        feedback_id: request.shownId,
        reference: request.reference,
        categories: [...request.categories],
        is_priority: request.isPriority,
      },
      messageId: request.messageId,
      ...withoutAbsent({ inReplyTo: request.inReplyTo }),
    });
  }

  /**
   * Sends an email to a customer, exactly as it is.
   * @throws `responseWithheld` if the customer has objected since the email was permitted, or the
   *   customer source no longer knows them
   */
  async send(message: MailMessage, customer: Customer): Promise<SentResponse> {
    const barred = barredBy(customer);
    if (barred !== null) throw responseWithheld(barred);
    const response_id = await this.#email.send(message);
    return { response_id, sent_at: this.#clock().toISOString() };
  }
}

/** Why no email may be sent to a customer, whatever their address is; null if one may. */
function barredBy({ isGone, doNotContact }: Customer): string | null {
  if (isGone) return countWithheld("customer_gone", "the customer source no longer knows the customer");
  return doNotContact ? countWithheld("do_not_contact", "the customer does not want to be contacted") : null;
}
