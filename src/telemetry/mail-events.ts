import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";

/** The outcome of an email, or of one attempt to send it. */
export interface MailEvent {
  /**
   * `sent`: the mail server or the outbox has accepted it. `delayed`: the attempt failed, but may
   * be repeated. `refused`: it was refused permanently. `withheld`: it was due, but is not sent.
   */
  readonly outcome: "sent" | "delayed" | "refused" | "withheld";
  /** An email to a customer, or a notice to an operator. */
  readonly recipient: "customer" | "operator";
  /** Only if it was withheld: why, in snake_case. */
  readonly reason?: string;
}

const NAME = "abi-workflows:mail";
const MAILS = channel(NAME);

/**
 * Reports an outcome to everything that counts emails in this process. Call it inside a step, so
 * that a replay doesn't count the email again.
 */
export function publishMail(event: MailEvent): void {
  if (MAILS.hasSubscribers) MAILS.publish(event);
}

/**
 * Calls the listener with each outcome in this process.
 * @returns a function that removes the listener
 */
export function onMail(listener: (event: MailEvent) => void): () => void {
  const hear = (event: unknown): void => listener(event as MailEvent);
  subscribe(NAME, hear);
  return () => void unsubscribe(NAME, hear);
}
