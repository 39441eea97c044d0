/**
 * Whom no automatic mail may go to, and the headers that keep other automatic answerers quiet.
 * After RFC 3834 (recommendations for automatic responses to electronic mail), sections 2 and 5.
 */

/** Headers of every automatic reply. The second one is what Exchange listens to. */
export const AUTOMATIC_REPLY_HEADERS: Readonly<Record<string, string>> = {
  "Auto-Submitted": "auto-replied",
  "X-Auto-Response-Suppress": "All",
};

export type SuppressionReason = "no_reply_address" | "mail_system_address" | "own_address";

// As a word of its own in the local part: `no-reply`, `news.noreply`, `do_not_reply+17`, but not `casino.reply`.
const NO_REPLY = /(?:^|[^a-z])(?:no[-_.]?reply|(?:do[-_.]?not|dont)[-_.]?reply)(?:$|[^a-z])/;
const MAIL_SYSTEM = /(?:^|[^a-z])(?:mailer[-_.]?daemon|postmaster|bounces?)(?:$|[^a-z])/;

/** The mailbox that an address names, without its plus-tag and case. */
function mailbox(address: string): string {
  const [local = "", domain = ""] = address.trim().toLowerCase().split("@");
  return `${local.split("+", 1)[0]}@${domain}`;
}

/**
 * Why no automatic mail may go to `address`, or undefined where it may.
 * @param ownAddress the sender: a mail to oneself is the beginning of a loop
 */
export function suppressionReason(address: string, ownAddress: string): SuppressionReason | undefined {
  const local = address.trim().toLowerCase().split("@", 1)[0] ?? "";
  if (NO_REPLY.test(local)) return "no_reply_address";
  if (MAIL_SYSTEM.test(local)) return "mail_system_address";
  if (mailbox(address) === mailbox(ownAddress)) return "own_address";
  return undefined;
}
