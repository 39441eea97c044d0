import { createHash } from "node:crypto";
import type { SendMailOptions } from "nodemailer";
import type { MailMessage } from "./mail-transport.ts";

/** A mail in nodemailer's terms. The same mail gives the same message but for its date. */
export const toMimeOptions = (message: MailMessage): SendMailOptions => ({
  ...message,
  headers: { ...message.headers },
  // As an object it is taken as it is; a string would be parsed, and could turn out to be two addresses.
  to: { name: "", address: message.to },
  baseBoundary: createHash("sha256").update(message.messageId).digest("hex").slice(0, 24),
  // A mail is made of what it was given, whatever paths and addresses stand in it.
  disableFileAccess: true,
  disableUrlAccess: true,
});
