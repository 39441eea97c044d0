import { createHash } from "node:crypto";
import type { SendMailOptions } from "nodemailer";
import type { MailMessage } from "./mail-transport.ts";

/** A mail in nodemailer's terms. The same mail gives the same message but for its date. */
export const toMimeOptions = async (message: MailMessage): Promise<SendMailOptions> => ({
  ...message,
  headers: { ...message.headers },
  subject: await literal(message.subject),
  // As an object it is taken as it is; a string would be parsed, and could turn out to be two addresses.
  to: { name: "", address: message.to },
  baseBoundary: createHash("sha256").update(message.messageId).digest("hex").slice(0, 24),
  // A mail is made of what it was given, whatever paths and addresses stand in it.
  disableFileAccess: true,
  disableUrlAccess: true,
});

/** Octets of one encoded word, so that it fits on a line (RFC 2047 section 2). */
const LONGEST_WORD = 52;

/**
 * A subject that is read as it stands. nodemailer encodes what is not ASCII; but what looks like an encoded word already
 * (RFC 2047), customers choose it, would be decoded by whoever gets the mail.
 */
async function literal(subject: string): Promise<string> {
  if (!subject.includes("=?")) return subject;
  const { encodeWord } = await import("nodemailer/lib/mime-funcs");
  return encodeWord(subject, "B", LONGEST_WORD);
}
