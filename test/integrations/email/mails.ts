import { EmailIntegration, type TemplatedEmail } from "../../../src/integrations/email/email-integration.ts";
import type { MailMessage } from "../../../src/integrations/email/mail-transport.ts";

export const TEMPLATES = [
  "positive_feedback_response.html",
  "negative_feedback_response.html",
  "neutral_feedback_response.html",
  "escalation_acknowledgment.html",
];

/** Input for an email to compose, with a test's changes. */
export const templatedEmail = (changes: Partial<TemplatedEmail> = {}): TemplatedEmail => ({
  recipient: "ada@customers.example",
  subject: "My order",
  template: "neutral_feedback_response.html",
  templateData: { customer_name: "Ada Lovelace", feedback_id: "F-1", categories: ["product"], is_priority: false },
  ...changes,
});

/** A composed email, for the transports. */
export function mailMessage(changes: Partial<TemplatedEmail> = {}): MailMessage {
  const unused = () => {
    throw new Error("nothing is to be sent here");
  };
  const integration = new EmailIntegration({ from: "Example <support@example.org>", transport: unused });
  return integration.composeTemplatedEmail(templatedEmail({ messageId: integration.messageIdFor("F-1"), ...changes }));
}

/** The error that an operation was rejected with. */
export async function rejection(operation: Promise<unknown>): Promise<unknown> {
  try {
    await operation;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to fail");
}
