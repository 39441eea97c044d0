import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";

/** What became of a mail, or of one attempt to send it. */
export interface MailEvent {
  /**
   * `sent`: the mail server, or the outbox, has it. `delayed`: it was not taken for now, and is tried again. `refused`: it is never
   * taken. `withheld`: it was due, and is not sent.
   */
  readonly outcome: "sent" | "delayed" | "refused" | "withheld";
  /** A mail to a customer, or a notice to somebody of our own. */
  readonly recipient: "customer" | "operator";
  /** Only where it was withheld: why, in snake_case. */
  readonly reason?: string;
}

const NAME = "abi-workflows:mail";
const MAILS = channel(NAME);

/** For whoever counts mails in this process. Call it inside a step, so that a replay does not count again. */
export function publishMail(event: MailEvent): void {
  if (MAILS.hasSubscribers) MAILS.publish(event);
}

/** @returns the function that ends it */
export function onMail(listener: (event: MailEvent) => void): () => void {
  const hear = (event: unknown): void => listener(event as MailEvent);
  subscribe(NAME, hear);
  return () => void unsubscribe(NAME, hear);
}
