import type { z } from "zod";
import { ConflictError, ValidationError } from "../../../errors.ts";
import { withoutAbsent, type Json } from "../../../json.ts";
import type { Accepted } from "../../../framework/workflow.ts";
import type { HeldMailAssignment, HeldMailSummary, ShownHeldMail } from "./held-mail-operations.ts";
import { HOLD_REASONS, type HeldMail, type HeldMailHead, type HeldMails } from "./held-mails.ts";
import { extrasOf, feedbackIdOf } from "./mail-intake.ts";

interface Parts {
  held: HeldMails;
  submit: (parameters: object, extras: Record<string, Json>) => Promise<Accepted>;
}

/** What people do with held emails: list, read, assign and dismiss them. */
export class HeldMailDecisions {
  readonly #held: HeldMails;
  readonly #submit: Parts["submit"];

  constructor({ held, submit }: Parts) {
    this.#held = held;
    this.#submit = submit;
  }

  async list(limit: number): Promise<{ mails: HeldMailSummary[]; total: number }> {
    const { mails, total } = await this.#held.listOpen(limit);
    return { mails: mails.map(summaryOf), total };
  }

  async show(mailId: string): Promise<ShownHeldMail> {
    return shown(await this.#find(mailId));
  }

  async assign(
    assignment: z.output<typeof HeldMailAssignment>,
  ): Promise<{ status: string; workflow_id: string; [field: string]: Json }> {
    const { mail_id, customer_id, send_response, ...words } = assignment;
    const mail = await this.#find(mail_id);
    if (mail.status === "dismissed") throw alreadyDecided("It was dismissed.");
    const feedback_id = feedbackIdOf(mail.id);
    const { subject = mail.subject, feedback_text = mail.text } = words;
    const { id: workflow_id, identity } = await this.#submit(
      { feedback_id, customer_id, subject, feedback_text, send_response },
      extrasOf(mail),
    );
    await this.#held.close(mail.id, "assigned", feedback_id);
    return { status: "processing", ...identity, workflow_id };
  }

  async dismiss(mailId: string): Promise<ShownHeldMail> {
    const mail = await this.#find(mailId);
    const status = await this.#held.close(mail.id, "dismissed");
    if (status !== "dismissed") throw alreadyDecided("It was assigned to a customer.");
    return { ...shown(mail), status: "dismissed" };
  }

  async #find(mailId: string): Promise<HeldMail> {
    const mail = await this.#held.find(mailId.trim());
    if (mail) return mail;
    throw new ValidationError("There is no held email with this id.", { code: "unknown_mail" });
  }
}

const alreadyDecided = (message: string): ConflictError => new ConflictError(message, { code: "already_decided" });

const summaryOf = ({ id, reason, sender, subject, time, attachments, answers }: HeldMailHead): HeldMailSummary => ({
  mail_id: id,
  reason,
  message: HOLD_REASONS[reason],
  ...withoutAbsent({ sender }),
  subject,
  received: time.toISOString(),
  attachments,
  ...withoutAbsent({ reply_to: answers }),
});

const shown = (mail: HeldMail): ShownHeldMail => ({ ...summaryOf(mail), status: mail.status, text: mail.text });
