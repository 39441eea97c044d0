import type { NodemailerError } from "nodemailer";
import { IoError, ValidationError, type AbiError } from "../../../errors.ts";
import { permanentProblem, readRefusal, readReply, retryAfterSeconds } from "./smtp-reply.ts";

/** Codes that demand a login, or refuse one permanently (RFC 4954 section 6). */
const AUTHENTICATION_REPLIES = new Set([530, 534, 535, 538]);

/**
 * Service not available, closing (RFC 5321 section 3.8): whichever command it answers, no email was
 * accepted.
 */
const CLOSING = 421;
/** System not accepting messages; congestion (RFC 3463 sections 3.4 and 3.5). */
const BUSY = new Set(["3.2", "4.5"]);
const TOO_MANY_CONNECTIONS =
  /too many (?:\w+ ){0,2}(?:connections|sessions|clients)|concurren|connection (?:count|rate|limit)/i;

/**
 * Whether no connection could be established, or the server refuses this one because it is busy or
 * we have too many. In both cases, the server has not accepted the email.
 * @param connected whether the connection was established before
 */
export function isConnectionRefusal(error: NodemailerError, connected: boolean): boolean {
  if (error.responseCode === CLOSING) return true;
  if (!connected) return error.code !== "EENVELOPE" && !isAboutTls(error) && !isAuthentication(error);
  if (error.responseCode === undefined) return false;
  const { isTransient, status, text } = readReply(error);
  return isTransient && (BUSY.has(status) || TOO_MANY_CONNECTIONS.test(text));
}

/**
 * Converts a failure of nodemailer to an error for the sender.
 * @param server `host:port`, for the message
 * @param hide what must not appear in the cause, which is logged: the recipient's address and its
 *   local part, the password
 */
export function toMailError(
  error: NodemailerError,
  server: string,
  hide: { readonly recipient: string; readonly secrets: readonly string[] },
): AbiError {
  const cause = loggable(error, hide);
  const unavailable = (what: string, code = "mail_unavailable") => {
    const retryAfterMs = retryAfterSeconds(readReply(error)) * 1000;
    return new IoError(`The mail server at ${server} ${what}`, { code, cause, retryAfterMs });
  };
  const rejected = (what: string) =>
    new ValidationError(`The mail server at ${server} refused this email permanently${what}`, {
      code: "mail_rejected",
      cause,
    });
  if (isAuthentication(error)) return unavailable(authenticationProblem(error), "mail_authentication");
  if (isAboutTls(error)) return unavailable(whatHappened(error));
  if (!error.responseCode) {
    if (error.response !== undefined)
      return unavailable("answers with something that is not SMTP. Check its host and port.");
    // nodemailer itself has found that the email is too large or its envelope invalid.
    if (error.code === "EMESSAGE") return rejected(`: the email is too large; ${THE_DETAILS}`);
    if (error.code === "EENVELOPE") return rejected(`. Check the recipient's address; ${THE_DETAILS}`);
    return unavailable(whatHappened(error));
  }
  const reply = readReply(error);
  const { shown } = reply;
  if (reply.isTransient) return unavailable(`can't accept the email for now ${shown}${permanentProblem(reply) || "."}`);
  if (error.command === "CONN" || error.command === "EHLO")
    return unavailable(`accepts no email from us ${shown}. ${CHECK_US}`);
  const { fault, words } = readRefusal(reply, error.command);
  if (fault === "sender") return unavailable(`does not let us send ${shown}: ${words} The recipient is not at fault.`);
  return rejected(` ${shown}${words}; ${THE_LOG}`);
}

const THE_LOG = "the log has the server's words.";
const THE_DETAILS = "the log has the details.";
const CHECK_US = "Check the sender's address, and whether we may use this server.";

const isAuthentication = ({ code, responseCode }: NodemailerError): boolean =>
  responseCode === undefined
    ? code === "EAUTH" || code === "ENOAUTH"
    : AUTHENTICATION_REPLIES.has(responseCode) || (code === "EAUTH" && responseCode >= 500);

function authenticationProblem(error: NodemailerError): string {
  const { text } = readReply(error);
  if (/starttls|encryption required/i.test(text)) {
    return "demands TLS before it lets us log in. Set requireTLS=true in its URL, or use smtps:// for ports that begin with TLS (465).";
  }
  return "did not accept our user name and password. Check them in its URL.";
}

const isCertificate = ({ message, originalCode, responseCode }: NodemailerError): boolean =>
  (responseCode === undefined && /certificate|altname/i.test(message)) || /CERT/.test(originalCode ?? "");

const isAboutTls = (error: NodemailerError): boolean =>
  isCertificate(error) ||
  error.code === "ETLS" ||
  error.code === "EREQUIRETLS" ||
  /SSL|TLS|EPROTO/.test(error.originalCode ?? "");

function whatHappened(error: NodemailerError): string {
  const { code, originalCode } = error;
  if (isCertificate(error)) {
    return "presented a certificate that is not trusted. Check its name and port; if it is your own server, name the file of its certificate authority in NODE_EXTRA_CA_CERTS.";
  }
  if (isAboutTls(error)) {
    return "could not negotiate TLS with us. Use smtps:// for ports that begin with TLS (465) and smtp:// for the others (587, 25).";
  }
  if (originalCode === "ECONNREFUSED") return "refused the connection. Check its host and port, and that it runs.";
  if (code === "EDNS") return "was not found by its name. Check the host in its URL.";
  if (code === "ETIMEDOUT") return "did not answer in time.";
  return "closed the connection without confirming whether it has accepted the email.";
}

/** nodemailer's error without addresses and secrets, which servers like to repeat. */
function loggable(
  error: NodemailerError,
  { recipient, secrets }: { recipient: string; secrets: readonly string[] },
): Error {
  const { code, originalCode, command, responseCode } = error;
  const hidden = [recipient, ...secrets].filter(Boolean).map(escaped);
  const local = recipient.slice(0, recipient.lastIndexOf("@"));
  // Shorter local parts occur too often in other words.
  if (local.length >= MIN_HIDDEN_LENGTH) hidden.push(`(?<![\\p{L}\\p{N}])${escaped(local)}(?![\\p{L}\\p{N}])`);
  // Ignoring case, because servers change the case of addresses.
  const message = hidden.reduce(
    (text, pattern) => text.replaceAll(new RegExp(pattern, "giu"), "[hidden]"),
    error.message,
  );
  return Object.assign(new Error(message), { code, originalCode, command, responseCode });
}

const MIN_HIDDEN_LENGTH = 4;

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
