import { randomUUID } from "node:crypto";
import type addressParser from "nodemailer/lib/addressparser";
import { invalidConfiguration, toAbiError, ValidationError } from "../../errors.ts";
import { withoutAbsent } from "../../json.ts";
import { requirePackage } from "../../runtime/require-package.ts";
import { isVisible } from "../../visible-text.ts";
import { publishMail, type MailEvent } from "../../telemetry/mail-events.ts";
import { inSpan } from "../../telemetry/tracing.ts";
import { Integration } from "../../framework/integration.ts";
import { domainOf, isEmailAddress } from "./email-address.ts";
import { AUTOMATIC_REPLY_HEADERS, suppressionReason, type SuppressionReason } from "./mail-hygiene.ts";
import { MailTemplates, plainMail, type TemplateData } from "./mail-templates.ts";
import type { MailMessage, MailTransport } from "./mail-transport.ts";
import { isMessageId, messageIdFor } from "./message-id.ts";
import { oneLine, replySubject } from "./reply-subject.ts";

/** How emails are sent, from whom, and what they look like. */
export interface EmailIntegrationConfiguration {
  /** The transport, or a function that opens it when the first email is sent. */
  transport: MailTransport | (() => MailTransport);
  /** Sender: `support@example.org` or `Example Support <support@example.org>`. */
  from: string;
  /** Folder of templates; default: those of this package. */
  templates?: string | URL;
  /** Right-hand side of message ids; default: the domain of `from`. */
  messageIdDomain?: string;
}

export interface TemplatedEmail {
  /** One bare address. */
  recipient: string;
  /**
   * The subject to answer. The email's subject is `RE: ` followed by this, without a second `RE:`.
   */
  subject: string;
  /** File name, such as `positive_feedback_response.html`. */
  template: string;
  /**
   * The shipped templates need `customer_name` (may be empty), `feedback_id`, `categories` (a list)
   * and `is_priority`. `reference` is what the customer is asked to quote; default: `feedback_id`.
   */
  templateData: TemplateData;
  /**
   * With angle brackets. The same email must have the same id whenever it is sent. Default: a new
   * id.
   */
  messageId?: string;
  /**
   * Message id of the email to answer. An invalid one is left out of the email; so are invalid
   * `references`.
   */
  inReplyTo?: string;
  /** Message ids of the conversation, oldest first; default: `inReplyTo`. */
  references?: readonly string[];
}

/** Writes emails from templates and sends them, as automatic replies (RFC 3834). */
export class EmailIntegration extends Integration<EmailIntegrationConfiguration> {
  readonly #templates: MailTemplates;
  readonly #ownAddress: string;
  readonly #messageIdDomain: string;
  #transport: MailTransport | undefined;

  /**
   * @throws ValidationError (`invalid_configuration`) for a sender, domain or folder of templates
   *   that can't be used
   */
  constructor(configuration: EmailIntegrationConfiguration) {
    super(configuration);
    this.#ownAddress = addressOf(configuration.from);
    this.#messageIdDomain = configuration.messageIdDomain ?? domainOf(this.#ownAddress);
    if (!isEmailAddress(`id@${this.#messageIdDomain}`)) {
      throw invalidConfiguration("The domain of message ids must be a domain name, such as example.org.");
    }
    this.#templates = new MailTemplates(configuration.templates);
  }

  /**
   * Writes one email and sends it: `composeTemplatedEmail`, then `send`.
   * @throws as both
   */
  async sendTemplatedEmail({ signal, ...email }: TemplatedEmail & { signal?: AbortSignal }): Promise<string> {
    return this.send(this.composeTemplatedEmail(email), signal === undefined ? {} : { signal });
  }

  /**
   * Sends an email unchanged, and returns its message id (with angle brackets) when the transport
   * has accepted it.
   * @throws ValidationError for the same recipients as `composeTemplatedEmail`, or if the mail
   *   server refuses the email permanently
   * @throws IoError if the transport can't accept it now
   * @throws the signal's reason; the email may have gone out anyway
   */
  async send(message: MailMessage, options: { signal?: AbortSignal } = {}): Promise<string> {
    this.#checkRecipient(message.to);
    await this.#deliver("customer", message, options);
    return message.messageId;
  }

  #deliver(
    recipient: MailEvent["recipient"],
    message: MailMessage,
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const attributes = {
      "messaging.system": "email",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.message.id": message.messageId,
    };
    return inSpan("send mail", { kind: "client", attributes }, async () => {
      try {
        await this.#openTransport().send(message, options);
      } catch (error) {
        const { type } = toAbiError(error);
        if (type === "io_error") publishMail({ outcome: "delayed", recipient });
        if (type === "validation_error") publishMail({ outcome: "refused", recipient });
        throw error;
      }
      publishMail({ outcome: "sent", recipient });
    });
  }

  /**
   * Sends a plain text email to someone on our side, such as an operator. The recipient is not
   * checked.
   * @param notice `key` identifies the email: if it is sent again, it has the same message id
   * @throws as `send`, except for the check of the recipient
   */
  async sendNotice(notice: { recipient: string; subject: string; text: string; key: string }): Promise<void> {
    await this.#deliver("operator", {
      from: this.configuration.from,
      to: notice.recipient,
      subject: oneLine(notice.subject),
      ...plainMail(notice.text),
      messageId: this.messageIdFor(notice.key),
      headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
    });
  }

  /**
   * Returns the email as it would be sent, so people can see it first. The same data gives the same
   * email, except for the message id if none is given.
   * @throws ValidationError for a recipient that is not a usable address (`unusable_recipient`) or
   *   must not get automatic email (`mail_suppressed`), for an invalid message id, and for an
   *   unknown template or missing data
   */
  composeTemplatedEmail(email: TemplatedEmail): MailMessage {
    this.#checkRecipient(email.recipient);
    const messageId = email.messageId ?? this.messageIdFor(randomUUID());
    if (!isMessageId(messageId)) {
      throw new ValidationError("A message id must look like <local@domain>.", { code: "invalid_message_id" });
    }
    const inReplyTo = email.inReplyTo !== undefined && isMessageId(email.inReplyTo) ? email.inReplyTo : undefined;
    const references = (email.references ?? (inReplyTo === undefined ? [] : [inReplyTo])).filter(isMessageId);
    return {
      from: this.configuration.from,
      to: email.recipient,
      subject: replySubject(email.subject),
      ...this.#templates.render(email.template, withReference(email.templateData)),
      messageId,
      ...withoutAbsent({ inReplyTo }),
      ...(references.length > 0 && { references }),
      headers: AUTOMATIC_REPLY_HEADERS,
    };
  }

  /**
   * Returns the same email with a different text, both as plain text and as HTML. Without a subject,
   * the old subject stays.
   * @throws ValidationError (`empty_mail`) if nothing readable is left of the text or the subject
   */
  rewrite(message: MailMessage, { subject = message.subject, text }: { subject?: string; text: string }): MailMessage {
    const rewritten = { ...message, subject: oneLine(subject), ...plainMail(text) };
    for (const part of ["subject", "text"] as const) {
      if (isVisible(rewritten[part])) continue;
      throw new ValidationError(`${part}: must contain readable text`, { code: "empty_mail" });
    }
    return rewritten;
  }

  /** The message id that belongs to a key, on this sender's domain. */
  messageIdFor(key: string): string {
    return messageIdFor(key, this.#messageIdDomain);
  }

  /** Why no automatic email may go to this address; undefined if it may. */
  suppressionReason(address: string): SuppressionReason | undefined {
    return suppressionReason(address, this.#ownAddress);
  }

  override async close(): Promise<void> {
    await this.#transport?.close();
  }

  #checkRecipient(recipient: string): void {
    if (!isEmailAddress(recipient)) {
      throw new ValidationError("The recipient's email address is not usable: it must be exactly one plain address.", {
        code: "unusable_recipient",
      });
    }
    const reason = this.suppressionReason(recipient);
    if (reason !== undefined) {
      throw new ValidationError(`No automatic email may go to this recipient (${reason}).`, {
        code: "mail_suppressed",
      });
    }
  }

  #openTransport(): MailTransport {
    const { transport } = this.configuration;
    return (this.#transport ??= typeof transport === "function" ? transport() : transport);
  }
}

const withReference = (data: TemplateData): TemplateData =>
  data["feedback_id"] === undefined ? data : { reference: data["feedback_id"], ...data };

function addressOf(from: string): string {
  const parseAddresses = requirePackage("nodemailer/lib/addressparser") as typeof addressParser;
  const [sender, ...others] = parseAddresses(from, { flatten: true });
  if (/[\r\n]/.test(from) || others.length > 0 || !isEmailAddress(sender?.address)) {
    throw invalidConfiguration(
      "The sender of emails must be one address, such as Example Support <support@example.org>.",
    );
  }
  return sender.address;
}
