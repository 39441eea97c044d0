/** One mail, ready to go out. Addresses are bare (`a@b.c`) except `from`, which may carry a name. */
export interface MailMessage {
  from: string;
  to: string;
  subject: string;
  html: string;
  text: string;
  /** With angle brackets. The same mail sent twice carries the same one. */
  messageId: string;
  inReplyTo?: string;
  references?: string[];
  headers: Readonly<Record<string, string>>;
}

/** Port: hands mails over. */
export interface MailTransport {
  /**
   * Resolves when the other side has taken responsibility for the mail. An abort ends the waiting and, where it can,
   * the attempt; the other side may have taken the mail nevertheless, so send the same one again, with its message id.
   * @throws IoError where it can't be reached, times out or refuses for now (4xx of SMTP)
   * @throws ValidationError where it refuses this mail for good (5xx of SMTP)
   * @throws the signal's reason
   */
  send(message: MailMessage, options?: { signal?: AbortSignal }): Promise<void>;

  /** Frees connections; mails in the middle of their delivery are finished first. Safe to call twice. */
  close(): Promise<void>;
}
