/** One complete email. Addresses are bare (`a@b.c`), except `from`, which may include a name. */
export interface MailMessage {
  from: string;
  to: string;
  subject: string;
  html: string;
  text: string;
  /** With angle brackets. If the same email is sent twice, it has the same id. */
  messageId: string;
  inReplyTo?: string;
  references?: string[];
  headers: Readonly<Record<string, string>>;
}

/** The port for delivering emails. */
export interface MailTransport {
  /**
   * Resolves when the other side has taken responsibility for the email. An abort ends the waiting
   * and, if possible, the attempt. The other side may have accepted the email nevertheless, so send
   * the same email again, with the same message id.
   * @throws IoError if the server can't be reached, times out, refuses the email temporarily (4xx
   *   of SMTP), or refuses us as the sender (such as our login or our network)
   * @throws ValidationError if it refuses this email permanently (other 5xx of SMTP)
   * @throws the signal's reason
   */
  send(message: MailMessage, options?: { signal?: AbortSignal }): Promise<void>;

  /** Closes connections once the deliveries in progress are done. Safe to call twice. */
  close(): Promise<void>;
}
