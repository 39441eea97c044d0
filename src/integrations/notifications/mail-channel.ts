import { ValidationError } from "../../errors.ts";
import { isEmailAddress } from "../email/email-address.ts";
import type { EmailIntegration } from "../email/email-integration.ts";
import type { Notification, NotificationChannel, NotificationType } from "./notification-channel.ts";

/** Limits emails: if many runs fail in one night, nobody needs an email about each of them. */
const MAX_PER_HOUR = 20;

const SUBJECTS: Record<NotificationType, (key: string) => string> = {
  "approval.waiting": (key) => `Please decide: an email waits for you (${key})`,
  "run.failed": (key) => `A run has failed (${key})`,
  "run.completed": (key) => `A run has completed (${key})`,
};

/** Sends notifications as short emails. */
export class MailChannel implements NotificationChannel {
  readonly name = "mail_delivered";
  readonly mostAnHour = MAX_PER_HOUR;
  readonly #email: EmailIntegration;
  readonly #recipient: string;

  /**
   * @throws ValidationError (`invalid_configuration`) for a recipient that is not one plain address
   */
  constructor(email: EmailIntegration, recipient: string) {
    if (!isEmailAddress(recipient)) {
      throw new ValidationError("NOTIFY_MAIL (notifyMail) must be one plain address, such as ops@example.org.", {
        code: "invalid_configuration",
      });
    }
    this.#email = email;
    this.#recipient = recipient;
  }

  async deliver(notification: Notification, isLast: boolean): Promise<void> {
    const { id, type, key } = notification;
    const text = [bodyOf(notification), ...(isLast ? [NO_MORE] : [])].join("\n\n");
    await this.#email.sendNotice({ recipient: this.#recipient, subject: SUBJECTS[type](key), text, key: id });
  }
}

const NO_MORE = `This is the ${MAX_PER_HOUR}th email of this kind in this hour. No more of them are sent before the next full hour: check the list of runs.`;

function bodyOf({ type, time, workflow, workflow_id, key, url, error }: Notification): string {
  const facts = [`${workflow} ${key}`, workflow_id, time.toISOString()];
  const where = url === undefined ? [] : [url];
  if (type === "approval.waiting") {
    const how = `To read it and decide: ${url ?? `abi-workflows approvals show ${workflow_id}`}`;
    return [`An email to a customer waits for a person's approval.`, how, facts.join("\n")].join("\n\n");
  }
  const what =
    type === "run.failed" ? `A run has failed: ${error ?? "the log has the details"}` : "A run has completed.";
  return [what, ...where, facts.join("\n")].join("\n\n");
}
