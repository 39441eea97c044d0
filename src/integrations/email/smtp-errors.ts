import type { NodemailerError } from "nodemailer";
import { IoError, ValidationError, type AbiError } from "../../errors.ts";

/** Codes that ask for a login, or refuse one for good (RFC 4954 section 6). */
const AUTHENTICATION_REPLIES = new Set([530, 534, 535, 538]);

/** Size exceeded: the one answer to MAIL FROM that is about the mail rather than about us (RFC 1870). */
const TOO_LARGE = 552;

/**
 * What a failure of nodemailer means for the one who wanted to send.
 * @param server `host:port`, for the message
 * @param hide what must not show in the cause, which is logged: the recipient, the password
 */
export function toMailError(error: NodemailerError, server: string, hide: readonly string[]): AbiError {
  const cause = loggable(error, hide);
  if (isAuthentication(error)) {
    return new IoError(
      `The mail server at ${server} did not accept our user name and password. Check them in its URL.`,
      {
        code: "mail_authentication",
        cause,
      },
    );
  }
  if (isAboutThisMail(error)) {
    const reply = error.responseCode === undefined ? "" : ` (${error.responseCode})`;
    return new ValidationError(
      `The mail server at ${server} refused this mail for good${reply}. Check the recipient's address; the log has the server's words.`,
      { code: "mail_rejected", cause },
    );
  }
  return new IoError(`The mail server at ${server} ${whatHappened(error)}`, { code: "mail_unavailable", cause });
}

const isAuthentication = ({ code, responseCode }: NodemailerError): boolean =>
  responseCode === undefined
    ? code === "EAUTH" || code === "ENOAUTH"
    : AUTHENTICATION_REPLIES.has(responseCode) || (code === "EAUTH" && responseCode >= 500);

function isAboutThisMail({ code, command, permanent, responseCode }: NodemailerError): boolean {
  // Without a reply it was nodemailer itself who saw that the mail is too large or its envelope impossible.
  if (responseCode === undefined) return code === "EMESSAGE" || code === "EENVELOPE";
  if (permanent !== true) return false;
  return command === "RCPT TO" || command === "DATA" || responseCode === TOO_LARGE;
}

function whatHappened(error: NodemailerError): string {
  const { code, originalCode, responseCode, permanent } = error;
  if (/certificate|altname/i.test(error.message) || /CERT/.test(originalCode ?? "")) {
    return "showed a certificate that is not trusted. Check its name and port; if it is your own server, name the file of its certificate authority in NODE_EXTRA_CA_CERTS.";
  }
  if (code === "ETLS" || code === "EREQUIRETLS" || /SSL|TLS|EPROTO/.test(originalCode ?? "")) {
    return "could not agree on TLS with us. Use smtps:// for ports that begin with TLS (465) and smtp:// for the others (587, 25).";
  }
  if (responseCode !== undefined) {
    return permanent === true
      ? `takes no mail from us (${responseCode}). Check the sender's address, and whether we may use this server.`
      : `does not take the mail for now (${responseCode}).`;
  }
  if (originalCode === "ECONNREFUSED") return "refused the connection. Check that it runs, and its host and port.";
  if (code === "EDNS") return "was not found by its name. Check the host in its URL.";
  if (code === "ETIMEDOUT") return "did not answer in time.";
  return "closed the connection without a word on whether it has taken the mail.";
}

/** nodemailer's error without addresses and secrets, which servers like to repeat. */
function loggable(error: NodemailerError, hide: readonly string[]): Error {
  const { code, originalCode, command, responseCode } = error;
  const message = hide.filter(Boolean).reduce((text, secret) => text.replaceAll(secret, "[hidden]"), error.message);
  return Object.assign(new Error(message), { code, originalCode, command, responseCode });
}
