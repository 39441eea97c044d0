import { automaticMailHeader } from "../../../integrations/email/mail-hygiene.ts";
import type { EmailIntegration } from "../../../integrations/email/email-integration.ts";
import { oneLine } from "../../../integrations/email/reply-subject.ts";
import { isAuthenticated } from "../../../integrations/mailbox/authentication-results.ts";
import { readMail, type IncomingMail } from "../../../integrations/mailbox/incoming-mail.ts";
import type { Run } from "../../../engine/engine.ts";
import { withoutAbsent, type Json } from "../../../json.ts";
import type { Logger } from "../../../log.ts";
import { isVisible } from "../../../visible-text.ts";
import type { MailReceipt } from "../../../framework/mail-receipt.ts";
import type { Accepted } from "../../../framework/workflow.ts";
import type { MailRules } from "../configuration.ts";
import type { Customers } from "../customers.ts";
import type { AnsweredMail, FeedbackGraph } from "../feedback-graph.ts";
import { HOLD_REASONS, type HeldMail, type HeldMails, type HoldReason } from "./held-mails.ts";
import { ownWordsOf } from "../own-words.ts";
import { MAX_SUBJECT_LENGTH, MAX_TEXT_LENGTH } from "../parameters.ts";

/**
 * An email that has passed through more servers than this is in a loop. (RFC 5321 section 6.3 asks
 * servers to allow at least 100.)
 */
const MAX_HOPS = 100;

/** The subject of an email that has none. */
const NO_SUBJECT = "Your feedback";

interface Parts {
  rules: MailRules;
  email: EmailIntegration;
  customers: Customers;
  graph: FeedbackGraph;
  held: HeldMails;
  /** The run with this key, if any. */
  findRun: (feedbackId: string) => Promise<Run | undefined>;
  submit: (parameters: object, extras: Record<string, Json>) => Promise<Accepted>;
  /** Whether someone has to act on a customer's reply. */
  isComplaint: (text: string) => Promise<boolean>;
  clock: () => Date;
  logger: Logger;
}

/** An email that is being handled. */
interface Arrival {
  mail: IncomingMail;
  /** The email's id; a different one if it has the Message-ID of an email with other content. */
  id: string;
  /** The id that its feedback has if it is processed. */
  feedbackId: string;
}

/** Id of the feedback that an email is processed as. */
export const feedbackIdOf = (mailId: string): string => `mail-${mailId}`;

/** What an email adds to the feedback that it is processed as. */
export const extrasOf = ({ digest, messageId }: Pick<HeldMail, "digest" | "messageId">): Record<string, Json> => ({
  mail_digest: digest,
  ...withoutAbsent({ message_id: messageId }),
});

/**
 * Decides what to do with each incoming email. If it is interrupted anywhere and repeated, it does
 * nothing twice.
 */
export class MailIntake {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Handles one email. Its outcome is durable when it resolves.
   * @throws ValidationError (`not_a_mail`), IoError
   */
  async take(raw: Uint8Array): Promise<MailReceipt> {
    const mail = await readMail(raw);
    const { message, ...receipt } = await this.#decide(mail);
    this.#parts.logger.info({ mail_id: mail.id, ...receipt }, "an email came in");
    return message === undefined ? receipt : { ...receipt, message };
  }

  async #decide(mail: IncomingMail): Promise<MailReceipt> {
    const ignored = this.#ignored(mail);
    if (ignored) return ignored;
    const arrival = await this.#arrival(mail);
    if ("status" in arrival) return arrival;

    const { rules, graph } = this.#parts;
    const { sender, headers } = mail;
    if (sender === undefined) return this.#hold(arrival, "no_sender");
    const results = headers["authentication-results"] ?? [];
    if (rules.authservId !== undefined && !isAuthenticated(sender, results, rules.authservId)) {
      return this.#hold(arrival, "sender_not_authenticated");
    }
    if (!isVisible(mail.text)) return this.#hold(arrival, mail.isComplete ? "no_text" : "unreadable");
    const answered = await graph.answeredBy(mail.inReplyTo);
    return answered ? this.#takeReply(arrival, sender, answered) : this.#takeFeedback(arrival, sender);
  }

  /** The receipt if nobody expects an answer to the email. */
  #ignored({ headers, sender }: IncomingMail): MailReceipt | undefined {
    const mark = automaticMailHeader(headers);
    if (mark !== undefined) {
      return ignored("automatic_mail", `A machine or a mailing list sent it: its header ${mark} says so.`);
    }
    if ((headers["received"] ?? []).length > MAX_HOPS) {
      return ignored("mail_loop", `It has passed through more than ${MAX_HOPS} servers, so it is in a loop.`);
    }
    const kind = sender === undefined ? undefined : this.#parts.email.suppressionReason(sender);
    return kind && ignored(kind, "It comes from our own address, or from an address that no person writes from.");
  }

  /**
   * The email with its ids; or the receipt if it came in before, or is held because a different
   * email has its Message-ID.
   */
  async #arrival(mail: IncomingMail): Promise<Arrival | MailReceipt> {
    const first = { mail, id: mail.id, feedbackId: feedbackIdOf(mail.id) };
    const before = await this.#takenBefore(first);
    if (before !== "other") return before ?? first;
    const second = withOtherId(mail);
    const again = await this.#takenBefore(second);
    return typeof again === "object" ? again : this.#hold(second, "same_message_id");
  }

  /**
   * The receipt if the email was taken in before and nothing is left to do; `other` if an email
   * with other content has its id. A held email is handled again, because its sender may be known
   * by now; so is a reply, which may be recorded but not yet processed.
   */
  async #takenBefore({ mail, id, feedbackId }: Arrival): Promise<MailReceipt | "other" | undefined> {
    const { findRun, graph, held } = this.#parts;
    const run = await findRun(feedbackId);
    const input = run?.input as Record<string, Json> | undefined;
    if (input !== undefined && input["mail_digest"] !== mail.digest) return "other";
    // The engine may have deleted the run.
    if (run !== undefined || (await graph.find(feedbackId))) {
      await this.#closeHeld(id, feedbackId);
      return duplicate({ feedback_id: feedbackId, ...(run && { workflow_id: run.id }) });
    }
    const [reply, kept] = await Promise.all([graph.reply(id), held.find(id)]);
    if ([reply?.digest, kept?.digest].some((digest) => digest !== undefined && digest !== mail.digest)) return "other";
    return kept?.status === "dismissed" ? duplicate({ reason: "dismissed", mail_id: id }) : undefined;
  }

  /**
   * Records a reply with the feedback whose email it answers, and processes it if it is a
   * complaint.
   */
  async #takeReply(arrival: Arrival, sender: string, { feedbackId, customerUri }: AnsweredMail): Promise<MailReceipt> {
    const { customers, graph, isComplaint, clock } = this.#parts;
    const { mail, id } = arrival;
    const customer = (await customers.withAddress(sender)).find(({ uri }) => uri === customerUri);
    if (!customer) return this.#hold(arrival, "other_sender", feedbackId);
    const text = await processableText(mail.text);
    if (text === undefined) return this.#hold(arrival, "text_too_long", feedbackId);
    const { digest, attachments } = mail;
    const known = await graph.reply(id);
    // The recorded judgement counts, because judging the text again might give another result.
    const isToBeProcessed = known ? known.isProcessed : await isComplaint(text);
    const processedAs = isToBeProcessed ? arrival.feedbackId : undefined;
    const isKnown = known !== undefined;
    if (!isKnown) {
      const reply = { id, digest, customerUri, text, attachments, processedAs, time: clock() };
      // Another email with this Message-ID may have come in by now.
      if ((await graph.recordReply(feedbackId, reply)) !== digest)
        return this.#hold(withOtherId(mail), "same_message_id");
    }
    const about = { reply_to: feedbackId, customer_id: customer.id };
    if (processedAs !== undefined) return { ...(await this.#submit(arrival, customer.id, text)), ...about };
    await this.#closeHeld(id);
    return isKnown ? duplicate(about) : { status: "recorded", reason: "reply", ...about };
  }

  async #takeFeedback(arrival: Arrival, sender: string): Promise<MailReceipt> {
    const { customers, rules } = this.#parts;
    const text = await processableText(arrival.mail.text);
    if (text === undefined) return this.#hold(arrival, "text_too_long");
    const [customer, ...others] = await this.#customersOf(sender);
    if (others.length > 0) return this.#hold(arrival, "several_customers");
    if (customer) return this.#submit(arrival, customer.id, text);
    if (rules.unknownSender === "ignore") return ignored("unknown_sender", HOLD_REASONS.unknown_sender);
    if (rules.unknownSender !== "create") return this.#hold(arrival, "unknown_sender");
    return this.#submit(arrival, (await customers.create(sender)).id, text);
  }

  async #customersOf(sender: string): Promise<{ id: string }[]> {
    const { customers, rules } = this.#parts;
    const known = await customers.withAddress(sender);
    if (known.length > 0 || rules.unknownSender !== "ask-source") return known;
    await customers.fetchByAddress(sender);
    return customers.withAddress(sender);
  }

  async #submit({ mail, id, feedbackId }: Arrival, customerId: string, text: string): Promise<MailReceipt> {
    const accepted = await this.#parts.submit(
      { feedback_id: feedbackId, customer_id: customerId, subject: subjectOf(mail), feedback_text: text },
      extrasOf(mail),
    );
    await this.#closeHeld(id, feedbackId);
    const about = { ...accepted.identity, workflow_id: accepted.id };
    return accepted.outcome === "existing" ? duplicate(about) : { status: "processing", ...about };
  }

  async #hold({ mail, id }: Arrival, reason: HoldReason, answers?: string): Promise<MailReceipt> {
    const { held, clock } = this.#parts;
    const { digest, messageId, attachments, text } = mail;
    const isKnown = (await held.find(id)) !== undefined;
    const about = { id, digest, reason, time: clock(), sender: shownSender(mail), subject: subjectOf(mail) };
    if (!isKnown) {
      await held.hold({ ...about, text, messageId, attachments, answers });
      // Another email with this Message-ID may have come in by now.
      const other = withOtherId(mail);
      if (id !== other.id && (await held.find(id))?.digest !== digest) return this.#hold(other, "same_message_id");
    }
    const receipt = { reason, message: HOLD_REASONS[reason], mail_id: id };
    return isKnown ? duplicate(receipt) : { status: "needs_person", ...receipt };
  }

  /** Closes a held email that was handled without a person after all. */
  async #closeHeld(id: string, processedAs?: string): Promise<void> {
    const { held } = this.#parts;
    if ((await held.find(id))?.status === "open") await held.close(id, "assigned", processedAs);
  }
}

/** An email under another id, because a different one has its Message-ID. */
function withOtherId(mail: IncomingMail): Arrival {
  const id = `${mail.id}-${mail.digest.slice(0, 8)}`;
  return { mail, id, feedbackId: feedbackIdOf(id) };
}

const duplicate = (about: object): MailReceipt => ({ status: "duplicate", ...about });

const ignored = (reason: string, message: string): MailReceipt => ({ status: "ignored", reason, message });

const subjectOf = ({ subject }: IncomingMail): string =>
  isVisible(subject) ? subject.slice(0, MAX_SUBJECT_LENGTH).toWellFormed() : NO_SUBJECT;

/**
 * For the person who has to decide: the sender as stated in the email, even if it is not a usable
 * address.
 */
const shownSender = ({ sender, headers }: IncomingMail): string | undefined =>
  sender ??
  (oneLine(headers["from"]?.join(", ") ?? "")
    .slice(0, MAX_SUBJECT_LENGTH)
    .toWellFormed() ||
    undefined);

/**
 * Even a conversation of hundreds of emails has fewer; looking for quotations takes time for each
 * line.
 */
const MAX_LINES = 20_000;

function countLines(text: string): number {
  let count = 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

/**
 * The whole text or, if it is too long, the text without quotations and signature; undefined if
 * that is too long as well, or the text has too many lines.
 */
async function processableText(text: string): Promise<string | undefined> {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  if (countLines(text) > MAX_LINES) return undefined;
  const own = (await ownWordsOf(text)).trim();
  return own.length <= MAX_TEXT_LENGTH ? own : undefined;
}
